/* SPDX-License-Identifier: Apache-2.0 */
/* link_session.c - sessions with legacy HTTP upstreams.
 *
 * One session per (upstream, isolation id). Its owner (the worker the caller hashes to) opens it,
 * once for all who wait, renews it when the server has forgotten it, and ends it when it
 * has been idle. What the others need, the id and the revision, is published in the upstream
 * under its lock, counted, with the number of calls that use it; an entry in use is never
 * ended. Renewing is by epoch: who comes with the epoch of a session that is gone gets
 * the newer one, however many came. (MCP 2025-11-25 basic/transports, session management.) */
#include "link_session.h"
#include "feed.h"
#include "offer.h"
#include <stdlib.h>

enum { PER_CALLER = 8 };
static const int64_t IDLE_MS = 600000, OPEN_MS = 30000, HEARD_MS = 1000;

/* The owner's side. */
typedef struct {
    link_table *t;
    upstream *u;                   /* held */
    str key, caller_id, isolation; /* heap, one block with it */
    unsigned capabilities;
    link_session *open; /* counted; NULL: not yet, or being renewed */
    link_session *opening;
    link_post *post;
    link_waiters waiters;
    loop_timer late; /* runs while they wait for somebody to listen first */
    arena *arena;
} session;

/* What is published */

static void unref(link_session *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1) arena_free(s->arena);
}

link_session *link_session_take(upstream *u, str isolation, uint64_t stale_epoch, int64_t now_ms)
{
    pthread_mutex_lock(&u->lock);
    link_session *s = map_get(u->sessions, isolation);
    if (s && s->epoch <= stale_epoch) s = NULL;
    if (s) {
        atomic_fetch_add(&s->refs, 1);
        atomic_fetch_add(&s->in_use, 1);
        atomic_store(&s->used_ms, now_ms);
    }
    pthread_mutex_unlock(&u->lock);
    return s;
}

void link_session_give(link_session *s, int64_t now_ms)
{
    atomic_store(&s->used_ms, now_ms);
    atomic_fetch_sub(&s->in_use, 1);
    unref(s);
}

static void publish(session *o, link_session *s)
{
    atomic_fetch_add(&s->refs, 1);
    pthread_mutex_lock(&o->u->lock);
    map_put(o->u->sessions, s->isolation, s);
    pthread_mutex_unlock(&o->u->lock);
}

/* Who only listens is no hindrance: what he would hear of is what its calls change. */
static bool in_use(const link_session *s)
{
    return atomic_load(&s->in_use) > atomic_load(&s->ears);
}

/* False: somebody uses it, and `even_busy` was not said. */
static bool unpublish(session *o, bool even_busy)
{
    link_session *s = o->open;
    pthread_mutex_lock(&o->u->lock);
    bool free_now = even_busy || !in_use(s);
    bool there = free_now && map_get(o->u->sessions, s->isolation) == s;
    if (there) (void)map_del(o->u->sessions, s->isolation);
    pthread_mutex_unlock(&o->u->lock);
    if (there) unref(s);
    return free_now;
}

size_t link_session_headers(arena *a, const link_session *s, header *out)
{
    size_t n = 0;
    if (s->id.n) out[n++] = (header){S("Mcp-Session-Id"), arena_dup(a, s->id)};
    /* the header came with 2025-06-18; revisions compare as text */
    if (s->protocol.n == 10 && memcmp(s->protocol.p, "2025-06-18", 10) >= 0) {
        out[n++] = (header){S("MCP-Protocol-Version"), arena_dup(a, s->protocol)};
    }
    return n;
}

static link_post *post_to(link_table *t, upstream *u, const link_session *s, const header **headers)
{
    link_post *p = link_post_new(t, u);
    header *row = NEW_N(link_post_arena(p), header, 3);
    (void)link_session_headers(link_post_arena(p), s, row);
    *headers = row;
    return p;
}

void link_session_tell(link_table *t, upstream *u, const link_session *s,
                       void (*write)(buf *b, const void *what), const void *what)
{
    const header *headers;
    link_post *p = post_to(t, u, s, &headers);
    write(link_post_body(p), what);
    link_post_send(p, &(link_post_request){.headers = headers,
                                           .authorization = s->authorization,
                                           .timeout_ms = OPEN_MS});
}

/* The end of one */

static void destroy(session *o)
{
    loop_timer_stop(o->t->w->loop, &o->late);
    (void)map_del(o->t->sessions, o->key);
    if (o->post) link_post_cancel(o->post);
    unref(o->open);
    unref(o->opening);
    free(o->waiters.row);
    upstream_cap_give(o->u, CAP_SESSIONS);
    upstream_release(o->u);
    arena_free(o->arena);
}

static void say_goodbye(const session *o)
{
    const header *headers;
    if (!o->open->id.n) return;
    link_post *p = post_to(o->t, o->u, o->open, &headers);
    link_post_send(p, &(link_post_request){.verb = S("DELETE"),
                                           .headers = headers,
                                           .authorization = o->open->authorization,
                                           .timeout_ms = 5000});
}

/* False: it is in use. */
static bool end_idle(session *o)
{
    if (!o->open || o->post || o->waiters.n || !unpublish(o, false)) return false;
    say_goodbye(o);
    destroy(o);
    return true;
}

/* Its beginning */

static void let_go(void *o_)
{
    session *o = o_;
    loop_timer_stop(o->t->w->loop, &o->late);
    link_waiters_wake(&o->waiters, o->t->w->shared, NULL);
}

static void opened(session *o, const err *why)
{
    link_waiters waiters = o->waiters;
    o->waiters = (link_waiters){0};
    if (why) {
        upstream_is_down(o->u, why->text);
    } else {
        o->open = o->opening;
        o->opening = NULL;
        publish(o, o->open);
    }
    if (!why && feed_session_opened(o->t->w, o->u, o->isolation)) {
        o->waiters = waiters;
        loop_timer_start(o->t->w->loop, &o->late, HEARD_MS, let_go, o);
    } else {
        link_waiters_wake(&waiters, o->t->w->shared, why);
    }
    if (why)
        destroy(o);
    else
        link_table_sweep_soon(o->t);
}

bool link_session_is_open(const link_table *t, str key)
{
    const session *o = map_get(t->sessions, key);
    return o && o->open;
}

void link_session_heard(link_table *t, str key)
{
    session *o = map_get(t->sessions, key);
    if (o && o->late.heap_at) let_go(o);
}

static const err *refusal(session *o, const link_post_end *end)
{
    arena *a = o->opening->arena;
    str name = o->u->spec.name;
    bool refused = end->status == 401 || end->status == 403;
    if (refused)
        return err_new(a, ERR_UPSTREAM, STR_FMT " refused our credential (HTTP %d)", STR_ARG(name),
                       end->status);
    /* perhaps it was never legacy: ask again next time */
    if (end->status >= 400 && end->status < 500) upstream_era_is(o->u, ERA_UNKNOWN, 0);
    if (end->status >= 300)
        return err_new(a, ERR_UPSTREAM, STR_FMT " answered HTTP %d to initialize", STR_ARG(name),
                       end->status);
    if (end->why) return err_new(a, end->why->kind, STR_FMT, STR_ARG(end->why->text));
    if (!end->answer.result.kind)
        return err_new(a, ERR_UPSTREAM, STR_FMT " refused to initialize", STR_ARG(name));
    return NULL;
}

/* A server that dislikes the notification is still a server; the first call will tell. */
static void announced(void *o_, const link_post_end *end)
{
    session *o = o_;
    o->post = NULL;
    opened(o, end->status ? NULL : end->why);
}

static void announce(session *o)
{
    static const link_post_events events = {.done = announced};
    const header *headers;
    o->post = post_to(o->t, o->u, o->opening, &headers);
    link_message_initialized(link_post_body(o->post));
    const link_post_request rq = {.headers = headers,
                                  .authorization = o->opening->authorization,
                                  .timeout_ms = OPEN_MS,
                                  .events = &events,
                                  .ctx = o};
    link_post_send(o->post, &rq);
}

static void initialized(void *o_, const link_post_end *end)
{
    session *o = o_;
    link_session *s = o->opening;
    o->post = NULL;
    const err *why = refusal(o, end);
    js_value version = js_get(end->answer.result, S("protocolVersion"));
    if (!why && !link_message_knows(version)) {
        why = err_new(s->arena, ERR_UPSTREAM, STR_FMT " speaks no revision we know",
                      STR_ARG(o->u->spec.name));
    }
    if (why) {
        opened(o, why);
        return;
    }
    offer_heard(o->u, end->answer.result);
    s->protocol = arena_dup(s->arena, js_text(s->arena, version));
    link_log_init(&s->log, end->answer.result);
    s->id = end->session_id.p ? arena_dup(s->arena, end->session_id) : S("");
    announce(o);
}

static void initialize(session *o, str authorization)
{
    static const link_post_events events = {.done = initialized};
    arena *a = arena_new();
    link_session *s = NEW(a, link_session);
    s->arena = a;
    s->isolation = arena_dup(a, o->isolation);
    s->authorization = authorization.p ? arena_dup(a, authorization) : authorization;
    s->epoch = atomic_fetch_add(&o->u->epochs, 1) + 1;
    atomic_init(&s->refs, 1);
    atomic_init(&s->used_ms, loop_now_ms(o->t->w->loop));
    o->opening = s;
    int64_t id = link_table_id(o->t);
    o->post = link_post_new(o->t, o->u);
    link_message_initialize(link_post_body(o->post), id, o->capabilities);
    const link_post_request rq = {.id = id,
                                  .authorization = s->authorization,
                                  .timeout_ms = OPEN_MS,
                                  .events = &events,
                                  .ctx = o};
    link_post_send(o->post, &rq);
}

/* Caps: a caller's eldest idle session makes room for his next, anybody's when there are too many.
 */

typedef struct {
    const link_want *of_caller; /* NULL: of anybody */
    size_t n;                   /* how many there are */
} census;

static int64_t idle_since(const void *o_, void *ctx)
{
    const session *o = o_;
    census *c = ctx;
    const link_want *his = c->of_caller;
    if (his && (o->u != his->u || !str_eq(o->caller_id, his->caller_id))) return INT64_MAX;
    c->n++;
    bool idle = o->open && !o->post && !o->waiters.n && !in_use(o->open);
    return idle ? atomic_load(&o->open->used_ms) : INT64_MAX;
}

static bool has_room(link_table *t, const link_want *want)
{
    census his = {.of_caller = want}, all = {0};
    session *old = map_least(t->sessions, idle_since, &his);
    if (his.n >= PER_CALLER && !(old && end_idle(old))) return false;
    if (upstream_cap_take(want->u, CAP_SESSIONS)) return true;
    old = map_least(t->sessions, idle_since, &all);
    return old && end_idle(old) && upstream_cap_take(want->u, CAP_SESSIONS);
}

static session *begin(link_table *t, const link_want *want, str key)
{
    arena *a = arena_new();
    session *o = NEW(a, session);
    o->arena = a;
    o->t = t;
    o->u = upstream_hold(want->u);
    o->key = arena_dup(a, key);
    o->caller_id = arena_dup(a, want->caller_id);
    o->isolation = arena_dup(a, want->isolation);
    o->capabilities = want->capabilities;
    map_put(t->sessions, o->key, o);
    initialize(o, want->authorization);
    return o;
}

static void refuse(const link_want *want, err_kind kind, str text)
{
    link_call_wake(want->at->shared, want->asker, &(err){kind, text});
}

static void serve(link_want *want)
{
    link_table *t = want->at->links;
    str key = arena_fmt(want->arena, STR_FMT "\n" STR_FMT, STR_ARG(want->u->key),
                        STR_ARG(want->isolation));
    session *o = map_get(t->sessions, key);
    if (o && o->open && o->open->epoch > want->stale_epoch) {
        link_call_wake(t->w->shared, want->asker, NULL);
        return;
    }
    if (t->w->draining) {
        refuse(want, ERR_CANCELLED, S("the gateway is stopping"));
        return;
    }
    if (o && o->open) { /* the server has forgotten it */
        (void)unpublish(o, true);
        unref(o->open);
        o->open = NULL;
        initialize(o, want->authorization);
    }
    if (!o && !has_room(t, want)) {
        refuse(want, ERR_QUOTA, S("too many sessions with this server"));
        return;
    }
    if (!o) o = begin(t, want, key);
    link_waiters_add(&o->waiters, want->asker);
}

void link_session_want(link_want *want)
{
    serve(want);
    link_want_free(want);
}

void link_session_sweep(link_table *t)
{
    int64_t now = loop_now_ms(t->w->loop);
    size_t at = 0;
    str key;
    void *each;
    while (map_each(t->sessions, &at, &key, &each)) {
        session *o = each;
        bool idle = o->open && !atomic_load(&o->open->ears) &&
                    now - atomic_load(&o->open->used_ms) > IDLE_MS;
        bool over = t->w->draining || upstream_retired(o->u) || idle;
        if (o->open && over) (void)end_idle(o);
    }
}

void link_session_free(link_table *t)
{
    size_t at = 0;
    str key;
    void *each;
    while (map_each(t->sessions, &at, &key, &each)) {
        session *o = each;
        if (o->open) (void)unpublish(o, true);
        destroy(o);
    }
}
