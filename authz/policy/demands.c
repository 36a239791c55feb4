/* SPDX-License-Identifier: Apache-2.0 */
/* demands.c - collecting, and telling when it is too much. */
#include "demands.h"
#include "../cel/compare.h"
#include "../cel/known.h"
#include "schema.h"

void policy_demands_begin(policy_ask *k, policy_demands *all)
{
    static const cel_known nothing = {.slot = VAR_ARGS};
    *all = (policy_demands){.d = {.room = DEMANDS_MOST}};
    all->d.list = NEW_N(k->scratch, cel_demand, DEMANDS_MOST);
    if (!k->facts.bindings.known) k->facts.bindings.known = &nothing;
}

/* Collecting */

static const cel_program *program_of(void *ctx, size_t slot)
{
    const policy *p = ctx;
    return slot >= FACTS && slot - FACTS < p->var_count ? p->vars[slot - FACTS].program : NULL;
}

static cel_residue_of of_arguments(policy_ask *k, str this)
{
    union { /* what is asked for by number is only read */
        const policy *in;
        void *out;
    } p = {.in = k->p};
    return (cel_residue_of){.slot = VAR_ARGS,
                            .alias = this.p ? FACT_THIS : VAR_ARGS,
                            .alias_member = this,
                            .program = program_of,
                            .ctx = p.out};
}

static void add_program(policy_ask *k, const cel_program *program, str this, bool must_be,
                        policy_demands *all)
{
    cel_residue_of of = of_arguments(k, this);
    k->facts.bindings.values[FACT_THIS] = cel_unknown(VAR_ARGS);
    cel_residue(program, &k->facts.bindings, k->scratch, &of, must_be, &all->d);
}

static void add_values(policy_ask *k, const rule_constraint *c, bool must_be, policy_demands *all)
{
    cel_list *list = NEW(k->scratch, cel_list);
    *list = (cel_list){c->count, c->values};
    if (all->d.count < all->d.room)
        all->d.list[all->d.count++] = (cel_demand){.member = c->name,
                                                   .not = !must_be,
                                                   .there = true,
                                                   .value = {.tag = CEL_LIST, .u.list = list}};
}

/* An argument that may be missing asks only something of itself, and only if it is there. */
static void add_constraint(policy_ask *k, const rule_constraint *c, bool must_be,
                           policy_demands *all)
{
    size_t kept = all->d.count;
    bool never = all->d.never;
    if (c->program)
        add_program(k, c->program, c->name, must_be, all);
    else
        add_values(k, c, must_be, all);
    if (!c->optional) {
        if (all->there_count < DEMANDS_MOST) all->there[all->there_count++] = c->name;
        return;
    }
    all->d.never = never;
    for (size_t i = kept; i < all->d.count; i++) {
        cel_demand d = all->d.list[i];
        d.there = false;
        if (str_eq(d.member, c->name)) all->d.list[kept++] = d;
    }
    all->d.count = kept;
}

/* The one part of a forbid that is open while all others hold; then it must not hold. */
static void add_forbid(policy_ask *k, const policy_rule *r, policy_demands *all)
{
    const rule_constraint *open = NULL;
    truth when = r->when ? policy_run(k, r, r->when, r->when_source) : TRUTH_YES;
    size_t count = when == TRUTH_UNKNOWN;
    for (size_t i = 0; i < r->constraint_count; i++) {
        truth t = policy_known_argument(k, r, &r->constraints[i]);
        if (t == TRUTH_NO || t == TRUTH_ERROR) return;
        if (t == TRUTH_YES) continue;
        open = &r->constraints[i];
        count++;
    }
    if (count != 1 || when == TRUTH_ERROR) return;
    if (open)
        add_constraint(k, open, false, all);
    else
        add_program(k, r->when, (str){0}, false, all);
}

void policy_demands_add(policy_ask *k, const policy_rule *r, policy_demands *all)
{
    if (policy_condition(k, r) != TRUTH_UNKNOWN) return;
    if (r->effect == RULE_FORBID) {
        add_forbid(k, r, all);
        return;
    }
    if (r->when) add_program(k, r->when, (str){0}, true, all);
    for (size_t i = 0; i < r->constraint_count; i++)
        add_constraint(k, &r->constraints[i], true, all);
    if (r->only_named_args && r->effect == RULE_PERMIT) all->only_named = r;
}

void policy_demands_add_all(policy_ask *k, policy_demands *all)
{
    size_t at = 0;
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect <= RULE_REQUIRE; effect++)
        while ((r = policy_next_rule(k, (rule_effect)effect, &at))) policy_demands_add(k, r, all);
}

/* Contradictions */

static bool in_list(cel_value list, cel_value v)
{
    for (size_t i = 0; i < cel_count(list); i++)
        if (cel_equal(cel_item(list, i), v)) return true;
    return false;
}

static bool text_meets(cel_demand_kind kind, str text, str want)
{
    switch (kind) {
    case DEMAND_STARTS: return str_starts(text, want);
    case DEMAND_ENDS: return str_ends(text, want);
    case DEMAND_CONTAINS: return !want.n || (text.n && memmem(text.p, text.n, want.p, want.n));
    default: return true; /* patterns are not tried */
    }
}

bool policy_demands_meet(const cel_demand *d, cel_value v)
{
    if (d->kind == DEMAND_IS) return in_list(d->value, v) != d->not ;
    if (d->kind == DEMAND_MATCHES) return v.tag == CEL_STRING;
    if (d->kind >= DEMAND_STARTS)
        return v.tag == CEL_STRING &&
               text_meets(d->kind, cel_text(v), cel_text(d->value)) != d->not ;
    cel_ordering o = cel_order(v, d->value);
    switch (d->kind) {
    case DEMAND_LESS: return o == CEL_LESS;
    case DEMAND_AT_MOST: return o == CEL_LESS || o == CEL_SAME;
    case DEMAND_MORE: return o == CEL_MORE;
    default: return o == CEL_MORE || o == CEL_SAME;
    }
}

/* May one value meet both? */
static bool go_together(const cel_demand *a, const cel_demand *b)
{
    bool a_text = a->kind >= DEMAND_STARTS, b_text = b->kind >= DEMAND_STARTS;
    if (a->kind == DEMAND_IS || b->kind == DEMAND_IS) return true; /* values are tried */
    if (a_text != b_text) {
        cel_value compared = a_text ? b->value : a->value;
        return compared.tag == CEL_STRING;
    }
    if (!a_text) {
        bool low = a->kind == DEMAND_MORE || a->kind == DEMAND_AT_LEAST;
        bool high = b->kind == DEMAND_LESS || b->kind == DEMAND_AT_MOST;
        if (!low || !high) return true;
        cel_ordering o = cel_order(a->value, b->value);
        return o == CEL_LESS ||
               (o == CEL_SAME && a->kind == DEMAND_AT_LEAST && b->kind == DEMAND_AT_MOST);
    }
    if (a->kind != DEMAND_STARTS || b->kind != DEMAND_STARTS || a->not ) return true;
    str x = cel_text(a->value), y = cel_text(b->value);
    return b->not ? !str_starts(x, y) : str_starts(x, y) || str_starts(y, x);
}

static bool some_value_meets(const policy_demands *all, const cel_demand *values,
                             const policy_schema *schema)
{
    const cel_hint *h = schema ? cel_known_member(&schema->known, values->member) : NULL;
    for (size_t i = 0; i < cel_count(values->value); i++) {
        cel_value v = cel_item(values->value, i);
        bool meets = !h || cel_hint_allows(h, v);
        for (size_t k = 0; meets && k < all->d.count; k++)
            if (str_eq(all->d.list[k].member, values->member))
                meets = policy_demands_meet(&all->d.list[k], v);
        if (meets) return true;
    }
    return false;
}

bool policy_is_demanded(const policy_demands *all, str argument)
{
    for (size_t i = 0; i < all->there_count; i++)
        if (str_eq(all->there[i], argument)) return true;
    for (size_t i = 0; i < all->d.count; i++)
        if (all->d.list[i].there && str_eq(all->d.list[i].member, argument)) return true;
    return false;
}

static bool contradict(const policy_demands *all, const policy_schema *schema)
{
    if (all->d.never) return true;
    for (size_t i = 0; i < all->d.count; i++) {
        const cel_demand *d = &all->d.list[i];
        bool possible = d->kind != DEMAND_IS || d->not || some_value_meets(all, d, schema);
        for (size_t k = 0; possible && k < all->d.count; k++)
            if (str_eq(all->d.list[k].member, d->member))
                possible = go_together(d, &all->d.list[k]);
        bool demanded = policy_is_demanded(all, d->member);
        if (!possible && demanded) return true;
        if (demanded && all->only_named && !policy_names_argument(all->only_named, d->member))
            return true;
    }
    return false;
}

/* Permits */

const policy_rule *policy_next_permit(const policy_ask *k, size_t *at)
{
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect < RULE_PERMIT; effect++)
        while (policy_next_rule(k, (rule_effect)effect, at)) {
        }
    do r = policy_next_rule(k, RULE_PERMIT, at);
    while (r && policy_lacks_scopes(k, r));
    return r;
}

/* One place that asks contradicts nothing. */
static bool could_contradict(const policy_ask *k)
{
    size_t at = 0, places = 0;
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect <= RULE_PERMIT; effect++)
        while ((r = policy_next_rule(k, (rule_effect)effect, &at))) places += r->arguments;
    return places > 1;
}

static bool impossible(policy_ask *k)
{
    policy_demands all;
    size_t at = 0;
    const policy_rule *r;
    policy_demands_begin(k, &all);
    policy_demands_add_all(k, &all);
    if (contradict(&all, k->q->schema)) return true;
    const policy_demands always = all;
    while ((r = policy_next_permit(k, &at))) {
        truth t = policy_condition(k, r);
        if (t == TRUTH_NO || t == TRUTH_ERROR) continue;
        if (t == TRUTH_YES) return false;
        all = always;
        policy_demands_add(k, r, &all);
        if (!contradict(&all, k->q->schema)) return false;
    }
    return true;
}

/* A term that a schema decides demands nothing any more, so the rules are asked without it too:
 * then a schema can only take away. */
bool policy_demands_impossible(policy_ask *k)
{
    if (!could_contradict(k)) return false;
    if (impossible(k)) return true;
    if (!k->q->schema) return false;
    policy_ask again;
    question bare = *k->q;
    bare.schema = NULL;
    policy_ask_begin(&again, k->p, &bare, k->scratch);
    return impossible(&again);
}
