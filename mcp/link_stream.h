/* SPDX-License-Identifier: Apache-2.0 */
/* link_stream.h - a server that speaks HTTP+SSE (2024-11-05), as a pipe for whole messages.
 *
 * One GET stands open and brings all that the server says; its first event names the address to
 * which each of our messages is posted. The address must be of the server's own origin. So it is
 * used as a child's pipes are (child_events): `started` when the address is known, a `line` for
 * each message, `exited` once and last. A message that is not taken ends it, since nobody would
 * answer. Private to link_child.c. Threads: its worker's. No event comes from inside
 * link_stream_open() or link_stream_send(). */
#ifndef SP_MCP_LINK_STREAM_H
#define SP_MCP_LINK_STREAM_H
#include "link_table.h"

typedef struct link_stream link_stream;
/* `authorization`: the value of its header when it is no fixed one; {0}. A server that refuses it
 * is shown another the next time (link_token.h). */
link_stream *link_stream_open(link_table *t, upstream *u, str authorization, const void *type,
                              handle owner, const child_events *ev);
void link_stream_authorize(link_stream *s, str authorization); /* what is sent from now on */
/* Copied. False: too much waits to be taken, or it is not open. */
bool link_stream_send(link_stream *s, str message);
void link_stream_pause(link_stream *s);
void link_stream_resume(link_stream *s);
void link_stream_end(link_stream *s); /* no more events; the pointer is dead */

/* The target of a POST, from what the `endpoint` event said. For tests. */
MUST_CHECK const err *link_stream_target(arena *a, str base, str said, str *target);
#endif
