/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - fetching lists once for everybody, and not waiting for the dead.
 *
 * Whoever finds a list no longer fresh starts a fetch by a letter to the upstream's owner, or joins
 * the one under way. Those who wait are woken when it ends or when list_timeout is over,
 * whichever comes first; a fetch that is late goes on by itself up to the call's timeout, and
 * nobody waits for it any more. What was learned from a failure decides about the next waiting:
 * one that failed quickly (nobody listens there) may be waited for again, after a pause; one
 * that was slow (a black hole) is tried again behind everybody's back until it answers.
 *
 * The fetch speaks in the gateway's own name, caller "", or in that of whom its facet is for, and
 * belongs to no request. */
#include "catalog.h"
#include "catalog_read.h"
#include "facet.h"
#include "feed.h"
#include "link_message.h"
#include "listener.h"
#include "offer.h"
#include "upstream_state.h"
#include "wording.h"
#include <stdlib.h>

static const int64_t QUICK_MS = 500, PAUSE_MS = 1000, QUICK_PAUSE_MOST_MS = 5000,
                     SLOW_PAUSE_MOST_MS = 30000;

typedef struct fetch_run {
    mcp_worker *w;
    struct fetch_run *prev, *next;
    upstream *u; /* held */
    catalog_kind kind;
    handle self;
    link_call *call;
    catalog_draft *draft;
    unsigned pages;
    int64_t started_ms, until_ms;
    loop_timer late;
} fetch_run;

struct catalog_waits {
    mcp_worker *w;
    fetch_run *runs;
};

static const char run_type;

struct catalog_waits *catalog_waits_new(mcp_worker *w)
{
    struct catalog_waits *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->w = w;
    return t;
}

/* Waking */

typedef struct {
    letter mail;
    handle to;
} wake_letter;

static void wake_deliver(letter *self, loop *at)
{
    flow_wake(loop_flows(at), ((wake_letter *)self)->to, FLOW_WOKEN);
    free(self);
}

static void wake_drop(letter *self)
{
    free(self);
}

static void wake(const upstream *u, const handle *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wake_letter *m = calloc(1, sizeof *m);
        if (!m) abort();
        m->mail.deliver = wake_deliver;
        m->mail.drop = wake_drop;
        m->to = row[i];
        loop_post(u->shared->worker[handle_worker(row[i])]->loop, &m->mail);
    }
}

/* Takes the waiters out; the caller holds the lock, and wakes and frees them after it. */
static handle *take_waiters(upstream_catalog *c, size_t *n)
{
    handle *row = c->waiters;
    *n = c->waiting;
    c->waiters = NULL;
    c->waiting = c->room = 0;
    return row;
}

static void add_waiter(upstream_catalog *c, handle h)
{
    if (c->waiting == c->room) {
        c->room = c->room ? c->room * 2 : 16;
        c->waiters = reallocarray(c->waiters, c->room, sizeof *c->waiters);
        if (!c->waiters) abort();
    }
    c->waiters[c->waiting++] = h;
}

/* How a fetch ends */

static void run_free(fetch_run *r)
{
    struct catalog_waits *t = r->w->catalogs;
    loop_timer_stop(r->w->loop, &r->late);
    handle_drop(loop_handles(r->w->loop), r->self);
    if (r->prev)
        r->prev->next = r->next;
    else
        t->runs = r->next;
    if (r->next) r->next->prev = r->prev;
    catalog_draft_free(r->draft);
    upstream_release(r->u);
    free(r);
}

void catalog_waits_free(struct catalog_waits *t)
{
    if (!t) return;
    for (fetch_run *next, *r = t->runs; r; r = next) {
        next = r->next;
        run_free(r);
    }
    free(t);
}

/* Notes the outcome: `fresh` takes the place of the last list, unless it says the same. */
static void publish(upstream *u, const catalog *fresh, int64_t ttl_ms, int64_t now_ms)
{
    catalog_kind kind = fresh->kind;
    upstream_catalog *c = &u->lists[kind];
    const catalog *old = fresh;
    pthread_mutex_lock(&u->lock);
    bool same =
        c->now && str_eq(c->now->hash, fresh->hash) && c->now->is_public == fresh->is_public;
    if (!same) {
        old = c->now;
        c->now = fresh;
    }
    bool changed = c->changed;
    c->fresh_until_ms = changed ? 0 : now_ms + ttl_ms;
    c->changed = false;
    c->running = c->late = c->failed = c->slow = false;
    c->failures = 0;
    c->retry_at_ms = 0;
    size_t n;
    handle *row = take_waiters(c, &n);
    pthread_mutex_unlock(&u->lock);
    catalog_drop(old);
    wake(u, row, n);
    free(row);
    facet_published(u, kind);
    if (!same && kind == CATALOG_TOOLS) wording_warn(u);
    if (!same) listener_tell(u, listener_list_of(kind));
    if (changed) feed_changed(u);
}

void catalog_stale(upstream *u, catalog_kind kind)
{
    pthread_mutex_lock(&u->lock);
    u->lists[kind].fresh_until_ms = 0;
    u->lists[kind].changed = u->lists[kind].running;
    pthread_mutex_unlock(&u->lock);
}

static int64_t pause_ms(unsigned failures, bool slow)
{
    int64_t most = slow ? SLOW_PAUSE_MOST_MS : QUICK_PAUSE_MOST_MS;
    int64_t pause = PAUSE_MS << (failures < 8 ? failures : 8);
    return pause < most ? pause : most;
}

static void give_up(fetch_run *r, int64_t now_ms)
{
    upstream *u = r->u;
    upstream_catalog *c = &u->lists[r->kind];
    pthread_mutex_lock(&u->lock);
    c->slow = now_ms - r->started_ms > QUICK_MS;
    c->retry_at_ms = now_ms + pause_ms(c->failures, c->slow);
    c->failures++;
    c->failed = true;
    c->running = c->late = false;
    size_t n;
    handle *row = take_waiters(c, &n);
    pthread_mutex_unlock(&u->lock);
    wake(u, row, n);
    free(row);
}

static void fail(fetch_run *r, const err *why)
{
    if (!facet_is_one(r->u))
        upstream_is_down(r->u, why->text); /* else it is one caller's trouble */
    give_up(r, loop_now_ms(r->w->loop));
    run_free(r);
}

static void succeed(fetch_run *r)
{
    int64_t ttl = catalog_draft_ttl_ms(r->draft);
    upstream_is_up(r->u->of);
    publish(r->u, catalog_draft_finish(r->draft), ttl >= 0 ? ttl : r->u->spec.ttl_ms,
            loop_now_ms(r->w->loop));
    run_free(r);
}

/* Pages */

static void ask(fetch_run *r, str cursor);

static void done(void *r_, js_value result, js_value error, const err *why)
{
    fetch_run *r = r_;
    int64_t code = 0;
    str cursor = {0};
    r->call = NULL;
    (void)js_int(js_get(error, S("code")), &code);
    bool none = code == -32601 || (why && why->kind == ERR_UNSUPPORTED);
    if (none && r->pages == 1) { /* a server without such a list */
        succeed(r);
        return;
    }
    const err refused = {ERR_UPSTREAM, S("its list was refused")},
              endless = {ERR_UPSTREAM, S("a list without end")};
    if (!why && error.kind) why = &refused;
    if (!why) why = catalog_draft_page(r->draft, result, &cursor);
    if (!why && cursor.p && r->pages >= CATALOG_PAGES) why = &endless;
    if (why)
        fail(r, why);
    else if (cursor.p)
        ask(r, cursor);
    else
        succeed(r);
}

static void ask(fetch_run *r, str cursor)
{
    static const link_events events = {.done = done};
    arena *a = arena_new();
    buf b = buf_new(a, cursor.n * 6 + 64);
    if (cursor.p) {
        buf_put(&b, S("\"cursor\":"));
        buf_json(&b, cursor);
    }
    int64_t left = r->until_ms - loop_now_ms(r->w->loop);
    link_request rq = {.to = r->u,
                       .method = catalog_words_of[r->kind].method,
                       .params = buf_str(&b),
                       .uncounted = true,
                       .timeout_ms = left > 1 ? left : 1};
    facet_fill(r->u, a, &rq);
    r->pages++;
    r->call = link_start(r->w, &rq, &run_type, r->self, &events);
    arena_free(a);
}

static void too_late(void *r_)
{
    fetch_run *r = r_;
    upstream *u = r->u;
    upstream_catalog *c = &u->lists[r->kind];
    pthread_mutex_lock(&u->lock);
    c->late = true;
    size_t n;
    handle *row = take_waiters(c, &n);
    pthread_mutex_unlock(&u->lock);
    wake(u, row, n);
    free(row);
}

/* Beginning one */

typedef struct {
    letter mail;
    mcp_worker *at;
    upstream *u; /* held */
    catalog_kind kind;
} fetch_letter;

static void fetch_drop(letter *self)
{
    upstream_release(((fetch_letter *)self)->u);
    free(self);
}

static void fetch_deliver(letter *self, loop *at)
{
    fetch_letter *m = (fetch_letter *)self;
    struct catalog_waits *t = m->at->catalogs;
    const upstream_spec *spec = &m->u->spec;
    int64_t most =
        spec->timeout_ms > spec->list_timeout_ms ? spec->timeout_ms : spec->list_timeout_ms;
    fetch_run *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->w = m->at;
    r->u = upstream_hold(m->u);
    r->kind = m->kind;
    r->draft = catalog_draft_new(r->u, r->kind);
    r->self = handle_add(loop_handles(at), &run_type, r);
    r->started_ms = loop_now_ms(at);
    r->until_ms = r->started_ms + most;
    r->next = t->runs;
    if (r->next) r->next->prev = r;
    t->runs = r;
    loop_timer_start(at, &r->late, spec->list_timeout_ms, too_late, r);
    ask(r, (str){0});
    fetch_drop(self);
}

static void post_fetch(upstream *u, catalog_kind kind)
{
    fetch_letter *m = calloc(1, sizeof *m);
    if (!m) abort();
    m->mail.deliver = fetch_deliver;
    m->mail.drop = fetch_drop;
    m->at = u->shared->worker[u->owner];
    m->u = upstream_hold(u);
    m->kind = kind;
    loop_post(m->at->loop, &m->mail);
}

catalog_view catalog_want(mcp_worker *w, upstream *u, catalog_kind kind, handle waiter, bool again)
{
    upstream_catalog *c = &u->lists[kind];
    int64_t now_ms = loop_now_ms(w->loop);
    bool begin = false;
    if (!offer_covers(u, catalog_words_of[kind].method))
        return (catalog_view){.none = true, .fresh_ms = u->spec.ttl_ms};
    pthread_mutex_lock(&u->lock);
    bool fresh = c->now && now_ms < c->fresh_until_ms;
    if (!fresh && !again && !c->running && now_ms >= c->retry_at_ms && !w->draining) {
        begin = c->running = true;
        c->late = c->failed && c->slow; /* known to keep people waiting: nobody does */
    }
    bool pending = !fresh && !again && c->running && !c->late;
    if (pending && waiter) add_waiter(c, waiter);
    catalog_view view = {.now = catalog_hold(c->now),
                         .stale = again ? c->failed || c->late : !fresh,
                         .fresh_ms = fresh ? c->fresh_until_ms - now_ms : 0,
                         .pending = pending};
    pthread_mutex_unlock(&u->lock);
    if (begin) post_fetch(u, kind);
    return view;
}
