/* SPDX-License-Identifier: Apache-2.0 */
/* overlay.c - demands, sorted by argument and put in words a schema has. */
#include "overlay.h"
#include "../cel/compare.h"
#include "../cel/known.h"
#include "demands.h"
#include "schema.h"

enum { VALUES_MOST = 64, TEXT_MOST = 256, SENTENCES_MOST = 16 };

/* The one permit that is left open while none holds; NULL: it is not one. */
static const policy_rule *only_open(policy_ask *k)
{
    size_t at = 0;
    const policy_rule *r, *open = NULL;
    while ((r = policy_next_permit(k, &at))) {
        truth t = policy_condition(k, r);
        if (t == TRUTH_YES || (t == TRUTH_UNKNOWN && open)) return NULL;
        if (t == TRUTH_UNKNOWN) open = r;
    }
    return open;
}

/* Words */

static str shown(arena *a, cel_value v)
{
    if (v.tag == CEL_STRING) return cel_text(v);
    return js_dump(a, cel_to_json(a, v));
}

static str listed(arena *a, cel_value list)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    for (size_t i = 0; i < cel_count(list); i++) {
        if (i) (void)buf_put(&b, S(", "));
        (void)buf_put(&b, shown(a, cel_item(list, i)));
    }
    return buf_str(&b);
}

/* {0}: there are no words for it. */
static str sentence(arena *a, const cel_demand *d)
{
    static const char *const words[] = {[DEMAND_STARTS] = "start with",
                                        [DEMAND_ENDS] = "end with",
                                        [DEMAND_CONTAINS] = "contain",
                                        [DEMAND_MATCHES] = "match the pattern"};
    const char *must = d->not ? "must not" : "must";
    str text = {0};
    if (d->kind == DEMAND_IS && d->not ) {
        const char *one = cel_count(d->value) == 1 ? "" : "one of ";
        text = arena_fmt(a, "must not be %s" STR_FMT, one, STR_ARG(listed(a, d->value)));
    } else if (d->kind >= DEMAND_STARTS) {
        text = arena_fmt(a, "%s %s " STR_FMT, must, words[d->kind], STR_ARG(cel_text(d->value)));
    }
    return text.n > TEXT_MOST ? (str){0} : text;
}

/* Narrowings */

typedef struct {
    arena *a;
    policy_narrowing *list;
    size_t count;
} narrower;

static policy_narrowing *of_argument(narrower *w, str argument)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_eq(w->list[i].argument, argument)) return &w->list[i];
    policy_narrowing *n = &w->list[w->count++];
    *n = (policy_narrowing){.argument = argument, .sentences = NEW(w->a, str)};
    return n;
}

/* Is it the same value to whoever reads the schema? */
static bool is_plain(cel_value v)
{
    return v.tag == CEL_NULL || v.tag == CEL_BOOL || v.tag == CEL_STRING || cel_is_exact(v);
}

static void only_values(narrower *w, policy_narrowing *n, cel_value list)
{
    size_t count = cel_count(list), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_plain(cel_item(list, i))) return;
    if (count > VALUES_MOST) return;
    cel_value *values = NEW_N(w->a, cel_value, count + 1);
    for (size_t i = 0; i < count; i++) {
        cel_value v = cel_item(list, i);
        bool fits = !n->has_values;
        for (size_t k = 0; k < n->value_count && !fits; k++) fits = cel_equal(n->values[k], v);
        for (size_t k = 0; k < kept && fits; k++) fits = !cel_equal(values[k], v);
        if (fits) values[kept++] = v;
    }
    n->has_values = true;
    n->values = values;
    n->value_count = kept;
}

static void tighten(cel_value *bound, bool *open, cel_value v, bool is_open, cel_ordering tighter)
{
    cel_ordering o = bound->tag ? cel_order(v, *bound) : tighter;
    if (o == CEL_SAME) *open |= is_open;
    if (o != tighter) return;
    *bound = v;
    *open = is_open;
}

static void say(narrower *w, policy_narrowing *n, str text)
{
    size_t count = 0;
    for (; n->sentences[count].p; count++)
        if (str_eq(n->sentences[count], text)) return;
    if (!text.n || count == SENTENCES_MOST) return;
    str *more = NEW_N(w->a, str, count + 2);
    for (size_t i = 0; i < count; i++) more[i] = n->sentences[i];
    more[count] = text;
    n->sentences = more;
}

static void narrow(narrower *w, const cel_demand *d)
{
    policy_narrowing *n = of_argument(w, d->member);
    n->there |= d->there;
    bool number = cel_is_exact(d->value);
    switch (d->kind) {
    case DEMAND_LESS:
    case DEMAND_AT_MOST:
        if (number) tighten(&n->most, &n->below, d->value, d->kind == DEMAND_LESS, CEL_LESS);
        return;
    case DEMAND_MORE:
    case DEMAND_AT_LEAST:
        if (number) tighten(&n->least, &n->above, d->value, d->kind == DEMAND_MORE, CEL_MORE);
        return;
    default: break;
    }
    if (d->kind == DEMAND_IS && !d->not ) {
        only_values(w, n, d->value);
        return;
    }
    say(w, n, sentence(w->a, d));
}

static const str *named_by(arena *a, const policy_rule *r)
{
    str *names = NEW_N(a, str, r->constraint_count + 1);
    for (size_t i = 0; i < r->constraint_count; i++) names[i] = r->constraints[i].name;
    return names;
}

bool policy_overlay_of(const policy *p, const question *q, arena *scratch, policy_overlay *out)
{
    policy_ask k;
    policy_demands all;
    *out = (policy_overlay){0};
    policy_ask_begin(&k, p, q, scratch);
    policy_demands_begin(&k, &all);
    policy_demands_add_all(&k, &all);
    const policy_rule *open = only_open(&k);
    if (open) policy_demands_add(&k, open, &all);
    narrower w = {.a = scratch};
    w.list = NEW_N(scratch, policy_narrowing, all.d.count + all.there_count);
    for (size_t i = 0; i < all.d.count; i++) narrow(&w, &all.d.list[i]);
    for (size_t i = 0; i < all.there_count; i++) of_argument(&w, all.there[i])->there = true;
    out->arguments = w.list;
    out->count = w.count;
    out->only_named = all.only_named != NULL;
    if (all.only_named) out->named = named_by(scratch, all.only_named);
    return out->count || out->only_named;
}
