/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - the answer to one message, as HTTP: once, and the record knows of it.
 *
 * A message of a batch has no HTTP answer of its own; its bytes are kept for the batch.
 * Bodies must live in the visit's arena or be static. */
#ifndef SP_MCP_REPLY_H
#define SP_MCP_REPLY_H
#include "corridor.h"

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
/* Opens an event stream. */
sink *reply_stream(visit *v);
/* Does it take one at all? */
bool reply_takes_stream(const visit *v);
/* May the client be answered with an event stream? The first yes takes one of its caller's. */
bool reply_may_stream(visit *v);
#endif
