/* SPDX-License-Identifier: Apache-2.0 */
/* round.h - asking a client of the old era during its call.
 *
 * Questions go out as requests on the stream of the call, whoever asks: a legacy server, whose
 * questions are answered one by one as the answers come, or a modern one, whose result was a set of
 * questions (input_required) and which is called again when the whole set is answered.
 * A modern server is called again a bounded number of times. A client that does not answer in time,
 * answers with an error or goes away has cancelled a form; for anything else the call fails,
 * told as its method tells failures.
 * Ownership: a round lives in its visit's arena, ended by round_end(). Threads: its worker's. */
#ifndef SP_MCP_ROUND_H
#define SP_MCP_ROUND_H
#include "link.h"

struct visit;
typedef struct round round;

/* A legacy server's question; false: this client is not asked. */
bool round_asks(struct visit *v, const link_question *q);
void round_withdraws(struct visit *v, str id);
/* The result of a modern server that wants input. */
void round_begins(struct visit *v, js_value result);
/* True: call the server again; `again` as in link_request. */
bool round_is_answered(struct visit *v, str *again);
/* Nobody waits for answers any more: the client is told, on the stream if there is one. */
void round_end(struct visit *v);
#endif
