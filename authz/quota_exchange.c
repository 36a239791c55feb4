/* SPDX-License-Identifier: Apache-2.0 */
/* quota_exchange.c - what is asked of the ledger, in rounds, beside the workers.
 *
 * A round takes every want there is, asks once for each cell and wakes who waited: so a cell has at
 * most one lease on its way, however many wait for it. Once a second a round also walks the cells:
 * leases nobody uses go back, what was spent without one is owed. */
#include "quota_exchange.h"
#include <stdlib.h>

enum { TICK_MS = 1000, RESTS_AT_ONCE = 64 };

struct quota_exchange *quota_exchange_new(const quota_options *o)
{
    struct quota_exchange *x = calloc(1, sizeof *x);
    if (!x) abort();
    x->a = arena_new();
    quota_rest_fold(x, o);
    return x;
}

void quota_exchange_free(struct quota_exchange *x)
{
    arena_free(x->a);
    free(x->rests);
    free(x);
}

/* Texts */

static void put_hex(char *at, uint64_t v)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16; i++) at[i] = digits[v >> (60 - 4 * i) & 15];
}

str quota_name_text(arena *a, quota_name n)
{
    char *p = NEW_N(a, char, 32);
    put_hex(p, n.a);
    put_hex(p + 16, n.b);
    return (str){p, 32};
}

/* Run and number: no two leases of any two processes have the same. */
str quota_lease_text(arena *a, uint64_t run, uint64_t number)
{
    char *p = NEW_N(a, char, 33);
    put_hex(p, run);
    p[16] = '-';
    put_hex(p + 17, number);
    return (str){p, 33};
}

ledger_cell quota_ledger_cell(arena *a, quota_name n, quota_kind kind, int64_t window_ms)
{
    ledger_window w = kind == QUOTA_SLIDING ? LEDGER_SLIDING : LEDGER_FIXED;
    return (ledger_cell){quota_name_text(a, n), window_ms ? w : LEDGER_MONTH, window_ms};
}

quota_name quota_name_of(quota_cell *c)
{
    return (quota_name){atomic_load(&c->a), atomic_load(&c->b)};
}

bool quota_is_slots(quota_cell *c)
{
    return atomic_load(&c->kind) == QUOTA_CONCURRENCY;
}

const err *quota_heard(quotas *q, const err *e)
{
    bool away = e != NULL;
    if (atomic_exchange(&q->away, away) != away && q->o.heard) q->o.heard(q->o.ctx, e);
    return e;
}

/* As if somebody reserved it; then both counters shrink, the granted one first: whoever reserved by
 * the old one looks at it again. */
int64_t quota_withdraw(quota_cell *c)
{
    int64_t used = atomic_load(&c->used), units;
    do {
        units = atomic_load(&c->granted) - used;
        if (units <= 0) return 0;
    } while (!atomic_compare_exchange_weak(&c->used, &used, used + units));
    atomic_fetch_sub(&c->granted, units);
    atomic_fetch_sub(&c->used, units);
    return units;
}

/* A round */

static size_t take_wants(quotas *q)
{
    pthread_mutex_lock(&q->queueing);
    quota_want *wants = q->wants;
    size_t count = q->want_count;
    q->wants = q->taken;
    q->taken = wants;
    q->want_count = 0;
    q->called = false;
    pthread_mutex_unlock(&q->queueing);
    return count;
}

typedef struct {
    quota_asking *list;
    size_t count, room;
} cells;
typedef struct {
    cells leases, slots;
} asked;

static void add(arena *a, cells *to, quota_asking one)
{
    if (to->count == to->room) {
        size_t room = to->room ? to->room * 2 : 64;
        quota_asking *more = NEW_N(a, quota_asking, room);
        for (size_t i = 0; i < to->count; i++) more[i] = to->list[i];
        to->list = more;
        to->room = room;
    }
    to->list[to->count++] = one;
}

/* Each cell once, with what all who wait for it want together. */
static void gather(quotas *q, asked *all, quota_cell *c, int64_t cost)
{
    quota_state *s = quota_cells_state(q->cells, c);
    if (s->batch != q->x->round) {
        s->batch = q->x->round;
        s->want = s->least = 0;
        quota_cells_pin(q->cells, c);
        add(q->x->a, quota_is_slots(c) ? &all->slots : &all->leases, (quota_asking){c, s});
    }
    s->want += cost;
    if (cost && (!s->least || cost < s->least)) s->least = cost;
}

/* So long after the end of its window; a sliding one still counts while the next does. */
static bool is_over(quota_cell *c, int64_t now_ms, bool slides)
{
    quota_kind kind = (quota_kind)atomic_load(&c->kind);
    int64_t window_ms = atomic_load(&c->window_ms);
    int64_t end = quota_window_end_ms(kind, window_ms, atomic_load(&c->index));
    if (slides && kind == QUOTA_SLIDING) end += window_ms;
    return kind != QUOTA_CONCURRENCY && end <= now_ms;
}

static void look_at(quotas *q, asked *all, quota_cell *c, int64_t now_ms)
{
    quota_state *s = quota_cells_state(q->cells, c);
    int64_t used = atomic_load(&c->used);
    bool over = is_over(c, now_ms, false); /* then nothing is taken from it any more */
    bool idle = (used == s->used_seen || over) && !is_over(c, now_ms, true);
    s->used_seen = used;
    if (used > atomic_load(&c->granted) || atomic_load(&c->asked))
        gather(q, all, c, 0);
    else if (idle && quota_rest_has(c))
        quota_rest_idle(q, c);
}

/* Once a second. */
static void walk(quotas *q, asked *all, int64_t now_ms)
{
    size_t i = 0;
    for (quota_cell *c = NULL; (c = quota_cells_walk(q->cells, &i, c));)
        if (!quota_is_slots(c)) look_at(q, all, c, now_ms);
}

static void let_go(quotas *q, const quota_asking *list, size_t count)
{
    for (size_t i = 0; i < count; i++) quota_cells_unpin(q->cells, list[i].cell);
}

static void wake(quotas *q, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        quota_want *w = &q->taken[i];
        if (!w->cost) atomic_store(&quota_cells_state(q->cells, w->cell)->refilling, false);
        quota_cells_unpin(q->cells, w->cell);
        if (w->waiter && q->o.wake) q->o.wake(q->o.ctx, w->waiter);
    }
}

static void round_of(quotas *q, int64_t now_ms)
{
    struct quota_exchange *x = q->x;
    bool tick = now_ms - x->ticked_ms >= TICK_MS || now_ms < x->ticked_ms;
    size_t count = take_wants(q);
    asked all = {0};
    x->round++;
    for (size_t i = 0; i < count; i++) gather(q, &all, q->taken[i].cell, q->taken[i].cost);
    if (tick) {
        x->ticked_ms = now_ms;
        walk(q, &all, now_ms + atomic_load(&q->skew_ms));
    }
    quota_lease_ask(q, all.leases.list, all.leases.count, now_ms);
    quota_slots_ask(q, all.slots.list, all.slots.count, now_ms);
    if (tick) quota_slots_tick(q, now_ms, false);
    if (tick || x->rest_count >= RESTS_AT_ONCE) quota_rest_flush(q);
    let_go(q, all.leases.list, all.leases.count);
    let_go(q, all.slots.list, all.slots.count);
    wake(q, count);
}

void quotas_exchange(quotas *q, int64_t now_ms)
{
    if (!q->o.store) return;
    pthread_mutex_lock(&q->exchanging);
    round_of(q, now_ms);
    arena_reset(q->x->a);
    pthread_mutex_unlock(&q->exchanging);
}

static void give_all(quotas *q, int64_t now_ms)
{
    size_t i = 0;
    for (quota_cell *c = NULL; (c = quota_cells_walk(q->cells, &i, c));)
        if (!quota_is_slots(c) && quota_rest_has(c)) quota_rest_idle(q, c);
    quota_slots_tick(q, now_ms, true);
    quota_rest_flush(q);
}

bool quotas_close(quotas *q, int64_t now_ms)
{
    if (!q->o.store) return true;
    pthread_mutex_lock(&q->exchanging);
    q->x->ticked_ms = now_ms - TICK_MS; /* every cell is looked at, whenever that was done last */
    round_of(q, now_ms);
    bool told = !atomic_load(&q->away);
    if (told) give_all(q, now_ms);
    arena_reset(q->x->a);
    pthread_mutex_unlock(&q->exchanging);
    return told && !atomic_load(&q->away);
}
