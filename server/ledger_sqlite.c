/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_sqlite.c - the ledger in SQLite.
 *
 * A row for each cell's window, one for each lease that is open in it or was owed lately. A batch
 * is one transaction, so one wait for the disk. A window's row stays a little after its end: a
 * clock that is set back finds what was spent. */
#include "store_sqlite.h"

#include "../base/clock.h"
#include "store_check.h"
#include "window.h"

enum { LOOK_EVERY = 16, ENDED_MOST = 1000, LINGERS_MS = 60000, LEASES_ALL = 500 * 1000 };

/* A cell's window as it is kept; id 0: not yet. */
typedef struct {
    window w;
    int64_t now;
    int64_t id, used, leases;
    int64_t previous; /* sliding: what the window before took */
} row;

static const err *count_of(arena *a, sql *q, const char *what, int64_t *n)
{
    bool found = false;
    return sql_numbers(a, q,
                       SQL("SELECT n FROM counts WHERE what = ?1",
                           sql_text((str){what, strlen(what)})),
                       n, 1, &found);
}

/* What has ended */

static const err *drop_ended(arena *a, sql *q, int64_t now)
{
    const err *e = sql_run(a, q,
                           SQL("DELETE FROM cell WHERE id IN "
                               "(SELECT id FROM cell WHERE ends_ms <= ?1 LIMIT ?2)",
                               sql_int(now), sql_int(ENDED_MOST)));
    if (e) return e;
    return sql_run(a, q,
                   SQL("DELETE FROM lease WHERE (cell, name) IN "
                       "(SELECT cell, name FROM lease WHERE ends_ms <= ?1 LIMIT ?2)",
                       sql_int(now), sql_int(ENDED_MOST)));
}

/* Reading */

static const err *find(arena *a, sql *q, const ledger_cell *c, int64_t index, int64_t out[3])
{
    bool found = false;
    return sql_numbers(a, q,
                       SQL("SELECT id, used, leases FROM cell WHERE name = ?1 AND kind = ?2 "
                           "AND length_ms = ?3 AND at = ?4",
                           sql_blob(c->name), sql_int(c->window), sql_int(c->window_ms),
                           sql_int(index)),
                       out, 3, &found);
}

static const err *read_row(arena *a, sql *q, const ledger_cell *c, int64_t now, row *r)
{
    int64_t has[3], before[3] = {0};
    *r = (row){.w = window_at(c, now), .now = now};
    const err *e = find(a, q, c, r->w.index, has);
    if (!e && c->window == LEDGER_SLIDING) e = find(a, q, c, r->w.index - 1, before);
    if (e) return e;
    r->id = has[0], r->used = has[1], r->leases = has[2], r->previous = before[1];
    return NULL;
}

static int64_t used_now(const ledger_cell *c, const row *r)
{
    int64_t slides =
        r->previous ? window_slides(r->previous, c->window_ms, r->w.ends_ms - r->now) : 0;
    return r->used + slides;
}

static int64_t limit_of(const ledger_ask *k)
{
    return k->limit < LEDGER_UNITS_MOST ? k->limit : LEDGER_UNITS_MOST;
}

/* How much it may have. */
static int64_t fitting(const ledger_ask *k, const row *r)
{
    if (k->owed) return k->want;
    int64_t free = limit_of(k) - used_now(&k->cell, r);
    int64_t most = free < k->want ? free : k->want;
    return most >= (k->least > 1 ? k->least : 1) ? most : 0;
}

/* Taking */

static const err *make_row(arena *a, sql *q, const ledger_cell *c, row *r, bool *made)
{
    int64_t cells = 0;
    const err *e = count_of(a, q, "cell", &cells);
    *made = !e && cells < LEDGER_CELLS_MOST;
    if (!*made) return e;
    int64_t lingers = LINGERS_MS + (c->window == LEDGER_SLIDING ? c->window_ms : 0);
    bool found = false;
    return sql_numbers(a, q,
                       SQL("INSERT INTO cell (name, kind, length_ms, at, used, leases, ends_ms) "
                           "VALUES (?1, ?2, ?3, ?4, 0, 0, ?5) RETURNING id",
                           sql_blob(c->name), sql_int(c->window), sql_int(c->window_ms),
                           sql_int(r->w.index), sql_int(r->w.ends_ms + lingers)),
                       &r->id, 1, &found);
}

static const err *debit(arena *a, sql *q, const ledger_ask *k, row *r, int64_t units)
{
    r->used += units;
    return sql_run(a, q,
                   SQL("UPDATE cell SET used = used + ?2, leases = leases + ?3 WHERE id = ?1",
                       sql_int(r->id), sql_int(units), sql_int(k->owed ? 0 : 1)));
}

typedef struct {
    str name;
    int64_t units, ends_ms;
    bool closed; /* known by its name alone */
} lease_row;

static const err *remember(arena *a, sql *q, int64_t cell, const lease_row *l)
{
    return sql_run(a, q,
                   SQL("INSERT INTO lease (cell, name, units, owed, ends_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5)",
                       sql_int(cell), sql_blob(l->name), sql_int(l->units), sql_int(l->closed),
                       sql_int(l->ends_ms)));
}

static const err *remember_grant(arena *a, sql *q, const ledger_ask *k, const row *r, int64_t units)
{
    int64_t ends = r->w.ends_ms + (k->cell.window == LEDGER_SLIDING ? k->cell.window_ms : 0);
    if (k->owed) ends = r->now + (int64_t)LEDGER_OWED_LIVES_S * 1000;
    return remember(a, q, r->id, &(lease_row){k->lease, units, ends, k->owed});
}

/* Room for one more lease to be remembered? An owed debit is made without, in the worst case. */
static const err *may_remember(arena *a, sql *q, const ledger_ask *k, const row *r, bool *may)
{
    int64_t all = 0;
    const err *e = count_of(a, q, "lease", &all);
    *may = !e && all < LEASES_ALL && (k->owed || r->leases < LEDGER_LEASES_MOST);
    return e;
}

static const err *grant(arena *a, sql *q, const ledger_ask *k, row *r, int64_t units,
                        int64_t *granted)
{
    bool may = false, made = true;
    const err *e = may_remember(a, q, k, r, &may);
    if (e || (!may && !k->owed)) return e;
    if (!r->id) e = make_row(a, q, &k->cell, r, &made);
    if (!e && !made && k->owed) e = err_new(a, ERR_TOO_LARGE, "store: no room for another cell");
    if (e || !made) return e;
    e = debit(a, q, k, r, units);
    if (!e && may) e = remember_grant(a, q, k, r, units);
    if (!e) *granted = units;
    return e;
}

static const err *find_lease(arena *a, sql *q, int64_t cell, str name, int64_t *units, bool *found)
{
    *found = false;
    if (!cell) return NULL;
    return sql_numbers(a, q,
                       SQL("SELECT units FROM lease WHERE cell = ?1 AND name = ?2", sql_int(cell),
                           sql_blob(name)),
                       units, 1, found);
}

static const err *take_one(arena *a, sql *q, const ledger_ask *k, int64_t now, ledger_grant *g)
{
    row r;
    bool again = false;
    const err *e = read_row(a, q, &k->cell, now, &r);
    if (!e && k->want > 0) e = find_lease(a, q, r.id, k->lease, &g->granted, &again);
    if (!e && k->want > 0 && !again) {
        int64_t units = fitting(k, &r);
        if (units) e = grant(a, q, k, &r, units, &g->granted);
    }
    if (e) return e;
    g->index = r.w.index;
    g->ends_in_ms = r.w.ends_ms - now;
    g->used = used_now(&k->cell, &r);
    if (!g->granted) {
        window_load l = {limit_of(k), r.used, r.previous, k->least > 1 ? k->least : 1};
        g->room_in_ms = window_room_in(&k->cell, &r.w, l, now);
    }
    return NULL;
}

static const err *take(void *ctx, arena *a, const ledger_ask *asks, size_t n, ledger_grant *grants)
{
    sql *q = ctx;
    const err *e = ledger_check_asks(a, asks, n, grants);
    if (!e) e = sql_enter(a, q);
    if (e) return e;
    e = sql_begin(a, q);
    if (!e) {
        int64_t now = clock_wall_ms();
        if (sql_turn(q) % LOOK_EVERY == 0) e = drop_ended(a, q, now);
        for (size_t i = 0; i < n && !e; i++) e = take_one(a, q, &asks[i], now, &grants[i]);
        e = sql_end(a, q, e);
    }
    sql_leave(q);
    return e;
}

/* Giving back */

/* Where it cannot be remembered it stays spent: better than to give it twice. */
static const err *give_spare(arena *a, sql *q, int64_t cell, const ledger_rest *back)
{
    int64_t units = 0, all = 0;
    bool known = false;
    const err *e = find_lease(a, q, cell, back->lease, &units, &known);
    if (!e) e = count_of(a, q, "lease", &all);
    if (e || known || all >= LEASES_ALL) return e;
    int64_t ends = clock_wall_ms() + (int64_t)LEDGER_OWED_LIVES_S * 1000;
    e = remember(a, q, cell, &(lease_row){back->lease, 0, ends, true});
    return e ? e
             : sql_run(a, q,
                       SQL("UPDATE cell SET used = max(0, used - ?2) WHERE id = ?1", sql_int(cell),
                           sql_int(back->unused < 0 ? 0 : back->unused)));
}

static const err *give_one(arena *a, sql *q, const ledger_rest *back)
{
    int64_t has[3], units = 0;
    bool found = false;
    const err *e = find(a, q, &back->cell, back->index, has);
    if (e || !has[0]) return e;
    if (back->spare) return give_spare(a, q, has[0], back);
    e = sql_numbers(a, q,
                    SQL("DELETE FROM lease WHERE cell = ?1 AND name = ?2 AND owed = 0 "
                        "RETURNING units",
                        sql_int(has[0]), sql_blob(back->lease)),
                    &units, 1, &found);
    if (e || !found) return e;
    int64_t unused = back->unused < 0 ? 0 : back->unused;
    return sql_run(a, q,
                   SQL("UPDATE cell SET used = used - ?2, leases = leases - 1 WHERE id = ?1",
                       sql_int(has[0]), sql_int(unused < units ? unused : units)));
}

static const err *give(void *ctx, arena *a, const ledger_rest *rests, size_t n)
{
    sql *q = ctx;
    const err *e = sql_enter(a, q);
    if (e) return e;
    e = sql_begin(a, q);
    if (!e) {
        for (size_t i = 0; i < n && !e; i++) e = give_one(a, q, &rests[i]);
        e = sql_end(a, q, e);
    }
    sql_leave(q);
    return e;
}

/* Slots */

static const err *drop_dead(arena *a, sql *q, int64_t now)
{
    const err *e = sql_run(a, q,
                           SQL("DELETE FROM slot WHERE holder IN "
                               "(SELECT name FROM holder WHERE ends_ms <= ?1)",
                               sql_int(now)));
    return e ? e : sql_run(a, q, SQL("DELETE FROM holder WHERE ends_ms <= ?1", sql_int(now)));
}

static const err *live(arena *a, sql *q, str holder, int64_t now, ledger_life *life)
{
    bool found = false;
    int64_t has[2] = {0}; /* all of them, and this one */
    const err *e = sql_numbers(a, q,
                               SQL("SELECT count(*), count(*) FILTER (WHERE name = ?1) FROM holder",
                                   sql_blob(holder)),
                               has, 2, &found);
    *life = (ledger_life){.lost = !has[1], .living = has[0] + !has[1]};
    if (e) return e;
    return sql_run(a, q,
                   SQL("INSERT INTO holder VALUES (?1, ?2) ON CONFLICT DO UPDATE SET ends_ms = ?2",
                       sql_blob(holder), sql_int(now + LEDGER_HOLD_MS)));
}

static const err *write_slots(arena *a, sql *q, str holder, const ledger_slots *s)
{
    if (!s->held)
        return sql_run(a, q,
                       SQL("DELETE FROM slot WHERE cell = ?1 AND holder = ?2", sql_blob(s->cell),
                           sql_blob(holder)));
    return sql_run(a, q,
                   SQL("INSERT INTO slot VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET held = ?3",
                       sql_blob(s->cell), sql_blob(holder), sql_int(s->held)));
}

static const err *hold_one(arena *a, sql *q, str holder, ledger_slots *s)
{
    int64_t has[2], slots = 0; /* others', its own */
    bool found = false;
    const err *e = sql_numbers(a, q,
                               SQL("SELECT sum(held) FILTER (WHERE holder <> ?2), "
                                   "sum(held) FILTER (WHERE holder = ?2) "
                                   "FROM slot WHERE cell = ?1",
                                   sql_blob(s->cell), sql_blob(holder)),
                               has, 2, &found);
    if (!e) e = count_of(a, q, "slot", &slots);
    if (e) return e;
    int64_t kept = has[1] < s->want ? has[1] : s->want, free = s->limit - has[0];
    s->held = free < s->want ? free : s->want;
    if (s->held < kept || (!has[1] && slots >= LEDGER_CELLS_MOST)) s->held = kept;
    return write_slots(a, q, holder, s);
}

static const err *hold(void *ctx, arena *a, str holder, ledger_slots *slots, size_t n,
                       ledger_life *life)
{
    sql *q = ctx;
    *life = (ledger_life){0};
    const err *e = ledger_check_slots(a, holder, slots, n);
    if (!e) e = sql_enter(a, q);
    if (e) return e;
    e = sql_begin(a, q);
    if (!e) {
        int64_t now = clock_wall_ms();
        e = drop_dead(a, q, now);
        if (!e) e = live(a, q, holder, now, life);
        for (size_t i = 0; i < n && !e; i++) e = hold_one(a, q, holder, &slots[i]);
        e = sql_end(a, q, e);
    }
    sql_leave(q);
    return e;
}

ledger ledger_sqlite(sql *q)
{
    return (ledger){.take = take, .give = give, .hold = hold, .ctx = q};
}
