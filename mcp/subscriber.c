/* SPDX-License-Identifier: Apache-2.0 */
#include "subscriber.h"
#include "../base/map.h"
#include "facet.h"
#include "link.h"
#include "upstream_state.h"
#include "watch.h"
#include <stdlib.h>

enum { ROOM = 256 };

struct subscriber {
    mcp_worker *w;
    upstream *u;
    handle self;
    map *told;       /* by URI */
    unsigned saying; /* how many words are not answered yet */
    uint64_t epoch;  /* of what was said last */
    void (*known)(void *ctx);
    void *ctx;
};

/* They come and go: a small arena each. */
typedef struct {
    arena *a; /* it lives there */
    str uri;
    bool wanted;
} told;

static const char subscriber_type; /* its address marks our handles */

subscriber *subscriber_new(mcp_worker *w, upstream *u, void (*known)(void *ctx), void *ctx)
{
    subscriber *s = calloc(1, sizeof *s);
    if (!s) abort();
    *s = (subscriber){.w = w, .u = u, .told = map_new(NULL), .known = known, .ctx = ctx};
    s->self = handle_add(loop_handles(w->loop), &subscriber_type, s);
    return s;
}

static void drop(subscriber *s, told *t)
{
    (void)map_del(s->told, t->uri);
    arena_free(t->a);
}

void subscriber_forget(subscriber *s)
{
    size_t at = 0;
    str key;
    void *each;
    while (map_each(s->told, &at, &key, &each)) drop(s, each);
}

void subscriber_free(subscriber *s)
{
    handle_drop(loop_handles(s->w->loop), s->self);
    subscriber_forget(s);
    map_free(s->told);
    free(s);
}

static void nothing_heard(void *s, str method, js_value params)
{
    (void)s;
    (void)method;
    (void)params;
}

static void said(void *s_, js_value result, js_value error, const err *why)
{
    subscriber *s = s_;
    (void)result;
    (void)error;
    (void)why;
    if (--s->saying) return;
    watch_stood(s->u, s->epoch);
    s->known(s->ctx);
}

static void say(subscriber *s, str method, str uri)
{
    static const link_events events = {.notice = nothing_heard, .done = said};
    buf b = buf_new(NULL, SIZE_MAX / 2);
    buf_put(&b, S("\"uri\":"));
    buf_json(&b, uri);
    arena *a = arena_new();
    link_request rq = {.to = s->u, .method = method, .params = buf_str(&b), .uncounted = true};
    facet_fill(s->u, a, &rq);
    s->saying++;
    (void)link_start(s->w, &rq, &subscriber_type, s->self, &events);
    arena_free(a);
    buf_free(&b);
}

static void want(subscriber *s, str uri)
{
    told *t = map_get(s->told, uri);
    if (!t) {
        arena *a = arena_new_of(ROOM);
        t = NEW(a, told);
        t->a = a;
        t->uri = arena_dup(a, uri);
        map_put(s->told, t->uri, t);
        say(s, S("resources/subscribe"), uri);
    }
    t->wanted = true;
}

bool subscriber_tell(subscriber *s)
{
    arena *a = arena_new();
    size_t n = 0, at = 0;
    str key;
    void *each;
    const str *uris = watch_list(s->u, WATCH_RESOURCE, a, &n, &s->epoch);
    while (map_each(s->told, &at, &key, &each)) ((told *)each)->wanted = false;
    for (size_t i = 0; i < n; i++) want(s, uris[i]);
    for (at = 0; map_each(s->told, &at, &key, &each);) {
        told *t = each;
        if (t->wanted) continue;
        say(s, S("resources/unsubscribe"), t->uri);
        drop(s, t);
    }
    if (!s->saying) watch_stood(s->u, s->epoch);
    arena_free(a);
    return !s->saying;
}
