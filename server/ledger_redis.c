/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis.c - the ledger in Redis: the scripts decide what is granted (redis_lua.c), by
 * Redis's own clock. A server that answers with other shapes or windows than it was asked for is
 * taken for none. */
#include "redis.h"
#include "store_check.h"
#include "window.h"

enum { LINGERS_MS = 60000, ASK_WORDS = 8, GRANT_WORDS = 5, HOLDERS_MOST = 4096 };
#define CLOCK_MOST ((int64_t)1 << 50) /* ms: no clock shows more, and no window's end overflows */

static const err *odd(arena *a)
{
    return err_new(a, ERR_UPSTREAM, "redis: an answer of another question");
}

/* So many whole numbers, none below 0? */
static bool are_numbers(const resp *list, size_t n)
{
    if (list->kind != RESP_LIST || list->n != n) return false;
    for (size_t i = 0; i < n; i++)
        if (list->items[i].kind != RESP_NUMBER || list->items[i].number < 0) return false;
    return true;
}

/* Taking */

static int64_t limit_of(const ledger_ask *k)
{
    return k->limit < LEDGER_UNITS_MOST ? k->limit : LEDGER_UNITS_MOST;
}

static int64_t least_of(const ledger_ask *k)
{
    return k->least > 1 ? k->least : 1;
}

static void put_ask(arena *a, const ledger_ask *k, str *words)
{
    words[0] = k->cell.name;
    words[1] = redis_number(a, k->cell.window);
    words[2] = redis_number(a, k->cell.window_ms);
    words[3] = redis_number(a, limit_of(k));
    words[4] = redis_number(a, k->want);
    words[5] = redis_number(a, least_of(k));
    words[6] = k->lease;
    words[7] = k->owed ? S("1") : S("0");
}

static const err *read_grant(arena *a, const ledger_ask *k, int64_t now, const resp *said,
                             ledger_grant *g)
{
    window w = window_at(&k->cell, now);
    int64_t granted = said[0].number, used = said[2].number, previous = said[3].number;
    if (said[1].number != w.index || granted > k->want || used > 2 * LEDGER_UNITS_MOST ||
        previous > 2 * LEDGER_UNITS_MOST)
        return odd(a);
    if (said[4].number && k->owed)
        return err_new(a, ERR_TOO_LARGE, "store: no room for another cell");
    int64_t left = w.ends_ms - now;
    int64_t slides = previous ? window_slides(previous, k->cell.window_ms, left) : 0;
    *g = (ledger_grant){.granted = granted,
                        .index = w.index,
                        .ends_in_ms = left,
                        .used = used + slides};
    window_load l = {limit_of(k), used, previous, least_of(k)};
    if (!granted) g->room_in_ms = window_room_in(&k->cell, &w, l, now);
    return NULL;
}

static const err *take(void *ctx, arena *a, const ledger_ask *asks, size_t n, ledger_grant *grants)
{
    const err *e = ledger_check_asks(a, asks, n, grants);
    if (e) return e;
    str *words = NEW_N(a, str, 4 + n * ASK_WORDS);
    words[0] = redis_number(a, LEDGER_CELLS_MOST);
    words[1] = redis_number(a, LEDGER_LEASES_MOST);
    words[2] = redis_number(a, LEDGER_OWED_LIVES_S);
    words[3] = redis_number(a, LINGERS_MS);
    for (size_t i = 0; i < n; i++) put_ask(a, &asks[i], words + 4 + i * ASK_WORDS);
    resp said = {0};
    e = redis_run(a, ctx, REDIS_TAKE, words, 4 + n * ASK_WORDS, &said);
    if (!e && (!are_numbers(&said, 1 + n * GRANT_WORDS) || said.items[0].number > CLOCK_MOST))
        e = odd(a);
    for (size_t i = 0; i < n && !e; i++)
        e = read_grant(a, &asks[i], said.items[0].number, said.items + 1 + i * GRANT_WORDS,
                       &grants[i]);
    return e;
}

/* Giving back */

static const err *give(void *ctx, arena *a, const ledger_rest *rests, size_t n)
{
    enum { WORDS = 7 };
    str *words = NEW_N(a, str, n * WORDS + 1);
    words[0] = redis_number(a, LEDGER_OWED_LIVES_S);
    for (size_t i = 0; i < n; i++) {
        const ledger_rest *r = &rests[i];
        str *at = words + 1 + i * WORDS;
        at[0] = r->cell.name;
        at[1] = redis_number(a, r->cell.window);
        at[2] = redis_number(a, r->cell.window_ms);
        at[3] = redis_number(a, r->index);
        at[4] = r->lease;
        at[5] = redis_number(a, r->unused > 0 ? r->unused : 0);
        at[6] = r->spare ? S("1") : S("0");
    }
    resp said = {0};
    return redis_run(a, ctx, REDIS_GIVE, words, 1 + n * WORDS, &said);
}

/* Slots */

static const err *hold(void *ctx, arena *a, str holder, ledger_slots *slots, size_t n,
                       ledger_life *life)
{
    enum { WORDS = 3 };
    *life = (ledger_life){0};
    const err *e = ledger_check_slots(a, holder, slots, n);
    if (e) return e;
    str *words = NEW_N(a, str, 3 + n * WORDS);
    words[0] = holder;
    words[1] = redis_number(a, LEDGER_HOLD_MS);
    words[2] = redis_number(a, HOLDERS_MOST);
    for (size_t i = 0; i < n; i++) {
        str *at = words + 3 + i * WORDS;
        at[0] = slots[i].cell;
        at[1] = redis_number(a, slots[i].limit);
        at[2] = redis_number(a, slots[i].want);
    }
    resp said = {0};
    e = redis_run(a, ctx, REDIS_HOLD, words, 3 + n * WORDS, &said);
    if (!e && !are_numbers(&said, 2 + n)) e = odd(a);
    if (e) return e;
    *life = (ledger_life){said.items[0].number != 0, said.items[1].number};
    for (size_t i = 0; i < n; i++) {
        int64_t held = said.items[2 + i].number;
        slots[i].held = held < slots[i].want ? held : slots[i].want;
    }
    return NULL;
}

ledger ledger_redis(redis *r)
{
    return (ledger){.take = take, .give = give, .hold = hold, .ctx = r};
}
