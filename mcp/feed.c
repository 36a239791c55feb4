/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - keeping one ear at each server that somebody listens to.
 *
 * A feed looks after itself once a second: it begins again after a drop, fetches the lists of a
 * server that has no feed when their time is over, and ends when nobody has listened for a while.
 * What a server announces is answered by one fetch at a time and a pause between two, however often
 * it announces. */
#include "feed.h"
#include "link.h"
#include "listener.h"
#include "upstream_state.h"
#include <stdlib.h>

static const int64_t TICK_MS = 1000, JITTER_MS = 5000, LINGER_MS = 30000, PAUSE_MS = 1000,
                     PAUSE_MOST_MS = 15000, NO_FEED_MS = 300000, POLL_MS = 30000,
                     FETCH_SPACE_MS = 250;

typedef struct {
    mcp_worker *w;
    upstream *u; /* held */
    handle self;
    link_call *call;
    unsigned failures;
    bool missed; /* it was away: what was said meanwhile is not known */
    int64_t again_ms, wanted_ms, poll_ms, fetched_ms;
    loop_timer tick, fetch;
} feed;

struct feeds {
    mcp_worker *w;
    map *by_key; /* upstream key -> feed */
};

static const char feed_type;

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

static void feed_free(feed *k)
{
    loop_timer_stop(k->w->loop, &k->tick);
    loop_timer_stop(k->w->loop, &k->fetch);
    if (k->call) link_cancel(k->call);
    handle_drop(loop_handles(k->w->loop), k->self);
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

static void fetch_now(void *k_)
{
    feed *k = k_;
    k->fetched_ms = now_ms(k);
    for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++) {
        catalog_view view = catalog_want(k->w, k->u, kind, 0, false);
        if (view.now) catalog_drop(view.now);
    }
}

static void fetch_soon(feed *k)
{
    int64_t wait = k->fetched_ms + FETCH_SPACE_MS - now_ms(k);
    if (!k->fetch.heap_at)
        loop_timer_start(k->w->loop, &k->fetch, wait > 0 ? wait : 0, fetch_now, k);
}

/* Listening */

static void rest(feed *k, int64_t least_ms)
{
    int64_t pause = PAUSE_MS << (k->failures < 5 ? k->failures : 5);
    if (pause > PAUSE_MOST_MS) pause = PAUSE_MOST_MS;
    k->failures++;
    k->missed = true;
    k->again_ms = now_ms(k) + (pause > least_ms ? pause : least_ms);
}

static void done(void *k_, js_value result, js_value error, const err *why)
{
    feed *k = k_;
    int64_t code = 0;
    (void)result;
    k->call = NULL;
    bool none = (why && why->kind == ERR_UNSUPPORTED) ||
                (js_int(js_get(error, S("code")), &code) && code == -32601);
    rest(k, none ? NO_FEED_MS : 0);
    if (none) k->missed = false;
}

static void notice(void *k_, str method, js_value params)
{
    feed *k = k_;
    (void)method; /* link_*.c have told feed_heard() already */
    (void)params;
    k->failures = 0;
}

static void listen(feed *k)
{
    static const link_events events = {.notice = notice, .done = done};
    const link_request rq = {.to = k->u,
                             .method = S("subscriptions/listen"),
                             .params = S("\"notifications\":{\"toolsListChanged\":true,"
                                         "\"promptsListChanged\":true,"
                                         "\"resourcesListChanged\":true}"),
                             .endless = true};
    k->call = link_start(k->w, &rq, &feed_type, k->self, &events);
}

static void tick(void *k_)
{
    feed *k = k_;
    int64_t now = now_ms(k);
    if (feed_is_wanted(k->u)) k->wanted_ms = now;
    if (now - k->wanted_ms > LINGER_MS || upstream_retired(k->u)) {
        feed_free(k);
        return;
    }
    if (k->call && k->missed) {
        k->missed = false;
        for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++) catalog_stale(k->u, kind);
        fetch_soon(k);
    }
    if (!k->call && now >= k->again_ms) listen(k);
    if (!k->call && now >= k->poll_ms) {
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
    k->self = handle_add(loop_handles(w->loop), &feed_type, k);
    k->wanted_ms = loop_now_ms(w->loop);
    k->poll_ms = k->wanted_ms + POLL_MS;
    map_put(w->feeds->by_key, u->key, k);
    return k;
}

/* Letters to the owner */

typedef struct {
    letter mail;
    upstream *u; /* held */
    bool heard;  /* else: somebody listens now */
} word;

static void word_drop(letter *self)
{
    upstream_release(((word *)self)->u);
    free(self);
}

static void word_deliver(letter *self, loop *at)
{
    word *m = (word *)self;
    mcp_worker *w = m->u->shared->worker[m->u->owner];
    feed *k = map_get(w->feeds->by_key, m->u->key);
    (void)at;
    if (m->heard) {
        atomic_store(&m->u->heard, false);
        if (k) fetch_soon(k);
    } else if (!k && !w->draining) {
        tick(begin(w, m->u));
    }
    word_drop(self);
}

static void post(upstream *u, bool heard)
{
    word *m = calloc(1, sizeof *m);
    if (!m) abort();
    m->mail = (letter){.deliver = word_deliver, .drop = word_drop};
    m->u = upstream_hold(u);
    m->heard = heard;
    loop_post(u->shared->worker[u->owner]->loop, &m->mail);
}

void feed_want(upstream *u)
{
    if (atomic_fetch_add(&u->listening, 1) == 0) post(u, false);
}

void feed_leave(upstream *u)
{
    atomic_fetch_sub(&u->listening, 1);
}

bool feed_is_wanted(const upstream *u)
{
    return atomic_load(&u->listening) > 0;
}

void feed_changed(upstream *u)
{
    if (feed_is_wanted(u) && !atomic_exchange(&u->heard, true)) post(u, true);
}

void feed_heard(upstream *u, js_value method)
{
    unsigned list = 0;
    for (unsigned i = 0; i < LISTS; i++)
        if (js_text_is(method, listener_notices[i])) list = 1u << i;
    if (!list) return;
    for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++)
        if (listener_list_of(kind) == list) catalog_stale(u, kind);
    listener_hint(u, list);
    feed_changed(u);
}
