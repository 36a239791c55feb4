/* SPDX-License-Identifier: Apache-2.0 */
/* link_session.h - a session with a legacy HTTP upstream: who opened it publishes it, whoever calls
 * takes it and gives it back. Private to link*.c and feed.c. */
#ifndef SP_MCP_LINK_SESSION_H
#define SP_MCP_LINK_SESSION_H
#include "link_table.h"

typedef struct link_session {
    atomic_uint refs, in_use;
    atomic_uint ears;          /* of those in use: streams that only listen */
    _Atomic(handle) log_taker; /* the last call that wants log messages; 0: none */
    atomic_bool logs_inline;   /* the server sends them on the stream of their call */
    atomic_int_fast64_t used_ms;
    arena *arena;
    str isolation, id, protocol; /* id "": the server has no sessions */
    str authorization;           /* of whoever had it opened; {0}: the fixed one */
    uint64_t epoch;
    link_log log;
} link_session;
link_session *link_session_take(upstream *u, str isolation, uint64_t stale_epoch,
                                int64_t now_ms); /* NULL: want one */
void link_session_give(link_session *s, int64_t now_ms);
void link_session_want(link_want *want);
bool link_session_is_open(const link_table *t, str key);
/* Whoever listens to it does so now, or never will: calls may go. */
void link_session_heard(link_table *t, str key);
size_t link_session_headers(arena *a, const link_session *s, header *out); /* at most 2 */
/* One message nobody waits for: a cancellation, the answer to a question. */
void link_session_tell(link_table *t, upstream *u, const link_session *s,
                       void (*write)(buf *b, const void *what), const void *what);
void link_session_sweep(link_table *t);
void link_session_free(link_table *t);
#endif
