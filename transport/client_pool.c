/* SPDX-License-Identifier: Apache-2.0 */
/* client_pool.c - which connection is where.
 *
 * The latest used is taken first, so that a pool shrinks to what the load needs; the sweep
 * closes the rest. A connection is not kept for ever either: after CONN_AGE_MS it is closed at
 * the end of its call, so that traffic follows a name to its new addresses. A server that says
 * how long it keeps a connection (Keep-Alive: timeout) is believed, with a margin, because a
 * request that crosses its close is the one thing a retry must be spent on. */
#include "client_pool.h"
#include <stdlib.h>

enum {
    SWEEP_MS = 5000,
    TIDY_MS = 20,
    IDLE_MS = 50000,
    CONN_AGE_MS = 600000,
    KEEP_MARGIN_MS = 500,
    HEAD_MOST = 1 << 20,
    RECORD_MOST = 16 * 1024
};

static void sweep(void *ctx);

static size_t bucket_of(const origin *to)
{
    return ((uintptr_t)to >> 6) % POOL_BUCKETS;
}

pool *pool_of(client *c, origin *to)
{
    pool **at = &c->buckets[bucket_of(to)];
    for (pool *p = *at; p; p = p->next)
        if (p->to == to) return p;
    pool *p = calloc(1, sizeof *p);
    if (!p) abort();
    *p = (pool){.to = to, .next = *at};
    origin_hold(to);
    *at = p;
    if (c->pool_count++ == 0) loop_timer_start(c->l, &c->sweep, SWEEP_MS, sweep, c);
    return p;
}

static void unlink_idle(conn *n)
{
    pool *p = n->home;
    if (n->idle_prev)
        n->idle_prev->idle_next = n->idle_next;
    else
        p->idle_first = n->idle_next;
    if (n->idle_next)
        n->idle_next->idle_prev = n->idle_prev;
    else
        p->idle_last = n->idle_prev;
    n->idle_prev = n->idle_next = NULL;
    p->idle--;
}

static bool is_idle(const conn *n)
{
    return n->home->idle_first == n || n->idle_prev;
}

conn *pool_take(pool *p, int64_t now_ms)
{
    for (conn *next, *n = p->idle_first; n; n = next) {
        next = n->idle_next;
        if (now_ms < n->idle_until_ms) {
            unlink_idle(n);
            return n;
        }
        conn_close(n);
    }
    return NULL;
}

conn *conn_new(client *c, pool *p)
{
    conn *n = calloc(1, sizeof *n);
    if (!n) abort();
    n->owner = c;
    n->home = p;
    n->out = buf_new(NULL, SIZE_MAX);
    n->held = buf_new(NULL, READ_SIZE);
    n->opened_ms = loop_now_ms(c->l);
    wire_on(&n->wire, client_on_event, n, &c->scratch);
    n->next = c->conns;
    if (n->next) n->next->prev = n;
    c->conns = n;
    c->conn_count++;
    p->conns++;
    return n;
}

static void conn_free(conn *n)
{
    h1_free(&n->reply);
    buf_free(&n->out);
    buf_free(&n->held);
    free(n);
}

void conn_due(conn *n)
{
    n->due = true;
    n->due_next = NULL;
    *n->owner->due_end = n;
    n->owner->due_end = &n->due_next;
}

void conn_take_due(conn *n)
{
    client *c = n->owner;
    conn **at = &c->due;
    if (!n->due) return;
    while (*at != n) at = &(*at)->due_next;
    *at = n->due_next;
    if (!n->due_next) c->due_end = at;
    n->due = false;
}

void conn_close(conn *n)
{
    if (n->dead) return;
    client *c = n->owner;
    conn_take_due(n);
    if (is_idle(n)) unlink_idle(n);
    wire_close(&n->wire);
    if (n->prev)
        n->prev->next = n->next;
    else
        c->conns = n->next;
    if (n->next) n->next->prev = n->prev;
    c->conn_count--;
    n->home->conns--;
    n->dead = true;
    if (!n->entered) conn_free(n);
}

void conn_enter(conn *n)
{
    n->entered++;
}

void conn_leave(conn *n)
{
    n->entered--;
    if (n->dead && !n->entered) conn_free(n);
}

void conn_keep(conn *n)
{
    client *c = n->owner;
    pool *p = n->home;
    int64_t now = loop_now_ms(c->l), said = n->reply.keep_ms, most = IDLE_MS;
    if (said >= 0 && said - KEEP_MARGIN_MS < most) most = said - KEEP_MARGIN_MS;
    bool old = now - n->opened_ms >= CONN_AGE_MS;
    if (most <= 0 || old || c->idle_most == 0 || origin_retired(p->to)) {
        conn_close(n);
        return;
    }
    if (p->idle >= c->idle_most) conn_close(p->idle_last);
    n->idle_until_ms = now + most;
    n->idle_prev = NULL;
    n->idle_next = p->idle_first;
    if (p->idle_first)
        p->idle_first->idle_prev = n;
    else
        p->idle_last = n;
    p->idle_first = n;
    p->idle++;
}

static void sweep_pool(pool *p, int64_t now)
{
    bool retired = origin_retired(p->to);
    for (conn *next, *n = p->idle_first; n; n = next) {
        next = n->idle_next;
        if (retired || now >= n->idle_until_ms) {
            conn_close(n);
            continue;
        }
        h1_shrink(&n->reply);
        buf_free(&n->out);
    }
}

static void sweep(void *ctx)
{
    client *c = ctx;
    int64_t now = loop_now_ms(c->l);
    for (size_t i = 0; i < POOL_BUCKETS; i++) {
        for (pool **at = &c->buckets[i]; *at;) {
            pool *p = *at;
            sweep_pool(p, now);
            if (!origin_retired(p->to) || p->conns || p->calls) {
                at = &p->next;
                continue;
            }
            *at = p->next;
            origin_release(p->to);
            free(p);
            c->pool_count--;
        }
    }
    if (c->pool_count) loop_timer_start(c->l, &c->sweep, SWEEP_MS, sweep, c);
}

/* Two arenas take turns: the one that is reset was put aside a whole TIDY_MS ago, so an error
 * outlives the turn it was told in. */
static void tidy(void *ctx)
{
    client *c = ctx;
    arena *older = c->errors[1];
    arena_reset(older);
    c->errors[1] = c->errors[0];
    c->errors[0] = older;
}

const err *client_error(client *c, err_kind kind, str where, const char *why)
{
    if (!c->tidy.heap_at) loop_timer_start(c->l, &c->tidy, TIDY_MS, tidy, c);
    return err_new(c->errors[0], kind, STR_FMT ": %s", STR_ARG(where), why);
}

client *client_new(loop *l, logger *log, size_t idle_per_origin)
{
    client *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->l = l;
    c->log = log;
    c->idle_most = idle_per_origin;
    c->head = buf_new(NULL, HEAD_MOST);
    c->scratch = buf_new(NULL, RECORD_MOST);
    c->in = malloc(READ_SIZE);
    if (!c->in) abort();
    c->errors[0] = arena_new();
    c->errors[1] = arena_new();
    c->due_end = &c->due;
    loop_on_turn(l, client_turn, c);
    return c;
}

static void pools_free(client *c)
{
    for (size_t i = 0; i < POOL_BUCKETS; i++) {
        while (c->buckets[i]) {
            pool *p = c->buckets[i];
            c->buckets[i] = p->next;
            origin_release(p->to);
            free(p);
        }
    }
}

void client_free(client *c)
{
    if (!c) return;
    while (c->calls) call_cancel(c->calls);
    for (conn *next, *n = c->conns; n; n = next) {
        next = n->next;
        conn_close(n);
    }
    pools_free(c);
    loop_off_turn(c->l, client_turn, c);
    loop_timer_stop(c->l, &c->sweep);
    loop_timer_stop(c->l, &c->tidy);
    arena_free(c->errors[0]);
    arena_free(c->errors[1]);
    buf_free(&c->head);
    buf_free(&c->scratch);
    free(c->in);
    free(c);
}

size_t client_open(const client *c)
{
    return c->conn_count;
}
