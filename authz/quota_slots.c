/* SPDX-License-Identifier: Apache-2.0 */
/* quota_slots.c - slots of concurrency, which the ledger keeps for as long as we say that we live.
 *
 * A cell holds as many slots as requests use and wait for; those nobody used for a second go back.
 * A process the ledger did not hear of for too long has lost them all: what is running goes on, but
 * nothing new starts on a slot that may be another's by now. */
#include "quota_exchange.h"

static str holder_of(quotas *q)
{
    return quota_lease_text(q->x->a, quota_cells_run(q->cells), 0);
}

/* What the ledger says we hold from now on. */
static void set_held(quotas *q, quota_cell *c, int64_t held, int64_t now_ms)
{
    quota_state *s = quota_cells_state(q->cells, c);
    atomic_store(&c->granted, held);
    atomic_store(&s->others, 0);
    bool full = s->want && held < atomic_load(&c->used) + 1;
    atomic_store(&s->full_cost, 1);
    atomic_store(&s->room_at_ms, 0);
    int64_t store_ms = now_ms + atomic_load(&q->skew_ms);
    atomic_store(&s->full_until_ms, full ? store_ms + QUOTA_FULL_MS : 0);
    q->x->holds |= held > 0;
}

static void lose_all(quotas *q)
{
    size_t i = 0;
    for (quota_cell *c = NULL; (c = quota_cells_walk(q->cells, &i, c));)
        if (quota_is_slots(c)) atomic_store(&c->granted, 0);
    q->x->holds = false;
}

/* want[i] slots of list[i]; n 0: only that we live. */
static void hold_some(quotas *q, const quota_asking *list, const int64_t *want, size_t n,
                      int64_t now_ms)
{
    arena *a = q->x->a;
    const ledger *store = q->o.store;
    ledger_slots *slots = NEW_N(a, ledger_slots, n + 1);
    ledger_life life = {0};
    for (size_t i = 0; i < n; i++)
        slots[i] = (ledger_slots){quota_name_text(a, quota_name_of(list[i].cell)),
                                  atomic_load(&list[i].state->limit), want[i], 0};
    if (quota_heard(q, store->hold(store->ctx, a, holder_of(q), slots, n, &life))) return;
    q->x->held_ms = now_ms;
    if (life.lost) lose_all(q);
    q->x->living = life.living;
    for (size_t i = 0; i < n; i++) set_held(q, list[i].cell, slots[i].held, now_ms);
}

void quota_slots_ask(quotas *q, const quota_asking *list, size_t count, int64_t now_ms)
{
    for (size_t from = 0; from < count; from += LEDGER_BATCH_MOST) {
        int64_t want[LEDGER_BATCH_MOST];
        size_t n = count - from < LEDGER_BATCH_MOST ? count - from : LEDGER_BATCH_MOST;
        for (size_t i = 0; i < n; i++) {
            const quota_asking *one = &list[from + i];
            int64_t limit = atomic_load(&one->state->limit);
            int64_t all = atomic_load(&one->cell->used) + (one->state->want ? one->state->want : 1);
            int64_t has = atomic_load(&one->cell->granted);
            if (all > limit) all = limit;
            want[i] = all > has ? all : has;
        }
        hold_some(q, list + from, want, n, now_ms);
    }
}

/* False: nothing is to be said of it. */
static bool is_other(quotas *q, quota_cell *c, bool all, int64_t *want)
{
    quota_state *s = quota_cells_state(q->cells, c);
    int64_t used = atomic_load(&c->used), granted = atomic_load(&c->granted);
    bool idle = used == s->used_seen;
    s->used_seen = used;
    s->want = 0;
    *want = used; /* of what was lost and is still in use */
    if (used > granted) return !all;
    if ((!all && !idle) || quota_withdraw(c) == 0) return false;
    *want = atomic_load(&c->granted);
    return true;
}

/* Some of them a second are enough. */
static void put_right(quotas *q, int64_t now_ms, bool all)
{
    quota_asking list[LEDGER_BATCH_MOST];
    int64_t want[LEDGER_BATCH_MOST];
    size_t n = 0, i = 0;
    quota_cell *c = NULL;
    while (n < LEDGER_BATCH_MOST && (c = quota_cells_walk(q->cells, &i, c))) {
        if (!quota_is_slots(c) || !is_other(q, c, all, &want[n])) continue;
        quota_cells_pin(q->cells, c);
        list[n++] = (quota_asking){c, quota_cells_state(q->cells, c)};
    }
    if (c) quota_cells_unpin(q->cells, c);
    if (n) hold_some(q, list, want, n, now_ms);
    for (size_t k = 0; k < n; k++) quota_cells_unpin(q->cells, list[k].cell);
}

void quota_slots_tick(quotas *q, int64_t now_ms, bool all)
{
    struct quota_exchange *x = q->x;
    if (x->holds && now_ms - x->held_ms >= LEDGER_HOLD_MS) lose_all(q);
    if (x->held_ms) put_right(q, now_ms, all);
    bool due = (x->holds || x->leases) && now_ms - x->held_ms >= LEDGER_HOLD_MS / 3;
    /* while the store is away this is also how we hear that it is back */
    if (due || atomic_load(&q->away)) hold_some(q, NULL, NULL, 0, now_ms);
}
