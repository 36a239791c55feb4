/* SPDX-License-Identifier: Apache-2.0 */
/* price.c - finding a model's price, and the sum of a call.
 *
 * Globs are tried in the order of how much they say, so that the first that fits is the one. */
#include "price.h"
#include "../authz/policy/policy.h"
#include "price_table.h"
#include <stdlib.h>

enum { PICO = 1000000 }; /* in a micro-dollar */

static bool is_wild(char c)
{
    return c == '*' || c == '?';
}

static size_t said(str glob)
{
    size_t n = 0;
    for (size_t i = 0; i < glob.n; i++) n += !is_wild(glob.p[i]);
    return n;
}

static int by_weight(const void *x, const void *y)
{
    const price_glob *a = x, *b = y;
    size_t more = said(a->glob), less = said(b->glob);
    if (more != less) return more < less ? 1 : -1;
    return (a->order > b->order) - (a->order < b->order);
}

void price_table_sort(price_table *t)
{
    if (t->glob_count) qsort(t->globs, t->glob_count, sizeof *t->globs, by_weight);
}

static str core_of(str glob)
{
    str best = {glob.p, 0};
    for (size_t i = 0; i < glob.n; i++) {
        size_t from = i;
        while (i < glob.n && !is_wild(glob.p[i])) i++;
        if (i - from > best.n) best = (str){glob.p + from, i - from};
    }
    return best;
}

/* Which pairs of neighbours there are, by a hash of 64: a name without one of a glob's does not
 * fit it. */
static uint64_t pairs(str s)
{
    uint64_t set = 0;
    for (size_t i = 1; i < s.n; i++)
        set |= (uint64_t)1 << (((unsigned char)s.p[i - 1] * 31u + (unsigned char)s.p[i]) % 64);
    return set;
}

static price_glob *room_for(price_table *t, arena *a)
{
    if (t->glob_count == t->room) {
        size_t room = t->room ? 2 * t->room : 16;
        price_glob *more = NEW_N(a, price_glob, room);
        for (size_t i = 0; i < t->glob_count; i++) more[i] = t->globs[i];
        t->globs = more;
        t->room = room;
    }
    return &t->globs[t->glob_count];
}

void price_table_put(price_table *t, arena *a, str name, price *is)
{
    str core = core_of(name);
    if (!t->exact) t->exact = map_new(a);
    if (core.n == name.n) {
        map_put(t->exact, name, is);
        return;
    }
    *room_for(t, a) =
        (price_glob){.glob = name, .order = t->glob_count, .pairs = pairs(core), .is = is};
    t->glob_count++;
}

static const price *look(const price_table *t, str model, uint64_t has)
{
    if (!t || !t->exact) return NULL;
    const price *p = map_get(t->exact, model);
    for (size_t i = 0; !p && i < t->glob_count; i++)
        if (!(t->globs[i].pairs & ~has) && policy_glob(t->globs[i].glob, model)) p = t->globs[i].is;
    return p;
}

static const price *built_in(const prices *p, str seller, str model, uint64_t has)
{
    const price *found = seller.n ? look(map_get(p->sellers, seller), model, has) : NULL;
    str name;
    void *table;
    for (size_t at = 0; !found && map_each(p->sellers, &at, &name, &table);)
        found = look(table, model, has);
    return found;
}

const price *price_find(const prices *p, str backend, str seller, str model)
{
    const uint64_t has = pairs(model);
    const price *found = look(map_get(p->backends, backend), model, has);
    if (!found) found = look(&p->own, model, has);
    if (!found) found = built_in(p, seller, model, has);
    return found ? found : p->otherwise;
}

str prices_date(const prices *p)
{
    return p->date;
}

uint64_t prices_serial(const prices *p)
{
    return p->serial;
}

static int64_t plus(int64_t sum, int64_t n, int64_t each)
{
    int64_t more;
    if (__builtin_mul_overflow(n, each, &more) || __builtin_add_overflow(sum, more, &sum))
        return INT64_MAX;
    return sum;
}

int64_t price_cost(const price *p, const llm_usage *u)
{
    if (p->then && usage_prompt(u) > p->above) p = p->then;
    int64_t sum = p->request;
    sum = plus(sum, u->input.v, p->input);
    sum = plus(sum, u->cache_read.v, p->cached_input);
    sum = plus(sum, u->cache_write.v, p->cache_write);
    sum = plus(sum, u->cache_write_1h.v, p->cache_write_1h);
    sum = plus(sum, u->output.v, p->output);
    sum = plus(sum, u->reasoning.v, p->reasoning);
    return sum / PICO + (sum % PICO != 0);
}
