/* SPDX-License-Identifier: Apache-2.0 */
/* facet.c - finding, making and forgetting facets.
 *
 * Counting: the server's map owns a facet, `refs` counts those who use it, and while there are any
 * it holds its server. From none to one and from one to none it goes under the server's lock only,
 * so that one without users can be freed there.
 *
 * Lists that are the same share their bytes: a caller's with everybody's. Whether a caller's list
 * is his own is a bit, not a copy: a server that keeps one state for all announces a change in
 * each session, and both fetches end with the same list. */
#include "facet.h"
#include "capability.h"
#include "catalog_read.h"
#include "forward.h"
#include "upstream_state.h"
#include "watch.h"
#include <stdlib.h>

enum { FACETS_MOST = 10000, ROOM = 2048 };
static const int64_t UNUSED_MS = 600000;

bool facet_is_one(const upstream *u)
{
    return u->of != u;
}

bool facet_shows(const upstream *u, catalog_kind kind)
{
    if (!facet_is_one(u)) return u->spec.lists != LISTS_CALLER;
    if (u->spec.lists == LISTS_CAPABILITIES) return !u->eye.caller_id.n;
    return u->spec.lists == LISTS_CALLER || (atomic_load(&u->own) & 1u << kind);
}

/* Making and freeing, under the server's lock */

static void destroy(upstream *f)
{
    for (upstream_catalog *c = f->lists; c < f->lists + CATALOG_KINDS; c++) {
        if (c->now) catalog_drop(c->now);
        free(c->waiters);
    }
    watch_free(f);
    if (f->eye.brought) arena_free(f->eye.brought);
    pthread_mutex_destroy(&f->lock);
    arena_free(f->arena);
}

static void forget(upstream *u, upstream *f)
{
    (void)map_del(u->facets, f->eye.isolation);
    atomic_fetch_sub(&u->facet_count, 1);
    destroy(f);
}

static int64_t unused_since(const void *f_, void *ctx)
{
    const upstream *f = f_;
    (void)ctx;
    return atomic_load(&f->refs) ? INT64_MAX : atomic_load(&f->eye.used_ms);
}

/* Those not used for long go, and the longest unused when there are too many. False: all are in
 * use. */
static bool make_room(upstream *u, int64_t now_ms)
{
    upstream *eldest = map_least(u->facets, unused_since, NULL);
    bool unused = eldest && now_ms - atomic_load(&eldest->eye.used_ms) > UNUSED_MS;
    bool full = map_count(u->facets) >= FACETS_MOST;
    if (eldest && (full || unused)) forget(u, eldest);
    return !full || eldest;
}

static upstream *make(upstream *u, const link_request *eye, str isolation)
{
    arena *a = arena_new_of(ROOM);
    upstream *f = NEW(a, upstream);
    f->of = u;
    f->arena = a;
    f->table = u->table;
    f->shared = u->shared;
    f->spec = u->spec; /* its views live as long as the server */
    f->eye.isolation = arena_dup(a, isolation);
    f->eye.caller_id = arena_dup(a, eye->caller_id);
    f->eye.session_id = arena_dup(a, eye->session_id);
    f->eye.capabilities = eye->capabilities;
    f->key = arena_fmt(a, STR_FMT "\n" STR_FMT, STR_ARG(u->key), STR_ARG(isolation));
    f->owner = upstream_worker_of(u, eye->caller_id);
    pthread_mutex_init(&f->lock, NULL);
    map_put(u->facets, f->eye.isolation, f);
    atomic_fetch_add(&u->facet_count, 1);
    return f;
}

void facets_free(upstream *u)
{
    size_t at = 0;
    str key;
    void *each;
    if (!u->facets) return;
    while (map_each(u->facets, &at, &key, &each)) forget(u, each);
    map_free(u->facets);
    u->facets = NULL;
}

void facet_release(upstream *f)
{
    upstream *u = f->of;
    pthread_mutex_lock(&u->lock);
    bool unused = atomic_fetch_sub(&f->refs, 1) == 1;
    bool plain = f->spec.lists == LISTS_SHARED && !atomic_load(&f->own);
    if (unused && plain) forget(u, f);
    pthread_mutex_unlock(&u->lock);
    if (unused) upstream_release(u);
}

upstream *facet_known(upstream *u, str isolation)
{
    if (!isolation.n || !atomic_load(&u->facet_count)) return NULL;
    pthread_mutex_lock(&u->lock);
    upstream *f = u->facets ? map_get(u->facets, isolation) : NULL;
    if (f) (void)upstream_hold(f);
    pthread_mutex_unlock(&u->lock);
    return f;
}

upstream **facets_all(arena *a, upstream *u)
{
    size_t n = 0, at = 0;
    str key;
    void *each;
    pthread_mutex_lock(&u->lock);
    upstream **row = NEW_N(a, upstream *, u->facets ? map_count(u->facets) + 1 : 1);
    while (u->facets && map_each(u->facets, &at, &key, &each)) row[n++] = upstream_hold(each);
    pthread_mutex_unlock(&u->lock);
    return row;
}

/* Whose it is */

static bool same_headers(const header *a, const header *b)
{
    for (; a && a->name.p; a++, b++)
        if (!b || !b->name.p || !str_eq(a->name, b->name) || !str_eq(a->value, b->value))
            return false;
    return !b || !b->name.p;
}

/* What is asked in between is asked with what the last request brought. */
static void remember(upstream *f, const link_request *eye)
{
    facet_eye *k = &f->eye;
    pthread_mutex_lock(&f->lock);
    bool same =
        str_eq(k->caller_token, eye->caller_token) && same_headers(k->headers, eye->headers);
    if (!same) {
        if (k->brought) arena_free(k->brought);
        k->brought = arena_new_of(ROOM);
        k->caller_token = eye->caller_token.p ? arena_dup(k->brought, eye->caller_token) : (str){0};
        k->headers = headers_copy(k->brought, eye->headers);
    }
    pthread_mutex_unlock(&f->lock);
}

void facet_fill(upstream *u, arena *a, link_request *rq)
{
    if (!facet_is_one(u)) return;
    const facet_eye *k = &u->eye;
    rq->caller_id = k->caller_id;
    rq->session_id = k->session_id;
    rq->capabilities = k->capabilities;
    pthread_mutex_lock(&u->lock);
    rq->caller_token = k->caller_token.p ? arena_dup(a, k->caller_token) : (str){0};
    rq->headers = headers_copy(a, k->headers);
    pthread_mutex_unlock(&u->lock);
}

/* As its calls are asked: so it shares their session. */
static link_request eye_of(const visit *v, upstream *u, bool by_capabilities)
{
    bool modern = v->q.speaks == &dialect_modern;
    unsigned can = modern ? capability_bits(v->q.meta.capabilities, MCP_2026_07_28)
                          : v->q.session.capabilities;
    link_request eye = {.to = u, .capabilities = can & ~(unsigned)CAN_FOLLOW_TASKS};
    if (by_capabilities) return eye;
    eye.caller_id = v->who->id;
    if (v->q.has_session) eye.session_id = session_text(v->a, &v->q.session);
    forward_fill(v, &u->spec, &eye);
    return eye;
}

static upstream *find_or_make(const visit *v, upstream *u, bool by_capabilities)
{
    int64_t now_ms = loop_now_ms(v->w->loop);
    link_request eye = eye_of(v, u, by_capabilities);
    str isolation = link_isolation(v->a, &eye);
    if (!isolation.n) return NULL;
    pthread_mutex_lock(&u->lock);
    if (!u->facets) u->facets = map_new(NULL);
    upstream *f = map_get(u->facets, isolation);
    if (!f && make_room(u, now_ms)) f = make(u, &eye, isolation);
    if (f) (void)upstream_hold(f);
    pthread_mutex_unlock(&u->lock);
    if (!f) return NULL;
    atomic_store(&f->eye.used_ms, now_ms);
    remember(f, &eye);
    return f;
}

upstream *facet_of_caller(const visit *v, upstream *u)
{
    bool stateless =
        u->spec.kind == UPSTREAM_HTTP && upstream_era_now(u, loop_now_ms(v->w->loop)) == ERA_MODERN;
    if (stateless && u->spec.lists == LISTS_SHARED) return NULL;
    return find_or_make(v, u, u->spec.lists == LISTS_CAPABILITIES);
}

upstream *facet_of_session(const visit *v, upstream *u)
{
    return find_or_make(v, u, false);
}

/* Lists */

/* A list that cannot be had as one's own is everybody's where that is the rule; else there is none:
 * no caller is shown what was fetched for another. */
static catalog_view look(mcp_worker *w, upstream *f, upstream *u, catalog_kind kind, handle waiter,
                         bool again)
{
    catalog_view view = {0};
    bool own = f && facet_shows(f, kind);
    if (own) view = catalog_want(w, f, kind, waiter, again);
    if (view.now || view.pending || view.none || (!f && !facet_shows(u, kind))) return view;
    if (own && u->spec.lists != LISTS_SHARED) return view;
    return catalog_want(w, u, kind, waiter, again);
}

catalog_view facet_look(mcp_worker *w, upstream *facet, upstream *u, catalog_kind kind, bool again)
{
    return look(w, facet, u, kind, 0, again);
}

static upstream *facet_at(const visit *v, upstream *u)
{
    if (u->spec.lists != LISTS_SHARED)
        return find_or_make(v, u, u->spec.lists == LISTS_CAPABILITIES);
    if (!atomic_load(&u->facet_count)) return NULL;
    link_request eye = eye_of(v, u, false);
    return facet_known(u, link_isolation(v->a, &eye));
}

catalog_view facet_catalog(const visit *v, upstream *u, catalog_kind kind, handle waiter,
                           bool again)
{
    upstream *f = facet_at(v, u);
    catalog_view view = look(v->w, f, u, kind, waiter, again);
    if (f) upstream_release(f);
    return view;
}

void facet_stale(const visit *v, upstream *u, catalog_kind kind)
{
    upstream *f = facet_at(v, u);
    if (f) catalog_stale(f, kind);
    catalog_stale(u, kind);
    if (f) upstream_release(f);
}

static void settle(upstream *f, catalog_kind kind, const catalog *common)
{
    const catalog *drop = NULL;
    pthread_mutex_lock(&f->lock);
    upstream_catalog *c = &f->lists[kind];
    bool done = c->fresh_until_ms && !c->running; /* else another is on its way */
    bool same = done && c->now && common && str_eq(c->now->hash, common->hash);
    if (same && c->now != common) {
        drop = c->now;
        c->now = catalog_hold(common);
    }
    if (same) atomic_fetch_and(&f->own, ~(1u << kind));
    pthread_mutex_unlock(&f->lock);
    if (drop) catalog_drop(drop);
}

void facet_published(upstream *u, catalog_kind kind)
{
    upstream *of = u->of;
    if (!atomic_load(&of->facet_count)) return;
    arena *a = arena_new();
    pthread_mutex_lock(&of->lock);
    const catalog *common = catalog_hold(of->lists[kind].now);
    pthread_mutex_unlock(&of->lock);
    if (facet_is_one(u)) {
        settle(u, kind, common);
    } else {
        for (upstream **f = facets_all(a, of); *f; f++) {
            settle(*f, kind, common);
            upstream_release(*f);
        }
    }
    if (common) catalog_drop(common);
    arena_free(a);
}

upstream *facet_differs(upstream *u, str isolation, unsigned kinds)
{
    upstream *f = facet_known(u->of, isolation);
    if (f) atomic_fetch_or(&f->own, kinds);
    return f;
}
