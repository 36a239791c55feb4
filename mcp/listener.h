/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - the open streams of one worker, and what each is owed.
 *
 * A listener is a client that waits to be told: subscriptions/listen of the new era or the GET
 * stream of the old one. What it is owed is a set, never a queue: a list changed, or it did not.
 * So a client that reads slowly costs nothing but its place. It is owed a list's change only when
 * the list *it* would be given is another than before, by the rules and the catalogs of now.
 * The table looks at its listeners a few times a second: is the caller still who he was (his token,
 * its issuer's keys), does his endpoint still exist, has something changed. It never runs a step;
 * it wakes the flow, whose step writes. Ownership: a listener lives in its exchange's arena and
 * keeps no snapshot. Threads: its worker's, but for tell and hint. */
#ifndef SP_MCP_LISTENER_H
#define SP_MCP_LISTENER_H
#include "catalog.h"
#include "corridor.h"

enum {
    LIST_TOOLS = 1 << 0,
    LIST_PROMPTS = 1 << 1,
    LIST_RESOURCES = 1 << 2,
    LISTS = 3 /* kinds */
};
unsigned listener_list_of(catalog_kind k); /* one bit */
extern const str listener_notices[LISTS];  /* "notifications/tools/list_changed", … */

typedef struct listener {
    struct listener *prev, *next; /* private to listener.c, up to `owed` */
    visit *v;
    const mcp_endpoint *at; /* of the worker's present configuration */
    upstream **servers;     /* held; ends with NULL */
    upstream **sides;       /* held: the caller's facet of each; NULL: none */
    str bond;               /* the endpoint it was opened at */
    uint64_t seen[LISTS];   /* what its caller would be listed, at last look */
    bool based;             /* seen[] is set */
    unsigned dirty; /* lists to be looked at again; before there is a base: to be told then */
    int64_t opened_ms, check_ms, look_ms[LISTS];
    bool listed;               /* in the table */
    struct watching *watches;  /* watching.c */
    struct following *follows; /* following.c */
    unsigned looks;            /* under way, also those nobody waits for any more */
    bool let_go;               /* its exchange is released with the last of them */
    unsigned wants, owed;      /* LIST_* */
    bool over;                 /* to be ended: its caller or its endpoint is no more */
    bool quiet;                /* nothing was said for a while: a comment is due */
    int64_t said_ms;
    int64_t asked_ms; /* since when its issuer is being asked about its token; 0: it is not */
} listener;

/* l->v and l->wants are set. The request's configuration is let go of. */
void listener_open(listener *l);
void listener_close(listener *l); /* twice is fine */
/* Does every server know that it is listened to, as far as it will? */
bool listener_stands(const listener *l);
/* A comment, when nothing was said for a while. */
void listener_breathe(listener *l, sink *out, bool *full);

/* Lists of this server are others now. Any thread. */
void listener_tell(upstream *u, unsigned lists);
/* It says they will be. Matters only to those who have nothing to compare with yet. Any thread. */
void listener_hint(upstream *u, unsigned lists);

/* What a server said, for every listener of every worker. Any thread; `about` is copied. */
typedef struct {
    upstream *from;
    str about; /* which of its resources or tasks; {0}: none */
    unsigned lists;
    bool hint;
} listener_news;
typedef void listener_fn(listener *l, const listener_news *news); /* on its worker */
void listeners_hear(const listener_news *news, listener_fn *hears);

void listeners_each(struct listeners *t, void (*fn)(listener *l, void *ctx), void *ctx);
struct listeners *listeners_new(mcp_worker *w);
void listeners_take(struct listeners *t); /* the worker's configuration is another */
void listeners_end(struct listeners *t, const session *s); /* it was ended: so are its streams */
void listeners_free(struct listeners *t);

/* The list is always the same here: that of a search endpoint's two tools. */
bool listener_is_fixed(const listener *l, unsigned list);
/* listen_view.c: a number for what this caller would be listed now. */
uint64_t listen_view(const listener *l, unsigned list);
#endif
