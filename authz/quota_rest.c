/* SPDX-License-Identifier: Apache-2.0 */
/* quota_rest.c - what the ledger gets back: of idle leases, and of a process that was killed. */
#include "quota_exchange.h"
#include <stdlib.h>

enum { RESTS_MOST = 1 << 17 };

/* When there are too many, the oldest leases stay spent until their windows end. */
void quota_rest_add(struct quota_exchange *x, quota_rest r)
{
    if (x->rest_count == RESTS_MOST) x->rest_count = 0;
    if (x->rest_count == x->rest_room) {
        size_t room = x->rest_room ? x->rest_room * 2 : 64;
        quota_rest *more = realloc(x->rests, room * sizeof *more);
        if (!more) abort();
        x->rests = more;
        x->rest_room = room;
    }
    x->rests[x->rest_count++] = r;
}

/* With as much as it can have granted of what is unused. */
static void close_one(struct quota_exchange *x, quota_rest r, int64_t granted, int64_t *unused)
{
    if (!r.lease) return;
    r.units = *unused < granted ? *unused : granted;
    if (r.units < 0) r.units = 0;
    *unused -= r.units;
    quota_rest_add(x, r);
}

/* Of a cell that has so much left: the later lease is the one that is used last. What is still
 * there afterwards neither has granted: it came back of requests that were cheaper than was set
 * aside, when the lease they spent from was closed. */
static void close_both(struct quota_exchange *x, quota_rest r, const quota_left *l, int64_t *unused)
{
    r.lease = l->lease;
    close_one(x, r, l->units, unused);
    r.lease = l->former == l->lease ? 0 : l->former;
    close_one(x, r, l->former_units, unused);
}

bool quota_rest_has(quota_cell *c)
{
    return atomic_load(&c->lease) || atomic_load(&c->granted) > atomic_load(&c->used);
}

void quota_rest_idle(quotas *q, quota_cell *c)
{
    const quota_left l = {.units = atomic_load(&c->units),
                          .former_units = atomic_load(&c->former_units),
                          .lease = atomic_load(&c->lease),
                          .former = atomic_load(&c->former)};
    int64_t unused = quota_withdraw(c);
    atomic_store(&c->lease, 0);
    atomic_store(&c->former, 0);
    atomic_store(&quota_cells_state(q->cells, c)->low, 0);
    quota_rest r = {.name = quota_name_of(c),
                    .kind = (quota_kind)atomic_load(&c->kind),
                    .window_ms = atomic_load(&c->window_ms),
                    .index = atomic_load(&c->index),
                    .run = quota_cells_run(q->cells)};
    close_both(q->x, r, &l, &unused);
    if (unused <= 0) return;
    r.spare = true;
    r.units = unused;
    r.lease = quota_cells_next_lease(q->cells);
    quota_rest_add(q->x, r);
}

/* A batch, from `from` on; *n: how many it was. */
static const err *give(quotas *q, size_t from, size_t *n)
{
    struct quota_exchange *x = q->x;
    ledger_rest *rests = NEW_N(x->a, ledger_rest, LEDGER_BATCH_MOST);
    ledger_ask *asks = NEW_N(x->a, ledger_ask, LEDGER_BATCH_MOST);
    ledger_grant *grants = NEW_N(x->a, ledger_grant, LEDGER_BATCH_MOST);
    size_t rest_count = 0, ask_count = 0;
    for (*n = 0; *n < LEDGER_BATCH_MOST && from + *n < x->rest_count; ++*n) {
        const quota_rest *r = &x->rests[from + *n];
        ledger_cell cell = quota_ledger_cell(x->a, r->name, r->kind, r->window_ms);
        str lease = quota_lease_text(x->a, r->run, r->lease);
        if (r->owed)
            asks[ask_count++] =
                (ledger_ask){cell, LEDGER_UNITS_MOST, r->units, r->units, lease, true};
        else
            rests[rest_count++] = (ledger_rest){cell, r->index, lease, r->units, r->spare};
    }
    const ledger *store = q->o.store;
    const err *e = ask_count ? store->take(store->ctx, x->a, asks, ask_count, grants) : NULL;
    if (!e && rest_count) e = store->give(store->ctx, x->a, rests, rest_count);
    return quota_heard(q, e);
}

void quota_rest_flush(quotas *q)
{
    struct quota_exchange *x = q->x;
    size_t done = 0, n = 0;
    while (done < x->rest_count && !give(q, done, &n)) done += n;
    for (size_t i = done; i < x->rest_count; i++) x->rests[i - done] = x->rests[i];
    x->rest_count -= done;
}

static void fold_one(struct quota_exchange *x, const quota_left *l, uint64_t run)
{
    quota_rest r = {.name = l->name,
                    .kind = l->kind,
                    .window_ms = l->window_ms,
                    .index = l->index,
                    .run = run};
    int64_t unused = l->granted - l->used;
    if (l->kind == QUOTA_CONCURRENCY) return; /* its slots are lost by silence */
    if (l->asked && l->asked != l->lease) {   /* the answer never came: none of it was spent */
        r.lease = l->asked;
        r.units = LEDGER_UNITS_MOST;
        quota_rest_add(x, r);
    }
    close_both(x, r, l, &unused);
    if (unused >= 0) return;
    r.owed = true;
    r.lease = l->name.b; /* of this cell alone, and no lease has such a number */
    r.units = -unused;
    quota_rest_add(x, r);
}

void quota_rest_fold(struct quota_exchange *x, const quota_options *o)
{
    size_t i = 0;
    quota_left left;
    uint64_t run = quota_cells_left_run(o->left, o->left_bytes, o->boot);
    while (run && quota_cells_left(o->left, o->left_bytes, &i, &left)) fold_one(x, &left, run);
}
