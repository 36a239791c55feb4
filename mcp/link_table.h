/* SPDX-License-Identifier: Apache-2.0 */
/* link_table.h - one worker's part in speaking to upstreams, and what the link files share.
 *
 * Private to link*.c. A call lives on the worker that asks. What stands between calls has one
 * owner: a probe (link_era.c), a session (link_session.c), a child (link_child.c). Whoever needs
 * one posts a letter to it and waits; the answer names the call's handle, which may be gone. */
#ifndef SP_MCP_LINK_TABLE_H
#define SP_MCP_LINK_TABLE_H
#include "link_message.h"
#include "link_post.h"
#include "upstream_state.h"

typedef struct link_table link_table;
typedef struct token_fetch token_fetch;
struct link_table {
    mcp_worker *w;
    int64_t ids;
    link_call *calls;
    link_post *posts;
    token_fetch *fetches; /* link_token.c */
    map *probes;          /* upstream key -> link_era.c */
    map *sessions;        /* upstream key and isolation id -> link_session.c */
    map *children;        /* likewise -> link_child.c */
    map *flights;         /* the asking call's handle -> link_child.c */
    loop_timer sweep;     /* looks for what is idle, while there is anything */
    arena_spares arenas;  /* of calls and posts */
};
int64_t link_table_id(link_table *t);      /* unique in the process, never 0, below 2^53 */
void link_table_sweep_soon(link_table *t); /* something stands now that may become idle */
handle_table *link_table_handles(const link_table *t);

/* A question of the server's that somebody will answer. */
typedef struct link_open {
    struct link_open *next;
    str id, method; /* heap, one block with it */
    handle child;   /* stdio: who asked; HTTP: 0 or LINK_APART */
} link_open;
enum { LINK_OPEN_MOST = 16 };
#define LINK_APART                                                                                 \
    UINT64_MAX /* on the stream of its session, so perhaps for another of his calls */

struct link_call {
    link_table *t;
    arena *arena;
    handle self;
    link_call *prev, *next;
    link_request rq; /* copied, views in the arena */
    upstream *u;     /* held */
    str isolation;   /* isolation id; "" is everybody's */
    const void *type;
    handle owner;
    link_events ev;
    loop_timer deadline;
    const err *later; /* to be told at the next turn */
    int64_t id, started_us;
    str authorization;           /* HTTP: its value when it is no fixed one; link_token.c */
    const header *param_headers; /* HTTP: Mcp-Param-*; NULL: none */
    link_post *post;
    upstream_era era;             /* in which it was sent */
    struct link_session *session; /* legacy HTTP: in use */
    uint64_t stale_epoch;         /* the session the server no longer knew */
    bool listens, waits_for_logs; /* it is counted as an ear; its answer was held back once */
    js_value held_result, held_error;
    struct link_pipe *pipe;   /* stdio: shared with the child's owner */
    unsigned can_ask, lacked; /* what the server was told the client can; what it asked in vain */
    link_open *open;
    breaker_state passed; /* OPEN: it never went */
    unsigned waits;
    bool renewed, reprobed, token_renewed, user_asked, in_own_name, counted, in_event, dead, sent;
};
/* link.c */
void link_call_go(link_call *c); /* chooses the way; may be called again */
void link_call_began(link_call *c);
bool link_call_hears(link_call *c, str method, js_value params); /* false: the call is gone now */
void link_call_done(link_call *c, js_value result, js_value error,
                    const err *why); /* c is dead after it */
void link_call_fail(link_call *c, err_kind kind, str text);
void link_call_fail_soon(link_call *c, err_kind kind, str text); /* also from within link_start() */
void link_call_deadline(void *c);                                /* its timer's */
/* link_question.c: true when somebody takes it. `asker`: as in link_open. */
bool link_call_asked(link_call *c, const link_message *m, handle asker);
void link_call_withdrawn(link_call *c, js_value id);
void link_call_decline(link_call *c);   /* all that are open, as from a client that has gone */
void link_call_forget(link_call *c);    /* in silence: the server has ended or answered */
void link_call_end_apart(link_call *c); /* it was answered: declines what came apart */
void link_call_wake(mcp_shared *s, handle h, const err *why); /* any worker: go on, or fail */
link_call *link_call_of(const mcp_worker *w, handle h);       /* NULL: gone */

/* A letter to an owner: somebody waits for an era or a session. */
typedef struct link_want {
    letter mail;
    arena *arena;
    mcp_worker *at;
    upstream *u; /* held */
    str isolation, caller_id, authorization;
    unsigned capabilities;
    uint64_t stale_epoch;
    handle asker;
} link_want;
void link_want_post(link_call *c, unsigned owner, void (*deliver)(link_want *want));
void link_want_free(link_want *want);

/* A row of handles that wait for the same thing; heap, since it outlives everyone in it. */
typedef struct {
    handle *row;
    size_t n, room;
} link_waiters;
void link_waiters_add(link_waiters *w, handle h);
void link_waiters_wake(link_waiters *w, mcp_shared *s, const err *why); /* all, and empties it */

/* link_http.c */
void link_http_leave(link_call *c); /* its session */
void link_http_go(link_call *c);
void link_http_cancel(link_call *c);
void link_http_say(link_call *c, str id, str said);
/* link_era.c */
void link_era_want(link_want *want);
void link_era_free(link_table *t);
struct link_session; /* link_session.h */
/* link_stdio.c */
void link_stdio_go(link_call *c);
void link_stdio_cancel(link_call *c);
void link_stdio_forget(link_call *c);                               /* gives the pipe back */
bool link_stdio_was_sent(const link_call *c);                       /* can the child have it? */
void link_stdio_say(mcp_shared *s, handle asker, str id, str said); /* to the child that asked */
/* link_child.c */
void link_child_sweep(link_table *t);
void link_child_free(link_table *t);
bool link_child_is_there(const link_table *t, str key);
#endif
