/* SPDX-License-Identifier: Apache-2.0 */
/* quota_cells.c - a table with open addressing whose readers take no lock.
 *
 * A cell is looked for in a short run of slots behind the place its hash says. Who finds it pins
 * it and looks again whether it still is what it was; who wants the slot for another cell first
 * makes it nobody's and then looks for pins. Both orders are sequentially consistent, so one of
 * the two sees the other. A slot is taken over only when its window is so long over that not even
 * a sliding one counts it.
 *
 * Names are 128 bits of SHA-256 and not of a keyed hash: replicas must agree on them, and a caller
 * must not find a key that is counted on another's cell. Places come from a seed of the process, so
 * that nobody can choose keys that crowd one place. */
#include "quota_cells.h"
#include "../base/buf.h"
#include "../base/hash.h"
#include "../base/map.h"
#include "../base/pages.h"
#include "digest.h"
#include "quota.h"
#include <pthread.h>
#include <stdlib.h>

enum { RUN = 64, OWN_CELLS = 1 << 14, BOOT_MOST = 48 };
static const uint64_t magic = 0x3173616c6c656353; /* changes with the layout */
static const int64_t day_ms = 86400000;

typedef struct {
    uint64_t magic;
    uint32_t cell_bytes, count;
    uint64_t run;
    _Atomic uint64_t leases;
    char boot[BOOT_MOST];
    char pad[128 - 32 - BOOT_MOST];
} head;
_Static_assert(sizeof(head) == sizeof(quota_cell), "cells are aligned behind it");

/* How many keys a quota has in the window it counts. */
typedef struct quota_share {
    int64_t index;
    size_t keys;
} quota_share;

struct quota_cells {
    arena *a;
    head *head;
    quota_cell *cells;
    quota_state *states;
    size_t mask;
    hash_seed seed;
    _Atomic uint64_t *made; /* bit per slot that ever held a cell: the rest is never touched */
    void *own;              /* to be freed */
    pthread_mutex_t making;
    map *shares; /* quota id -> quota_share */
};

/* Windows */

/* Months since year 0 (Howard Hinnant's days-to-civil, proleptic Gregorian, UTC). */
static int64_t month_of(int64_t now_ms)
{
    int64_t z = now_ms / day_ms + 719468;
    int64_t era = z / 146097, of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153; /* from March */
    int64_t month = shifted < 10 ? shifted + 2 : shifted - 10;
    return (year + era * 400 + (month < 2)) * 12 + month;
}

static int64_t month_begin_ms(int64_t index)
{
    int64_t year = index / 12, month = index % 12;
    int64_t y = month < 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    int64_t shifted = month < 2 ? month + 10 : month - 2;
    int64_t of_year = (153 * shifted + 2) / 5;
    int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return days * day_ms;
}

int64_t quota_window_index(quota_kind kind, int64_t window_ms, int64_t now_ms)
{
    if (kind == QUOTA_CONCURRENCY) return 0;
    return window_ms ? now_ms / window_ms : month_of(now_ms);
}

int64_t quota_window_end_ms(quota_kind kind, int64_t window_ms, int64_t index)
{
    if (kind == QUOTA_CONCURRENCY) return 0;
    return window_ms ? (index + 1) * window_ms : month_begin_ms(index + 1);
}

/* The table */

static void set_boot(char out[BOOT_MOST], str boot)
{
    memset(out, 0, BOOT_MOST);
    for (size_t i = 0; i < boot.n && i < BOOT_MOST; i++) out[i] = boot.p[i];
}

static size_t cells_in(size_t bytes)
{
    size_t fit = bytes / sizeof(quota_cell), count = 1;
    if (fit < 3) return 0;
    while (count * 2 <= fit - 1) count *= 2;
    return count;
}

quota_cells *quota_cells_new(void *memory, size_t bytes, str boot)
{
    arena *a = arena_new();
    quota_cells *t = NEW(a, quota_cells);
    size_t count = memory ? cells_in(bytes) : OWN_CELLS;
    *t = (quota_cells){.a = a, .mask = count - 1, .seed = hash_seed_new()};
    if (!memory) {
        t->own = pages_new(count + 1, sizeof(quota_cell));
        memory = t->own;
    }
    t->head = memory;
    t->cells = (quota_cell *)memory + 1;
    t->states = pages_new(count, sizeof *t->states);
    t->made = calloc(count / 64 + 1, sizeof *t->made);
    if (!t->made) abort();
    t->shares = map_new(a);
    pthread_mutex_init(&t->making, NULL);
    t->head->cell_bytes = sizeof(quota_cell);
    t->head->count = (uint32_t)count;
    set_boot(t->head->boot, boot);
    while (!t->head->run) digest_random(&t->head->run, sizeof t->head->run);
    atomic_thread_fence(memory_order_seq_cst);
    t->head->magic = magic;
    return t;
}

void quota_cells_free(quota_cells *t)
{
    if (!t) return;
    pthread_mutex_destroy(&t->making);
    pages_free(t->own, t->mask + 2, sizeof(quota_cell));
    pages_free(t->states, t->mask + 1, sizeof *t->states);
    free(t->made);
    arena_free(t->a);
}

quota_cell *quota_cells_walk(const quota_cells *t, size_t *i, quota_cell *before)
{
    if (before) quota_cells_unpin(t, before);
    for (; *i <= t->mask; ++*i) {
        uint64_t bits = atomic_load(&t->made[*i / 64]) >> (*i % 64);
        if (!bits) {
            *i |= 63;
            continue;
        }
        *i += (size_t)__builtin_ctzll(bits);
        quota_cell *c = &t->cells[*i];
        if (!atomic_load(&c->a)) continue;
        quota_cells_pin(t, c);
        if (atomic_load(&c->a)) {
            ++*i;
            return c;
        }
        quota_cells_unpin(t, c);
    }
    return NULL;
}

quota_state *quota_cells_state(const quota_cells *t, const quota_cell *c)
{
    return &t->states[c - t->cells];
}

uint64_t quota_cells_run(const quota_cells *t)
{
    return t->head->run;
}

uint64_t quota_cells_next_lease(quota_cells *t)
{
    return atomic_fetch_add(&t->head->leases, 1) + 1;
}

quota_name quota_cells_name(arena *scratch, const policy_quota *q, str key)
{
    /* the lengths stand before id and key, so that no two of them can be one text */
    const uint64_t front[4] = {q->id.n, (uint64_t)q->kind, (uint64_t)q->window_ms, key.n};
    uint8_t digest[DIGEST_BYTES];
    buf all = buf_new(scratch, sizeof front + q->id.n + key.n);
    (void)buf_put(&all, (str){(const char *)front, sizeof front});
    (void)buf_put(&all, q->id);
    (void)buf_put(&all, key);
    digest_sha256(buf_str(&all), digest);
    quota_name name = {0};
    for (unsigned i = 0; i < 8; i++) {
        name.a = name.a << 8 | digest[i];
        name.b = name.b << 8 | digest[i + 8];
    }
    name.a |= name.a == 0;
    return name;
}

/* Finding */

static size_t place_of(const quota_cells *t, quota_name n, int64_t index)
{
    const uint64_t all[3] = {n.a, n.b, (uint64_t)index};
    return (size_t)hash_bytes(t->seed, (str){(const char *)all, sizeof all});
}

static bool is_it(quota_cell *c, quota_name n, int64_t index)
{
    return atomic_load(&c->a) == n.a && atomic_load(&c->b) == n.b &&
           atomic_load(&c->index) == index;
}

void quota_cells_pin(const quota_cells *t, const quota_cell *c)
{
    atomic_fetch_add(&quota_cells_state(t, c)->pins, 1);
}

void quota_cells_unpin(const quota_cells *t, const quota_cell *c)
{
    atomic_fetch_sub(&quota_cells_state(t, c)->pins, 1);
}

static quota_cell *find_from(const quota_cells *t, size_t place, quota_name n, int64_t index)
{
    for (size_t i = 0; i < RUN; i++) {
        quota_cell *c = &t->cells[(place + i) & t->mask];
        if (!is_it(c, n, index)) continue;
        quota_cells_pin(t, c);
        if (is_it(c, n, index)) return c;
        quota_cells_unpin(t, c);
    }
    return NULL;
}

quota_cell *quota_cells_find(const quota_cells *t, quota_name n, int64_t index)
{
    return find_from(t, place_of(t, n, index), n, index);
}

/* Making */

/* Nobody will ask for it again, and the ledger knows of it all it can know. */
static bool is_over(quota_cell *c, int64_t now_ms)
{
    quota_kind kind = (quota_kind)atomic_load(&c->kind);
    int64_t window_ms = atomic_load(&c->window_ms);
    if (atomic_load(&c->asked)) return false;
    if (kind == QUOTA_CONCURRENCY)
        return atomic_load(&c->used) == 0 && atomic_load(&c->granted) == 0;
    int64_t ago = quota_window_index(kind, window_ms, now_ms) - atomic_load(&c->index);
    return ago > (kind == QUOTA_SLIDING ? 1 : 0);
}

static bool take_over(const quota_cells *t, quota_cell *c, int64_t now_ms)
{
    quota_state *s = quota_cells_state(t, c);
    uint64_t a = atomic_load(&c->a);
    if (!a) return atomic_load(&s->pins) == 0;
    if (atomic_load(&s->pins) || !is_over(c, now_ms)) return false;
    atomic_store(&c->a, 0);
    if (atomic_load(&s->pins) == 0 && is_over(c, now_ms)) return true;
    atomic_store(&c->a, a);
    return false;
}

static quota_share *share_of(quota_cells *t, str id)
{
    quota_share *s = map_get(t->shares, id);
    if (s) return s;
    s = NEW(t->a, quota_share);
    map_put(t->shares, arena_dup(t->a, id), s);
    return s;
}

static void clear(quota_cell *c, quota_state *s)
{
    atomic_store(&c->used, 0);
    atomic_store(&c->granted, 0);
    atomic_store(&c->lease, 0);
    atomic_store(&c->units, 0);
    atomic_store(&c->former, 0);
    atomic_store(&c->former_units, 0);
    atomic_store(&c->asked, 0);
    atomic_store(&s->refilling, false);
    atomic_store(&s->limit, 0);
    atomic_store(&s->others, 0);
    atomic_store(&s->full_until_ms, 0);
    atomic_store(&s->full_cost, 0);
    atomic_store(&s->room_at_ms, 0);
    atomic_store(&s->low, 0);
    s->batch = 0;
    s->owed_number = 0;
    s->used_before = s->since_ms = s->used_seen = 0;
}

typedef struct {
    quota_name name;
    int64_t index, window_ms;
    uint32_t kind;
    quota_share *share;
} spec;

static quota_cell *make(quota_cells *t, const spec *q, int64_t now_ms)
{
    size_t place = place_of(t, q->name, q->index);
    quota_cell *c = find_from(t, place, q->name, q->index);
    if (c) return c;
    quota_share *share = q->share;
    if (q->index > share->index) *share = (quota_share){.index = q->index};
    if (share->keys >= QUOTA_KEYS_MOST) return NULL;
    for (size_t i = 0; i < RUN && !c; i++) {
        quota_cell *one = &t->cells[(place + i) & t->mask];
        if (take_over(t, one, now_ms)) c = one;
    }
    if (!c) return NULL;
    quota_state *s = quota_cells_state(t, c);
    if (s->share && s->share->keys && s->share->index == atomic_load(&c->index)) s->share->keys--;
    clear(c, s);
    size_t slot = (size_t)(c - t->cells);
    atomic_fetch_or(&t->made[slot / 64], (uint64_t)1 << (slot % 64));
    s->share = share;
    if (share->index == q->index) share->keys++;
    atomic_store(&c->index, q->index);
    atomic_store(&c->window_ms, q->window_ms);
    atomic_store(&c->kind, q->kind);
    atomic_store(&c->b, q->name.b);
    quota_cells_pin(t, c);
    atomic_store(&c->a, q->name.a);
    return c;
}

quota_cell *quota_cells_make(quota_cells *t, const policy_quota *q, quota_name n, int64_t index,
                             int64_t now_ms)
{
    spec s = {n, index, q->window_ms, (uint32_t)q->kind, NULL};
    pthread_mutex_lock(&t->making);
    s.share = share_of(t, q->id);
    quota_cell *c = make(t, &s, now_ms);
    pthread_mutex_unlock(&t->making);
    return c;
}

quota_cell *quota_cells_sibling(quota_cells *t, quota_cell *c, int64_t index, int64_t now_ms)
{
    spec s = {{atomic_load(&c->a), atomic_load(&c->b)},
              index,
              atomic_load(&c->window_ms),
              atomic_load(&c->kind),
              NULL};
    pthread_mutex_lock(&t->making);
    s.share = quota_cells_state(t, c)->share;
    quota_cell *made = make(t, &s, now_ms);
    pthread_mutex_unlock(&t->making);
    return made;
}

/* What was left */

uint64_t quota_cells_left_run(const void *memory, size_t bytes, str boot)
{
    const head *h = memory;
    char now[BOOT_MOST];
    if (!memory || cells_in(bytes) == 0 || h->magic != magic) return 0;
    if (h->cell_bytes != sizeof(quota_cell) || h->count != cells_in(bytes)) return 0;
    set_boot(now, boot);
    return memcmp(now, h->boot, BOOT_MOST) == 0 ? h->run : 0;
}

static bool is_possible(const quota_left *l)
{
    const int64_t most = LEDGER_UNITS_MOST;
    bool windowed = l->kind != QUOTA_CONCURRENCY;
    if (l->kind > QUOTA_CONCURRENCY || l->index < 0 || l->window_ms < 0) return false;
    if (l->window_ms % 1000 || l->window_ms > 30 * day_ms || (!windowed && l->window_ms))
        return false;
    if (l->kind == QUOTA_SLIDING && !l->window_ms) return false;
    return l->used >= 0 && l->used <= most && l->granted >= 0 && l->granted <= most &&
           l->units >= 0 && l->units <= most && l->former_units >= 0 && l->former_units <= most;
}

bool quota_cells_left(const void *memory, size_t bytes, size_t *i, quota_left *out)
{
    const quota_cell *cells = (const quota_cell *)memory + 1;
    while (*i < cells_in(bytes)) {
        const quota_cell *c = &cells[(*i)++];
        *out = (quota_left){.name = {c->a, c->b},
                            .kind = (quota_kind)c->kind,
                            .window_ms = c->window_ms,
                            .index = c->index,
                            .used = c->used,
                            .granted = c->granted,
                            .units = c->units,
                            .lease = c->lease,
                            .asked = c->asked,
                            .former = c->former,
                            .former_units = c->former_units};
        if (out->name.a && is_possible(out)) return true;
    }
    return false;
}
