/* SPDX-License-Identifier: Apache-2.0 */
/* tape_sink.h - a streamed answer that is kept on a tape while it is sent.
 *
 * Whoever writes events into it need not know: each whole event gets its id and goes on the tape,
 * and from there to the client as fast as that takes them. When the client is gone the events go
 * on being kept. Comments pass by the tape. Ownership: lives in the visit's arena. Threads: its
 * worker's. */
#ifndef SP_MCP_TAPE_SINK_H
#define SP_MCP_TAPE_SINK_H
#include "corridor.h"
#include "tape.h"

typedef struct tape_sink tape_sink;
/* `to` is the exchange's. `priming`: an event with an id and no data comes first. */
sink *tape_sink_new(visit *v, tape *t, sink *to, bool priming);
tape *tape_of_visit(const visit *v); /* NULL: it is not kept */
void tape_sink_end(visit *v);        /* at settle */
#endif
