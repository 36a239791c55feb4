/* SPDX-License-Identifier: Apache-2.0 */
/* price.c - finding a model's price, and the sum of a call.
 *
 * Globs are tried in the order of how much they say, so that the first that fits is the one; most
 * fail at their first character. */
#include "price.h"
#include "../authz/policy/policy.h"
#include "price_table.h"
#include <stdlib.h>

enum { PICO = 1000000 }; /* in a micro-dollar */

static size_t said(str glob)
{
    size_t n = 0;
    for (size_t i = 0; i < glob.n; i++) n += glob.p[i] != '*' && glob.p[i] != '?';
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

static const price *look(const price_table *t, str model)
{
    if (!t || !t->exact) return NULL;
    const price *p = map_get(t->exact, model);
    for (size_t i = 0; !p && i < t->glob_count; i++)
        if (policy_glob(t->globs[i].glob, model)) p = t->globs[i].is;
    return p;
}

static const price *built_in(const prices *p, str seller, str model)
{
    const price *found = seller.n ? look(map_get(p->sellers, seller), model) : NULL;
    str name;
    void *table;
    for (size_t at = 0; !found && map_each(p->sellers, &at, &name, &table);)
        found = look(table, model);
    return found;
}

const price *price_find(const prices *p, str backend, str seller, str model)
{
    const price *found = look(map_get(p->backends, backend), model);
    if (!found) found = look(&p->own, model);
    if (!found) found = built_in(p, seller, model);
    return found ? found : p->otherwise;
}

str prices_date(const prices *p)
{
    return p->date;
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
