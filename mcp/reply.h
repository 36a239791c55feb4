/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - the answer to one message, as HTTP: once, and the record knows of it.
 *
 * A message of a batch has no HTTP answer of its own; its bytes are kept for the batch.
 * Bodies must live in the visit's arena or be static. */
#ifndef SP_MCP_REPLY_H
#define SP_MCP_REPLY_H
#include "corridor.h"
#include "tape.h"

/* A message of a channel has been read: its POST is answered 202, the rest on the channel. */
void reply_accept(visit *v);
void reply_json(visit *v, int status, str body);
void reply_empty(visit *v, int status);
void reply_with(visit *v, int status, header extra, str body); /* one more header */
/* The refusal in v->no, with v->challenge. */
void reply_refusal(visit *v);
/* A result of our own; hints NULL: not cacheable. */
void reply_made(visit *v, str members, const dialect_hints *hints);
void reply_made_with(visit *v, header extra, str members);
/* The bytes of a failed tool result that says `text`, for a model to read. */
str reply_tool_error(visit *v, str text);
/* Opens an event stream. Toward sessions of the old era it is kept on a tape, and its flow then
 * outlives its client. */
sink *reply_stream(visit *v);
sink *reply_stream_raw(visit *v);         /* never kept */
sink *reply_stream_on(visit *v, tape *t); /* kept on this tape */
/* Does it take one at all? */
bool reply_takes_stream(const visit *v);
/* May the client be answered with an event stream? The first yes takes one of its caller's. */
bool reply_may_stream(visit *v);
/* After a no, where nothing but a stream can answer: 406, or 429 when the caller has too many.
 * FLOW_FAIL. */
flow_go reply_no_stream(visit *v);
#endif
