/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - all matching quotas or none, then what it really was.
 *
 * A cell gives what is granted to it by leases, or, alone, what its limit leaves. A reservation is
 * one compare-and-swap; what `granted` was is looked at once more afterwards, since a lease may
 * have been given back in between. Quotas are taken in the order of their ids; the first that
 * refuses puts back those before it, and they all have asked the ledger at once when one must. */
#include "../base/pages.h"
#include "quota_private.h"
#include <stdlib.h>

enum { AWAY_RETRY_MS = 1000 };

typedef struct {
    const policy_quota *quota; /* only looked at when there is usage to be priced */
    quota_cell *cell;          /* pinned while taken; NULL: nothing is taken */
    int64_t cost;              /* what is in the cell now */
    bool slot, shadow;         /* slot: of a concurrency, free when it is over */
    quota_view view;
} entry;

struct quota_hold {
    quotas *q;
    arena *a;
    subject_kind kind;
    entry *list;
    size_t count;
    str shadowed;
};

quotas *quotas_new(const quota_options *o)
{
    quotas *q = calloc(1, sizeof *q);
    quota_want *wants = pages_new((size_t)WANTS_MOST * 2, sizeof *wants);
    if (!q) abort();
    *q = (quotas){.o = *o, .wants = wants, .taken = wants + WANTS_MOST};
    pthread_mutex_init(&q->queueing, NULL);
    pthread_mutex_init(&q->exchanging, NULL);
    q->x = quota_exchange_new(o);
    q->cells = quota_cells_new(o->cells, o->bytes, o->boot);
    return q;
}

void quotas_free(quotas *q)
{
    if (!q) return;
    quota_cells_free(q->cells);
    quota_exchange_free(q->x);
    pthread_mutex_destroy(&q->queueing);
    pthread_mutex_destroy(&q->exchanging);
    pages_free(q->wants < q->taken ? q->wants : q->taken, (size_t)WANTS_MOST * 2, sizeof *q->wants);
    free(q);
}

uint64_t quotas_asked(const quotas *q)
{
    return atomic_load(&q->asked);
}

bool quota_counts_alone(const quotas *q)
{
    return !q->o.store || (atomic_load(&q->away) && q->o.local_on_loss);
}

bool quota_want_add(quotas *q, quota_want w)
{
    pthread_mutex_lock(&q->queueing);
    bool room = q->want_count < WANTS_MOST, call = room && !q->called;
    if (room) {
        quota_cells_pin(q->cells, w.cell);
        q->wants[q->want_count++] = w;
        q->called = true;
    }
    pthread_mutex_unlock(&q->queueing);
    if (call && q->o.soon) q->o.soon(q->o.ctx, q);
    return room;
}

/* One cell */

/* How much of the window before still slides over this one, rounded up. */
static int64_t slid_over(const quotas *q, const policy_quota *p, quota_name n, int64_t now_ms)
{
    int64_t index = quota_window_index(p->kind, p->window_ms, now_ms);
    quota_cell *before = p->kind == QUOTA_SLIDING ? quota_cells_find(q->cells, n, index - 1) : NULL;
    if (!before) return 0;
    int64_t used = atomic_load(&before->used);
    quota_cells_unpin(q->cells, before);
    int64_t left = quota_window_end_ms(p->kind, p->window_ms, index) - now_ms;
    double share = (double)used * (double)left / (double)p->window_ms;
    return used <= 0 ? 0 : (int64_t)share + ((double)(int64_t)share < share);
}

typedef struct {
    quotas *q;
    const policy_due *due;
    quota_name name;
    int64_t now_ms; /* the store's clock, about */
    int64_t cost;
    handle waiter;
    quota_cell *cell; /* pinned */
    quota_state *state;
    bool alone;
} taking;

/* What may be used of the cell at all. */
static int64_t allowed(const taking *t)
{
    const policy_quota *p = t->due->quota;
    int64_t limit = t->due->limit;
    if (t->alone) return limit - slid_over(t->q, p, t->name, t->now_ms);
    int64_t granted = atomic_load(&t->cell->granted);
    return granted < limit ? granted : limit;
}

static bool reserve_here(const taking *t)
{
    quota_cell *c = t->cell;
    int64_t most = allowed(t), used = atomic_load(&c->used);
    for (;;) {
        if (t->cost && (used > most || t->cost > most - used)) return false;
        if (atomic_compare_exchange_weak(&c->used, &used, used + t->cost)) break;
    }
    if (t->alone || !t->cost || used + t->cost <= atomic_load(&c->granted)) return true;
    atomic_fetch_sub(&c->used, t->cost);
    return false;
}

static void refill_if_low(const taking *t)
{
    int64_t granted = atomic_load(&t->cell->granted), left = granted - atomic_load(&t->cell->used);
    if (t->alone || left > atomic_load(&t->state->low)) return;
    if (granted + atomic_load(&t->state->others) >= t->due->limit) return; /* all of it is out */
    if (atomic_load(&t->state->full_until_ms) > t->now_ms) return;
    if (atomic_exchange(&t->state->refilling, true)) return;
    if (!quota_want_add(t->q, (quota_want){.cell = t->cell}))
        atomic_store(&t->state->refilling, false);
}

static int64_t resets_in(const policy_quota *p, int64_t now_ms)
{
    int64_t index = quota_window_index(p->kind, p->window_ms, now_ms);
    int64_t end = quota_window_end_ms(p->kind, p->window_ms, index);
    return end > now_ms ? end - now_ms : 0;
}

static quota_view view_of(const taking *t)
{
    const policy_quota *p = t->due->quota;
    int64_t others =
        t->alone ? slid_over(t->q, p, t->name, t->now_ms) : atomic_load(&t->state->others);
    int64_t left = t->due->limit - others - atomic_load(&t->cell->used);
    return (quota_view){p->id, t->due->limit, left > 0 ? left : 0, resets_in(p, t->now_ms),
                        p->money};
}

/* Behind the window's end: until so little of what this one used slides over the next that the cost
 * fits beside it, if nothing is given back. */
static int64_t slides_for(const taking *t)
{
    const policy_quota *p = t->due->quota;
    int64_t used = atomic_load(&t->cell->used), room = t->due->limit - t->cost;
    if (p->kind != QUOTA_SLIDING || used <= room) return 0;
    double may_be_left = (double)p->window_ms * (double)room / (double)used;
    return p->window_ms - (int64_t)may_be_left;
}

/* When asking again makes sense, as far as can be told here: 0 is never said. */
static int64_t room_in(const taking *t, int64_t reset_ms)
{
    int64_t at = atomic_load(&t->state->room_at_ms);
    if (!t->alone && at > t->now_ms) return at - t->now_ms;
    return reset_ms > 0 ? reset_ms + slides_for(t) : AWAY_RETRY_MS;
}

/* Without room here: is there none anywhere, or must the ledger be asked? */
static quota_answer ask(const taking *t, quota_why *why)
{
    *why = QUOTA_USED_UP;
    if (t->alone) return QUOTA_FULL;
    bool full = atomic_load(&t->state->full_until_ms) > t->now_ms &&
                t->cost >= atomic_load(&t->state->full_cost);
    if (full || atomic_load(&t->cell->used) > t->due->limit - t->cost) return QUOTA_FULL;
    *why = QUOTA_AWAY;
    if (atomic_load(&t->q->away) || (!t->waiter && !t->due->quota->shadow)) return QUOTA_FULL;
    return quota_want_add(t->q, (quota_want){t->cell, t->cost, t->waiter}) ? QUOTA_WAIT
                                                                           : QUOTA_FULL;
}

static quota_answer take(taking *t, quota_why *why)
{
    const policy_quota *p = t->due->quota;
    int64_t index = quota_window_index(p->kind, p->window_ms, t->now_ms);
    *why = QUOTA_TOO_LARGE;
    if (t->cost > t->due->limit) return QUOTA_FULL;
    *why = QUOTA_KEYS;
    t->cell = quota_cells_find(t->q->cells, t->name, index);
    if (!t->cell) t->cell = quota_cells_make(t->q->cells, p, t->name, index, t->now_ms);
    if (!t->cell) return QUOTA_FULL;
    t->state = quota_cells_state(t->q->cells, t->cell);
    atomic_store_explicit(&t->state->limit, t->due->limit, memory_order_relaxed);
    if (!reserve_here(t)) return ask(t, why);
    refill_if_low(t);
    return QUOTA_ROOM;
}

/* All of them */

static void put_back(quota_hold *h)
{
    for (size_t i = 0; i < h->count; i++) {
        entry *e = &h->list[i];
        if (!e->cell) continue;
        atomic_fetch_sub(&e->cell->used, e->cost);
        quota_cells_unpin(h->q->cells, e->cell);
        e->cell = NULL;
    }
}

static str said(const policy_quota *p, quota_why why)
{
    static const str texts[] = {[QUOTA_USED_UP] = S("the quota is used up"),
                                [QUOTA_TOO_LARGE] = S("the request is larger than the quota"),
                                [QUOTA_KEYS] = S("too many users of the quota"),
                                [QUOTA_UNTOLD] = S("denied by policy"),
                                [QUOTA_AWAY] = S("quotas cannot be counted at the moment")};
    bool own = p->message.n && (why == QUOTA_USED_UP || why == QUOTA_TOO_LARGE);
    return own ? p->message : texts[why];
}

static void refuse(const taking *t, quota_why why, quota_refusal *no)
{
    const policy_quota *p = t->due->quota;
    *no = (quota_refusal){.why = why, .message = said(p, why), .error = t->due->error};
    no->view = t->cell ? view_of(t)
                       : (quota_view){p->id, t->due->limit, 0, resets_in(p, t->now_ms), p->money};
    if (why == QUOTA_AWAY)
        no->retry_after_ms = AWAY_RETRY_MS;
    else if (why == QUOTA_USED_UP || why == QUOTA_KEYS)
        no->retry_after_ms = t->cell ? room_in(t, no->view.reset_ms) : AWAY_RETRY_MS;
}

/* A shadow never holds up a request: what it has no lease for yet it takes all the same. */
static quota_answer answer_shadow(const taking *t, quota_answer said, quota_hold *h)
{
    if (said == QUOTA_FULL && !h->shadowed.p) h->shadowed = t->due->quota->id;
    if (said != QUOTA_WAIT) return said;
    atomic_fetch_add(&t->cell->used, t->cost);
    return QUOTA_ROOM;
}

static quota_answer take_one(quota_hold *h, const quota_request *r, const policy_due *due,
                             quota_refusal *no)
{
    const policy_quota *p = due->quota;
    quota_why why = QUOTA_UNTOLD;
    quota_answer is = QUOTA_FULL;
    taking t = {.q = h->q, .due = due, .waiter = r->waiter, .alone = quota_counts_alone(h->q)};
    t.now_ms = r->about->now_ms + atomic_load_explicit(&h->q->skew_ms, memory_order_relaxed);
    if (due->key.p && policy_quota_cost(p, h->kind, &r->estimate, h->a, &t.cost)) {
        t.name = quota_cells_name(h->a, p, due->key);
        is = take(&t, &why);
    }
    if (p->shadow) is = answer_shadow(&t, is, h);
    entry *e = &h->list[h->count++];
    *e = (entry){.quota = p, .slot = p->kind == QUOTA_CONCURRENCY, .shadow = p->shadow};
    if (t.cell) e->view = view_of(&t);
    e->view.id = arena_dup(h->a, p->id);
    if (is == QUOTA_ROOM) {
        e->cell = t.cell;
        e->cost = t.cost;
        return is;
    }
    if (is == QUOTA_FULL) refuse(&t, why, no);
    if (t.cell) quota_cells_unpin(h->q->cells, t.cell);
    return p->shadow ? QUOTA_ROOM : is;
}

quota_answer quota_reserve(quotas *q, const quota_request *r, arena *a, quota_hold **hold,
                           quota_refusal *no)
{
    const policy_due *due;
    size_t count = policy_quotas_due(r->rules, r->about, a, &due);
    bool waits = false;
    *hold = NULL;
    if (!count) return QUOTA_ROOM;
    quota_hold *h = NEW(a, quota_hold);
    *h = (quota_hold){.q = q, .a = a, .kind = r->about->kind, .list = NEW_N(a, entry, count)};
    for (size_t i = 0; i < count; i++) {
        quota_answer is = take_one(h, r, &due[i], no);
        waits |= is == QUOTA_WAIT;
        if (is != QUOTA_FULL) continue;
        put_back(h);
        return QUOTA_FULL;
    }
    if (waits) {
        put_back(h);
        return QUOTA_WAIT;
    }
    *hold = h;
    return QUOTA_ROOM;
}

/* Settling */

static int64_t final_cost(const quota_hold *h, const entry *e, const quota_usage *used,
                          quota_end end)
{
    int64_t counted = e->cost;
    if (end == QUOTA_UNSENT || e->slot) return 0;
    if (end == QUOTA_AGAIN && policy_quota_counts_requests(e->quota, h->kind)) return 0;
    if (!used || !policy_quota_cost(e->quota, h->kind, used, h->a, &counted)) return e->cost;
    return end == QUOTA_CUT && counted < e->cost ? e->cost : counted;
}

static void settle_one(const quota_hold *h, entry *e, int64_t cost)
{
    quota_cell *c = e->cell;
    int64_t used = atomic_fetch_add(&c->used, cost - e->cost) + cost - e->cost;
    e->view.remaining += e->cost - cost;
    if (e->view.remaining < 0) e->view.remaining = 0;
    e->cost = cost;
    if (!quota_counts_alone(h->q) && used > atomic_load(&c->granted))
        (void)quota_want_add(h->q,
                             (quota_want){.cell = c}); /* it is owed: the next round sees it */
    quota_cells_unpin(h->q->cells, c);
    e->cell = NULL;
}

void quota_settle(quota_hold *h, const quota_usage *used, quota_end end)
{
    for (size_t i = 0; h && i < h->count; i++) {
        entry *e = &h->list[i];
        if (e->cell) settle_one(h, e, final_cost(h, e, used, end));
    }
}

/* Views */

/* By the share that is left. */
static bool is_tighter(const quota_view *v, const quota_view *than)
{
    double a = v->limit ? (double)v->remaining / (double)v->limit : 0;
    double b = than->limit ? (double)than->remaining / (double)than->limit : 0;
    return a < b;
}

bool quota_tightest(const quota_hold *h, quota_view *out)
{
    bool any = false;
    for (size_t i = 0; h && i < h->count; i++) {
        const entry *e = &h->list[i];
        if (e->shadow || (any && !is_tighter(&e->view, out))) continue;
        *out = e->view;
        any = true;
    }
    return any;
}

str quota_shadowed(const quota_hold *h)
{
    return h ? h->shadowed : (str){0};
}

bool quota_each(const quota_hold *h, size_t i, quota_view *out, int64_t *cost)
{
    if (!h || i >= h->count) return false;
    *out = h->list[i].view;
    *cost = h->list[i].cost;
    return true;
}

quota_view quota_look(quotas *q, const policy_due *due, arena *scratch, int64_t now_ms)
{
    const policy_quota *p = due->quota;
    quota_view v = {p->id, due->limit, due->limit, resets_in(p, now_ms), p->money};
    if (!q) return v;
    taking t = {.q = q, .due = due, .alone = quota_counts_alone(q)};
    t.now_ms = now_ms + atomic_load_explicit(&q->skew_ms, memory_order_relaxed);
    int64_t index = quota_window_index(p->kind, p->window_ms, t.now_ms);
    t.name = quota_cells_name(scratch, p, due->key);
    t.cell = quota_cells_find(q->cells, t.name, index);
    if (!t.cell) return v;
    t.state = quota_cells_state(q->cells, t.cell);
    v = view_of(&t);
    quota_cells_unpin(q->cells, t.cell);
    return v;
}

void quota_spend(quotas *q, const policy_due *due, arena *scratch, int64_t now_ms, int64_t units)
{
    const policy_quota *p = due->quota;
    int64_t index = quota_window_index(p->kind, p->window_ms, now_ms);
    quota_cell *c =
        quota_cells_make(q->cells, p, quota_cells_name(scratch, p, due->key), index, now_ms);
    if (!c) return;
    atomic_fetch_add(&c->used, units);
    quota_cells_unpin(q->cells, c);
}
