/* SPDX-License-Identifier: Apache-2.0 */
/* quota_lease.c - leases of windows: how much is asked for, and what comes of the answer.
 *
 * A lease is about what the cell uses in a second, but at most a fourth of this replica's share of
 * what is left: so it shrinks as the limit comes near, down to what the waiting requests need. What
 * was left of the lease before is spent from the cell like the rest. Two are open at a time, so
 * that all of it can go back.
 *
 * The order in which a cell is written is what makes kill -9 harmless. The number of a lease is
 * written before it is asked for, its units before it is no longer "asked", and only then may they
 * be spent. So the next process never gives back what was spent; at worst it gives back too
 * little. An answer that got lost is asked for again by the same number. */
#include "quota_exchange.h"

enum { FIRST_TIMES = 16, PARTS = 4 };

typedef struct {
    quota_cell *cell;
    quota_state *state;
    bool owed;
} question_of;

/* How much */

/* What is left in the cell serves those who wait, too: only the rest need come from the ledger. */
static int64_t needed(quota_cell *c, int64_t cost)
{
    int64_t left = atomic_load(&c->granted) - atomic_load(&c->used);
    return left > 0 ? cost - left : cost;
}

static int64_t size_of(const quotas *q, quota_cell *c, quota_state *s, int64_t now_ms)
{
    int64_t used = atomic_load(&c->used), limit = atomic_load(&s->limit);
    int64_t since = now_ms - s->since_ms, second = (s->want + 1) * FIRST_TIMES;
    if (s->since_ms && since > 0)
        second = (int64_t)((double)(used - s->used_before) * 1000.0 / (double)since);
    s->since_ms = now_ms;
    s->used_before = used;
    int64_t left = limit - atomic_load(&s->others) - atomic_load(&c->granted);
    int64_t part = left / (PARTS * (q->x->living > 1 ? q->x->living : 1));
    int64_t size = second < part ? second : part, want = needed(c, s->want);
    if (size < want) size = want;
    if (size > limit) size = limit;
    return size < 1 ? 1 : size;
}

/* One number, one question: it is asked again as it was until there is an answer. */
static ledger_ask lease_of(quotas *q, const question_of *w, int64_t now_ms)
{
    quota_cell *c = w->cell;
    quota_state *s = w->state;
    uint64_t number = atomic_load(&c->asked);
    if (!number) {
        number = quota_cells_next_lease(q->cells);
        s->asked_want = size_of(q, c, s, now_ms);
        s->asked_cost = s->least ? s->least : 1;
        int64_t least = needed(c, s->asked_cost);
        s->asked_least = least < 1 ? 1 : least < s->asked_want ? least : s->asked_want;
        atomic_store(&c->asked, number);
    }
    return (ledger_ask){.limit = atomic_load(&s->limit),
                        .want = s->asked_want,
                        .least = s->asked_least,
                        .lease = quota_lease_text(q->x->a, quota_cells_run(q->cells), number)};
}

static ledger_ask owed_of(quotas *q, const question_of *w)
{
    quota_state *s = w->state;
    if (!s->owed_number) {
        s->owed_number = quota_cells_next_lease(q->cells);
        s->owed = atomic_load(&w->cell->used) - atomic_load(&w->cell->granted);
    }
    return (ledger_ask){.limit = atomic_load(&s->limit),
                        .want = s->owed,
                        .least = s->owed,
                        .owed = true,
                        .lease =
                            quota_lease_text(q->x->a, quota_cells_run(q->cells), s->owed_number)};
}

/* The answer */

/* By its own clock the store is somewhere in the window that ends in so long. It began to count
 * after we asked: so by our reckoning a window ends early rather than late. */
static void keep_time(quotas *q, quota_cell *c, const ledger_grant *g, int64_t now_ms)
{
    quota_kind kind = (quota_kind)atomic_load(&c->kind);
    int64_t end = quota_window_end_ms(kind, atomic_load(&c->window_ms), g->index);
    atomic_store(&q->skew_ms, end - g->ends_in_ms - now_ms);
}

static void close_former(quotas *q, quota_cell *c)
{
    uint64_t former = atomic_load(&c->former);
    if (!former) return;
    quota_rest_add(q->x, (quota_rest){.name = quota_name_of(c),
                                      .kind = (quota_kind)atomic_load(&c->kind),
                                      .window_ms = atomic_load(&c->window_ms),
                                      .index = atomic_load(&c->index),
                                      .run = quota_cells_run(q->cells),
                                      .lease = former});
}

static void granted(quotas *q, quota_cell *c, uint64_t number, int64_t units)
{
    quota_state *s = quota_cells_state(q->cells, c);
    close_former(q, c);
    atomic_store(&c->former_units, atomic_load(&c->units));
    atomic_store(&c->former, atomic_load(&c->lease));
    atomic_store(&c->units, units);
    atomic_store(&c->lease, number);
    atomic_store(&s->low, units / 2);
    atomic_store(&s->full_until_ms, 0);
    atomic_store(&s->room_at_ms, 0);
}

static void no_room(quota_state *s, const ledger_grant *g, int64_t store_ms)
{
    int64_t in = g->room_in_ms > 0 && g->room_in_ms < QUOTA_FULL_MS ? g->room_in_ms : QUOTA_FULL_MS;
    atomic_store(&s->full_cost, s->asked_cost);
    atomic_store(&s->room_at_ms, g->room_in_ms > 0 ? store_ms + g->room_in_ms : 0);
    atomic_store(&s->full_until_ms, store_ms + in);
}

static void answered(quotas *q, const question_of *w, const ledger_grant *g, int64_t now_ms)
{
    quota_cell *c = w->cell, *into = c;
    keep_time(q, c, g, now_ms);
    int64_t store_ms = now_ms + atomic_load(&q->skew_ms);
    if (!w->owed && g->index != atomic_load(&c->index))
        into = quota_cells_sibling(q->cells, c, g->index, store_ms);
    if (w->owed) {
        atomic_fetch_add(&c->granted, w->state->owed);
        w->state->owed_number = 0;
    } else if (g->granted > 0 && into) {
        granted(q, into, atomic_load(&c->asked), g->granted);
        atomic_store(&c->asked, 0);
        atomic_fetch_add(&into->granted, g->granted);
    } else {
        atomic_store(&c->asked, 0);
        no_room(w->state, g, store_ms);
    }
    if (into && g->index == atomic_load(&into->index))
        atomic_store(&quota_cells_state(q->cells, into)->others,
                     g->used - atomic_load(&into->granted));
    if (into && into != c) quota_cells_unpin(q->cells, into);
}

/* Asking */

static bool is_owing(quota_cell *c, const quota_state *s)
{
    return s->owed_number || atomic_load(&c->used) > atomic_load(&c->granted);
}

static bool wants_lease(quota_cell *c, const quota_state *s)
{
    return atomic_load(&c->asked) || s->want || atomic_load(&s->refilling);
}

static void ask_some(quotas *q, const question_of *list, size_t count, int64_t now_ms)
{
    arena *a = q->x->a;
    ledger_ask *asks = NEW_N(a, ledger_ask, count);
    ledger_grant *grants = NEW_N(a, ledger_grant, count);
    for (size_t i = 0; i < count; i++) {
        quota_cell *c = list[i].cell;
        asks[i] = list[i].owed ? owed_of(q, &list[i]) : lease_of(q, &list[i], now_ms);
        asks[i].cell = quota_ledger_cell(a, quota_name_of(c), (quota_kind)atomic_load(&c->kind),
                                         atomic_load(&c->window_ms));
    }
    atomic_fetch_add(&q->asked, 1);
    q->x->leases = true;
    if (quota_heard(q, q->o.store->take(q->o.store->ctx, a, asks, count, grants))) return;
    for (size_t i = 0; i < count; i++) answered(q, &list[i], &grants[i], now_ms);
}

void quota_lease_ask(quotas *q, const quota_asking *list, size_t count, int64_t now_ms)
{
    question_of some[LEDGER_BATCH_MOST];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n + 2 > LEDGER_BATCH_MOST) {
            ask_some(q, some, n, now_ms);
            n = 0;
        }
        quota_cell *c = list[i].cell;
        quota_state *s = list[i].state;
        if (is_owing(c, s)) some[n++] = (question_of){c, s, true};
        if (wants_lease(c, s)) some[n++] = (question_of){c, s, false};
    }
    if (n) ask_some(q, some, n, now_ms);
}
