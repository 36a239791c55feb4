/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - keeping one ear at each server that somebody listens to.
 *
 * A feed looks after itself once a second: it begins again after a drop, fetches the lists of a
 * server that has no feed when their time is over, and ends when nobody has listened for a while.
 * A modern listening names the resources that are watched, a legacy server is subscribed to each.
 * What a server announces is answered by one fetch at a time and a pause between two, however often
 * it announces. */
#include "feed.h"
#include "capability.h"
#include "facet.h"
#include "following.h"
#include "link_session.h"
#include "subscriber.h"
#include "watch.h"
#include "watching.h"
#include <stdlib.h>

enum { TASKS_MOST = 256 };
static const int64_t TICK_MS = 1000, JITTER_MS = 5000, LINGER_MS = 30000, PAUSE_MS = 1000,
                     PAUSE_MOST_MS = 15000, NO_FEED_MS = 300000, POLL_MS = 30000,
                     FETCH_SPACE_MS = 250;

typedef struct feed feed;

/* One listening. There are two while a new one, with other wishes, takes the place of the old. */
typedef struct {
    feed *of;
    handle self;
    link_call *call;
    uint64_t epoch; /* of what it watches */
    bool names_tasks;
} ear;

struct feed {
    mcp_worker *w;
    upstream *u; /* held */
    ear ears[2];
    unsigned now;      /* which of them counts */
    subscriber *there; /* legacy: what it is subscribed to */
    unsigned failures;
    bool missed; /* it was away: what was said meanwhile is not known */
    bool unsaid; /* others are watched than the server was told of */
    bool stood;
    bool awaited;  /* who opened its session waits until it stands */
    bool taskless; /* its server takes no listening that names tasks */
    int64_t again_ms, wanted_ms, poll_ms, fetched_ms;
    loop_timer tick, fetch;
};

struct feeds {
    mcp_worker *w;
    map *by_key; /* upstream key -> feed */
};

static const char ear_type; /* its address marks our handles */

struct feeds *feeds_new(mcp_worker *w)
{
    struct feeds *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->w = w;
    t->by_key = map_new(NULL);
    return t;
}

static int64_t now_ms(const feed *k)
{
    return loop_now_ms(k->w->loop);
}

static void settle(feed *k, feed_state now)
{
    atomic_store(&k->u->feed, now);
    k->stood = now == FEED_STANDS;
    if (k->awaited) link_session_heard(k->w->links, k->u->key);
    k->awaited = false;
}

/* Subscriptions are part of standing: who calls next may cause what they are for. */
static void subscribed(void *k_)
{
    feed *k = k_;
    if (k->ears[k->now].call) settle(k, FEED_STANDS);
}

static void feed_free(feed *k)
{
    settle(k, FEED_NONE);
    atomic_store(&k->u->opens, false);
    loop_timer_stop(k->w->loop, &k->tick);
    loop_timer_stop(k->w->loop, &k->fetch);
    for (ear *e = k->ears; e < k->ears + 2; e++) {
        if (e->call) link_cancel(e->call);
        handle_drop(loop_handles(k->w->loop), e->self);
    }
    subscriber_free(k->there);
    (void)map_del(k->w->feeds->by_key, k->u->key);
    upstream_release(k->u);
    free(k);
}

void feeds_drain(struct feeds *t)
{
    size_t at = 0;
    str key;
    void *each;
    while (map_each(t->by_key, &at, &key, &each)) feed_free(each);
}

void feeds_free(struct feeds *t)
{
    if (!t) return;
    feeds_drain(t);
    map_free(t->by_key);
    free(t);
}

/* Fetching what was announced */

static void fetch_lists(mcp_worker *w, upstream *u)
{
    for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++) {
        if (!facet_shows(u, kind)) continue;
        catalog_view view = catalog_want(w, u, kind, 0, false);
        if (view.now) catalog_drop(view.now);
    }
}

static void fetch_now(void *k_)
{
    feed *k = k_;
    k->fetched_ms = now_ms(k);
    fetch_lists(k->w, k->u);
}

static void fetch_soon(feed *k)
{
    int64_t wait = k->fetched_ms + FETCH_SPACE_MS - now_ms(k);
    if (!k->fetch.heap_at)
        loop_timer_start(k->w->loop, &k->fetch, wait > 0 ? wait : 0, fetch_now, k);
}

/* Listening */

static ear *ear_of(feed *k)
{
    return &k->ears[k->now];
}

static void rest(feed *k, int64_t least_ms)
{
    int64_t pause = PAUSE_MS << (k->failures < 5 ? k->failures : 5);
    if (pause > PAUSE_MOST_MS) pause = PAUSE_MOST_MS;
    k->failures++;
    k->missed = true;
    k->again_ms = now_ms(k) + (pause > least_ms ? pause : least_ms);
    subscriber_forget(k->there); /* its session may be another then */
    watch_broken(k->u);
}

static void done(void *e_, js_value result, js_value error, const err *why)
{
    ear *e = e_;
    feed *k = e->of;
    int64_t code = 0;
    (void)result;
    e->call = NULL;
    if (e->names_tasks && error.kind != JS_ABSENT) k->taskless = k->unsaid = true;
    if (e != ear_of(k)) { /* the other one goes on, with the wishes it has */
        k->unsaid = true;
        return;
    }
    bool none = (why && why->kind == ERR_UNSUPPORTED) ||
                (js_int(js_get(error, S("code")), &code) && code == -32601);
    rest(k, none ? NO_FEED_MS : 0);
    settle(k, FEED_NONE);
    if (none) k->missed = false;
}

/* What happened to a task before the server began to watch it was not told. */
static void promised(feed *k, arena *a, js_value ids)
{
    watch_renew(k->u);
    for (js_iter it = js_iterate(ids); js_next(&it);)
        if (it.value.kind == JS_STRING && watch_promised(k->u, js_text(a, it.value)))
            following_heard(k->u, it.value);
}

/* The first word of a new listening says that it stands; then the old one may go. */
static void notice(void *e_, str method, js_value params)
{
    ear *e = e_;
    feed *k = e->of;
    ear *before = ear_of(k);
    k->failures = 0;
    if (upstream_era_now(k->u, now_ms(k)) == ERA_MODERN) {
        watch_stood(k->u, e->epoch);
        settle(k, FEED_STANDS);
    }
    if (e != before) {
        k->now = (unsigned)(e - k->ears);
        if (before->call) link_cancel(before->call);
        before->call = NULL;
    }
    arena *a = arena_new();
    if (str_eq(method, S("notifications/resources/updated"))) /* announcement.c knows the others */
        watching_heard(k->u, js_text(a, js_get(params, S("uri"))));
    else if (str_eq(method, S("notifications/subscriptions/acknowledged")))
        promised(k, a, js_get(js_get(params, S("notifications")), S("taskIds")));
    arena_free(a);
}

/* The stream of a legacy server stands with its head, and with what it is subscribed to. */
static void began(void *e_)
{
    feed *k = ((ear *)e_)->of;
    k->failures = 0;
    if (subscriber_tell(k->there)) settle(k, FEED_STANDS);
}

static bool put_names(buf *b, str member, const str *names, size_t n)
{
    if (!n) return false;
    buf_put(b, S(","));
    buf_json(b, member);
    for (size_t i = 0; i < n; i++) {
        buf_put(b, i ? S(",") : S(":["));
        buf_json(b, names[i]);
    }
    return buf_put(b, S("]"));
}

/* Its wishes. A server that cannot tell of tasks leaves them out of what it acknowledges. */
static str wishes(const feed *k, arena *a, ear *e)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    size_t n = 0;
    uint64_t later;
    buf_put(&b, S("\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":true,"
                  "\"resourcesListChanged\":true"));
    const str *names = watch_list(k->u, WATCH_RESOURCE, a, &n, &e->epoch);
    (void)put_names(&b, S("resourceSubscriptions"), names, n);
    names = watch_list(k->u, WATCH_TASK, a, &n, &later);
    if (n > TASKS_MOST) n = TASKS_MOST; /* the others are polled */
    e->names_tasks = !k->taskless && put_names(&b, S("taskIds"), names, n);
    buf_put(&b, S("}"));
    return buf_str(&b);
}

static void listen(feed *k, ear *e)
{
    static const link_events events = {.notice = notice, .done = done, .began = began};
    arena *a = arena_new();
    link_request rq = {.to = k->u,
                       .method = S("subscriptions/listen"),
                       .params = wishes(k, a, e),
                       .endless = true};
    facet_fill(k->u, a, &rq);
    if (e->names_tasks) rq.capabilities |= CAN_FOLLOW_TASKS;
    k->unsaid = false;
    e->call = link_start(k->w, &rq, &ear_type, e->self, &events);
    arena_free(a);
}

/* What is watched is another set now. The filter of a modern listening cannot be changed: a new one
 * is made before the old one is broken. Of a server whose era is still being found out the tick
 * asks again. */
static void watch_anew(feed *k)
{
    ear *other = &k->ears[1 - k->now];
    k->unsaid = true;
    if (!ear_of(k)->call) return; /* it will be said with the next listening */
    upstream_era era = upstream_era_now(k->u, now_ms(k));
    if (era == ERA_LEGACY) (void)subscriber_tell(k->there);
    if (era != ERA_MODERN) return;
    if (other->call) link_cancel(other->call);
    listen(k, other);
}

/* A modern server over HTTP has no sessions: what it says to one it says to all. */
static bool has_what_to_hear(const mcp_worker *w, const upstream *u)
{
    if (!facet_is_one(u)) return true;
    if (u->spec.kind == UPSTREAM_HTTP && upstream_era_now(u, loop_now_ms(w->loop)) != ERA_LEGACY)
        return false;
    return atomic_load(&u->opens) || link_stands(w->links, u);
}

static void listen_now(feed *k)
{
    if (!ear_of(k)->call && now_ms(k) >= k->again_ms) listen(k, ear_of(k));
}

static void tick(void *k_)
{
    feed *k = k_;
    int64_t now = now_ms(k);
    if (feed_is_wanted(k->u)) k->wanted_ms = now;
    bool listens = ear_of(k)->call != NULL, deaf = !listens && !has_what_to_hear(k->w, k->u);
    if (deaf || now - k->wanted_ms > LINGER_MS || upstream_retired(k->u)) {
        feed_free(k);
        return;
    }
    if (listens && k->missed) {
        k->missed = false;
        k->failures = 0;
        for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++) catalog_stale(k->u, kind);
        fetch_soon(k);
    }
    if (listens && (k->unsaid || upstream_era_now(k->u, now) == ERA_LEGACY)) watch_anew(k);
    listen_now(k);
    if (!ear_of(k)->call && now >= k->poll_ms) {
        k->poll_ms =
            now + POLL_MS + (int64_t)(hash_bytes(k->w->seed, k->u->key) % (uint64_t)JITTER_MS);
        fetch_soon(k);
    }
    loop_timer_start(k->w->loop, &k->tick, TICK_MS, tick, k);
}

static feed *begin(mcp_worker *w, upstream *u)
{
    feed *k = calloc(1, sizeof *k);
    if (!k) abort();
    k->w = w;
    k->u = upstream_hold(u);
    for (ear *e = k->ears; e < k->ears + 2; e++)
        *e = (ear){.of = k, .self = handle_add(loop_handles(w->loop), &ear_type, e)};
    k->there = subscriber_new(w, u, subscribed, k);
    k->wanted_ms = loop_now_ms(w->loop);
    k->poll_ms = k->wanted_ms + POLL_MS;
    map_put(w->feeds->by_key, u->key, k);
    return k;
}

/* Letters to the owner */

typedef enum {
    SOMEBODY_LISTENS,
    SOMETHING_CHANGED,
    OTHERS_ARE_WATCHED,
    OTHER_TASKS_ARE /* they can wait for the tick: until then they are polled */
} news;

typedef struct {
    letter mail;
    upstream *u; /* held */
    news what;
} word;

static void word_drop(letter *self)
{
    upstream_release(((word *)self)->u);
    free(self);
}

/* A facet has no feed before there is a session to listen to: most callers only listen. */
static void heed(mcp_worker *w, upstream *u, feed *k)
{
    if (k) {
        listen_now(k);
        if (k->stood)
            settle(k, FEED_STANDS);
        else if (!ear_of(k)->call)
            settle(k, FEED_NONE);
    } else if (!w->draining && has_what_to_hear(w, u)) {
        tick(begin(w, u));
    } else {
        atomic_store(&u->feed, FEED_NONE);
    }
}

static void word_deliver(letter *self, loop *at)
{
    word *m = (word *)self;
    mcp_worker *w = m->u->shared->worker[m->u->owner];
    feed *k = map_get(w->feeds->by_key, m->u->key);
    (void)at;
    switch (m->what) {
    case SOMEBODY_LISTENS: heed(w, m->u, k); break;
    case SOMETHING_CHANGED:
        atomic_store(&m->u->heard, false);
        if (k)
            fetch_soon(k);
        else if (facet_is_one(m->u))
            fetch_lists(w, m->u);
        break;
    case OTHERS_ARE_WATCHED:
        if (k) watch_anew(k);
        break;
    case OTHER_TASKS_ARE:
        if (k) k->unsaid = true;
        break;
    }
    word_drop(self);
}

static void post(upstream *u, news what)
{
    word *m = calloc(1, sizeof *m);
    if (!m) abort();
    m->mail = (letter){.deliver = word_deliver, .drop = word_drop};
    m->u = upstream_hold(u);
    m->what = what;
    loop_post(u->shared->worker[u->owner]->loop, &m->mail);
}

void feed_want(upstream *u)
{
    if (atomic_fetch_add(&u->listening, 1)) return;
    atomic_store(&u->feed, FEED_UNTRIED);
    post(u, SOMEBODY_LISTENS);
}

void feed_open(upstream *u)
{
    feed_state none = FEED_NONE;
    bool first = atomic_fetch_add(&u->listening, 1) == 0;
    if (first) atomic_store(&u->feed, FEED_UNTRIED);
    bool again = atomic_compare_exchange_strong(&u->feed, &none, FEED_UNTRIED);
    if (!atomic_exchange(&u->opens, true) || first || again) post(u, SOMEBODY_LISTENS);
}

feed_state feed_now(const upstream *u)
{
    return atomic_load(&u->feed);
}

bool feed_session_opened(mcp_worker *w, upstream *u, str isolation)
{
    upstream *f = w->draining ? NULL : facet_known(u, isolation);
    bool wanted = f && feed_is_wanted(f);
    if (wanted) {
        feed *k = map_get(w->feeds->by_key, f->key);
        if (!k) k = begin(w, f);
        if (ear_of(k)->call) link_cancel(ear_of(k)->call); /* of a session that is no more */
        ear_of(k)->call = NULL;
        subscriber_forget(k->there);
        k->again_ms = 0;
        k->awaited = true;
        tick(k);
    }
    if (f) upstream_release(f);
    return wanted;
}

void feed_leave(upstream *u)
{
    atomic_fetch_sub(&u->listening, 1);
}

void feed_watch(upstream *u, watch_kind kind)
{
    post(u, kind == WATCH_TASK ? OTHER_TASKS_ARE : OTHERS_ARE_WATCHED);
}

bool feed_is_wanted(const upstream *u)
{
    return atomic_load(&u->listening) > 0;
}

void feed_changed(upstream *u)
{
    if (feed_is_wanted(u) && !atomic_exchange(&u->heard, true)) post(u, SOMETHING_CHANGED);
}
