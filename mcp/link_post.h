/* SPDX-License-Identifier: Apache-2.0 */
/* link_post.h - one JSON-RPC message to an HTTP upstream, and everything that comes back for it.
 *
 * Private to link*.c. Reads JSON and event-stream answers alike. An answer is a message with our
 * id; notices and the server's questions are reported as they come, all else is ignored. After
 * `done` the post may live on for a moment, alone, so that its connection ends clean and is kept.
 * Ownership: a post has its own arena; the user drops its pointer at `done`, or cancels.
 * Threads: its worker's. No event from inside link_post_send(), none after link_post_cancel(). */
#ifndef SP_MCP_LINK_POST_H
#define SP_MCP_LINK_POST_H
#include "link_message.h"

typedef struct link_post link_post;
struct link_table;

typedef struct {
    const err *why;      /* it failed; then the rest is what was known till then */
    int status;          /* 0: no answer's head came */
    bool unsent;         /* nothing of it can have reached the server */
    link_message answer; /* LINK_JUNK: none. In a refusal (4xx) its id may be missing */
    str session_id;      /* the server's Mcp-Session-Id; {0} */
    str challenge;       /* of a 401 or 403: WWW-Authenticate; {0} */
} link_post_end;

typedef struct {
    void (*began)(void *ctx);                                         /* NULL; its event stream */
    void (*notice)(void *ctx, arena *scratch, const link_message *m); /* NULL: ignored */
    void (*asked)(void *ctx, const link_message *m);                  /* NULL: ignored */
    void (*done)(void *ctx, const link_post_end *end); /* once, last; NULL: nobody cares */
} link_post_events;

typedef struct {
    str verb;              /* {0}: POST */
    int64_t id;            /* of the request; 0: nothing to be answered */
    const header *headers; /* ends with {0}; in the post's arena. Media types and auth are added */
    str authorization;     /* {0}: as the server's spec says */
    int64_t timeout_ms;    /* 0: the user keeps the time */
    bool no_retry;
    bool resumable; /* a stream that breaks off is gone on with (old era); not with timeout_ms */
    const link_post_events *events; /* NULL: nobody listens */
    void *ctx;
} link_post_request;

link_post *link_post_new(struct link_table *t, upstream *to);
arena *link_post_arena(link_post *p);
buf *link_post_body(link_post *p); /* to be filled before sending */
void link_post_send(link_post *p, const link_post_request *rq);
bool link_post_unsent(const link_post *p); /* until now */
void link_post_cancel(link_post *p);
void link_post_free_all(struct link_table *t);
#endif
