/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - making, feeding and ending a worker.
 *
 * The end has three parts: no new connections; what is being answered may finish, but streams that
 * would never end by themselves are ended after a grace time; then the front closes what is left,
 * and the loop gets one more turn so that flows learn of it and free what they hold. A worker with
 * nothing left to answer stays until all are that far: it may own the link another worker's call
 * waits for. */
#include "worker.h"

#include "disk.h"
#include "dispatch.h"
#include "introspect.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOKENS_KEPT = 2048, IDLE_PER_ORIGIN = 64, LOOK_MS = 20, LAST_TURNS_MS = 100 };

typedef struct {
    letter head;
    worker *to;
    const snapshot *next; /* NULL: drain */
} word;

static size_t connections_of(const worker *w, size_t (*count)(const server *s))
{
    size_t n = 0;
    for (size_t i = 0; i < w->server_count; i++)
        if (w->servers[i]) n += count(w->servers[i]);
    return n;
}

/* Gauges move by what changed since the last turn. */
static int64_t publish(void *ctx)
{
    worker *w = ctx;
    int64_t connections = (int64_t)connections_of(w, server_connections);
    int64_t exchanges = (int64_t)connections_of(w, server_exchanges);
    if (connections != w->said_connections)
        metric_add(w->connections, connections - w->said_connections);
    if (exchanges != w->said_exchanges) metric_add(w->exchanges, exchanges - w->said_exchanges);
    w->said_connections = connections;
    w->said_exchanges = exchanges;
    return -1;
}

static void want_keys(void *ctx, const identity_detail *what, handle waiter)
{
    worker *w = ctx;
    if (what->token.p)
        introspect(w, what, waiter);
    else
        refresh_want(w->house->net, what->issuer->keys, w->loop, waiter);
}

/* Making */

static void make_products(worker *w)
{
    const worker_house *h = w->house;
    identity_services services = {.want_keys = want_keys, .ctx = w};
    mcp_worker_options mcp = {.loop = w->loop,
                              .client = w->client,
                              .tokens = w->tokens,
                              .services = services};
    llm_worker_options llm = {.loop = w->loop,
                              .client = w->client,
                              .tokens = w->tokens,
                              .services = services,
                              .disk = disk_for_spools(h->disk),
                              .quotas = h->quotas,
                              .streams = h->streams,
                              .audit = audit_log_sink(h->audit),
                              .shelf = {h->kept, h->disk, h->log},
                              .log = h->log,
                              .meters = h->meters};
    w->mcp = mcp_worker_new(h->mcp, w->index, &mcp);
    mcp_worker_take(w->mcp, &w->now->mcp);
    w->llm = llm_worker_new(&llm);
    w->out = export_worker_new(h->out, w->loop);
    w->connections = metric_series(h->meters, METRIC_CONNECTIONS, NULL, NULL);
    w->exchanges = metric_series(h->meters, METRIC_EXCHANGES, NULL, NULL);
    loop_on_turn(w->loop, publish, w);
}

static const err *open_servers(arena *a, worker *w, const worker_options *o)
{
    server_options so = {.loop = w->loop,
                         .log = w->house->log,
                         .limits = o->limits,
                         .on_exchange = dispatch_exchange,
                         .ctx = w,
                         .workers = w->house->count};
    w->servers = calloc(o->count ? o->count : 1, sizeof(server *));
    if (!w->servers) abort();
    for (; w->server_count < o->count; w->server_count++) {
        size_t i = w->server_count;
        const err *e = server_open(a, &so, &o->doors[i].at, o->fds[i], &w->servers[i]);
        if (e) return err_wrap(a, e, "listen on " STR_FMT, STR_ARG(o->doors[i].at.address));
    }
    return NULL;
}

const err *worker_new(arena *a, worker_house *h, unsigned index, const worker_options *o,
                      worker **out)
{
    worker *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->house = h;
    w->index = index;
    w->loop = loop_new(index);
    if (!w->loop) {
        free(w);
        return err_new(a, ERR_BUG, "no descriptor left for a worker");
    }
    w->client = client_new(w->loop, h->log, IDLE_PER_ORIGIN);
    w->tokens = identity_cache_new(TOKENS_KEPT);
    w->doors = o->doors;
    w->now = snapshot_keep(o->first);
    const err *e =
        open_servers(a, w,
                     o); /* first: its turn hook ends requests, the next ones count and log them */
    make_products(w);
    if (e)
        worker_free(w);
    else
        *out = w;
    return e;
}

static void *run(void *ctx)
{
    worker *w = ctx;
    loop_run(w->loop);
    uint64_t one = 1;
    if (write(w->house->done, &one, sizeof one) != sizeof one) abort();
    return NULL;
}

const err *worker_start(arena *a, worker *w)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return err_new(a, ERR_BUG, "no thread left for a worker");
    w->started = true;
    return NULL;
}

/* Letters */

static void drop_word(letter *self)
{
    word *m = (word *)(void *)self;
    snapshot_drop(m->next);
    free(m);
}

static void post(worker *w, void (*deliver)(letter *, loop *), const snapshot *next)
{
    word *m = calloc(1, sizeof *m);
    if (!m) abort();
    *m = (word){.head = {.deliver = deliver, .drop = drop_word}, .to = w, .next = next};
    loop_post(w->loop, &m->head);
}

static void take(letter *self, loop *at)
{
    (void)at;
    word *m = (word *)(void *)self;
    const snapshot *before = m->to->now;
    m->to->now = m->next;
    mcp_worker_take(m->to->mcp, &m->next->mcp);
    snapshot_drop(before);
    free(m);
}

void worker_take(worker *w, const snapshot *next)
{
    post(w, take, snapshot_keep(next));
}

static void stop(void *ctx)
{
    loop_stop(((worker *)ctx)->loop);
}

static void close_servers(worker *w)
{
    for (size_t i = 0; i < w->server_count; i++) {
        if (w->servers[i]) server_close(w->servers[i]);
        w->servers[i] = NULL;
    }
}

static void look(void *ctx)
{
    worker *w = ctx;
    int64_t now = loop_now_ms(w->loop);
    if (!w->is_quiet && connections_of(w, server_exchanges) == 0) {
        w->is_quiet = true; /* and stays so: there are no connections for more to come by */
        atomic_fetch_add(&w->house->quiet, 1);
    }
    bool idle = atomic_load(&w->house->quiet) == w->house->count;
    if ((idle || now >= w->mcp_drain_ms) && !w->products_drained) {
        mcp_worker_drain(w->mcp);
        w->products_drained = true;
    }
    if (!idle && now < w->drain_until_ms) {
        loop_timer_start(w->loop, &w->ending, LOOK_MS, look, w);
        return;
    }
    close_servers(w);
    loop_timer_start(w->loop, &w->ending, LAST_TURNS_MS, stop, w);
}

static void drain(letter *self, loop *at)
{
    worker *w = ((word *)(void *)self)->to;
    free(self);
    if (w->drain_until_ms) return;
    w->drain_until_ms = loop_now_ms(at) + WORKER_DRAIN_MS;
    w->mcp_drain_ms = loop_now_ms(at) + WORKER_GRACE_MS;
    for (size_t i = 0; i < w->server_count; i++) server_stop_accepting(w->servers[i]);
    mcp_worker_part(w->mcp);
    look(w);
}

void worker_drain(worker *w)
{
    post(w, drain, NULL);
}

/* The end */

void worker_join(worker *w)
{
    if (w->started) pthread_join(w->thread, NULL);
    w->started = false;
}

void worker_close(worker *w)
{
    if (!w || !w->servers) return;
    close_servers(w);
    loop_timer_stop(w->loop, &w->ending);
    if (w->mcp) mcp_worker_free(w->mcp);
    if (w->llm) llm_worker_free(w->llm);
    client_free(w->client);
    export_worker_free(w->out);
    loop_off_turn(w->loop, publish, w);
    identity_cache_free(w->tokens);
    snapshot_drop(w->now);
    free(w->servers);
    w->servers = NULL;
}

void worker_free(worker *w)
{
    if (!w) return;
    worker_close(w);
    loop_free(w->loop);
    free(w);
}
