/* SPDX-License-Identifier: Apache-2.0 */
/* link_flight.h - what crosses between a call and the owner of the child that serves it.
 *
 * Private to link_stdio.c (the call's worker) and link_child.c (the child's). A flight is the
 * letter that brings the request, and stays with the owner until it is answered, cancelled or lost.
 * Whole messages come back, each in a letter of its own. The pipe bounds how many bytes of notices
 * may be under way for one call; what is over it is dropped, so a child is never stalled by a slow
 * caller. */
#ifndef SP_MCP_LINK_FLIGHT_H
#define SP_MCP_LINK_FLIGHT_H
#include "link_table.h"

typedef struct link_pipe {
    atomic_uint refs;
    atomic_long bytes; /* of notices that were sent and not yet read */
    atomic_bool sent;  /* the child may have the request */
} link_pipe;
enum { LINK_CREDIT = 256 * 1024 };
void link_flight_unref(link_pipe *p);

struct link_child;
typedef struct link_flight {
    letter mail;
    arena *arena;
    mcp_worker *at; /* the owner's */
    upstream *u;    /* held */
    str isolation, caller_id;
    str authorization; /* HTTP+SSE: when it is no fixed one; {0} */
    handle asker;
    int64_t id;            /* on the wire; unique in the process */
    link_request rq;       /* method, params, meta, progress, log_level, capabilities */
    unsigned can_ask;      /* what a new child is told */
    link_pipe *pipe;       /* counted */
    struct link_child *on; /* the owner's: */
    struct link_flight *prev, *next;
    bool sent;
} link_flight;

void link_flight_free(link_flight *f);
/* Back to the call. The message's views are in `line`, which is copied. */
void link_flight_answer(const link_flight *f, str line, const link_message *m);
void link_flight_notice(const link_flight *f, str line, const link_message *m);
void link_flight_began(const link_flight *f); /* endless: its server is listened to */
void link_flight_fail(const link_flight *f, const err *why);
/* The server asks something, or takes it back, on this flight; the child `asker` gets the answer.
 */
void link_flight_question(const link_flight *f, handle asker, str line, const link_message *m);

/* link_child.c */
void link_child_board(link_flight *f);
void link_child_leave(link_table *t, int64_t id);
void link_child_hear(mcp_worker *w, handle to, str id, str said); /* the answer to a question */
#endif
