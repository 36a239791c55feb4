/* SPDX-License-Identifier: Apache-2.0 */
/* condition.c - what one rule says to one question.
 *
 * An argument that is absent fails a permit or a require, and is an error of a forbid, unless the
 * rule says that its absence is fine: so a forbid is not evaded by leaving the argument out. */
#include "condition.h"
#include "../cel/compare.h"
#include "../cel/known.h"

/* Which rules */

static void mark(void *ctx, size_t rule)
{
    uint64_t *bits = ctx;
    bits[rule / 64] |= (uint64_t)1 << (rule % 64);
}

static bool bit(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

static void mark_part(void *ctx, size_t rule, bool whole)
{
    policy_ask *k = ctx;
    bool known = bit(k->candidates, rule);
    if (!whole && !known) mark(k->partly, rule);
    if (whole) k->partly[rule / 64] &= ~((uint64_t)1 << (rule % 64));
    mark(k->candidates, rule);
}

/* The next candidate from *at on of this effect; NULL behind the last. */
const policy_rule *policy_next_rule(const policy_ask *k, rule_effect effect, size_t *at)
{
    for (; *at < k->p->count; *at = (*at / 64 + 1) * 64) {
        uint64_t bits = k->candidates[*at / 64] >> (*at % 64);
        if (!bits) continue;
        size_t found = *at + (size_t)__builtin_ctzll(bits);
        const policy_rule *r = &k->p->rules[found];
        if (r->effect != effect) return NULL; /* stays for the next effect */
        *at = found + 1;
        return r;
    }
    return NULL;
}

void policy_ask_begin(policy_ask *k, const policy *p, const question *q, arena *scratch)
{
    *k = (policy_ask){.p = p, .q = q, .scratch = scratch};
    k->candidates = NEW_N(scratch, uint64_t, p->count / 64 + 1);
    if (q->is_template) {
        k->partly = NEW_N(scratch, uint64_t, p->count / 64 + 1);
        policy_index_find_template(p->index, q->server, q->name, scratch, mark_part, k);
    } else {
        policy_index_find(p->index, q->kind, q->server, q->name, mark, k->candidates);
    }
    /* A model is asked about at an endpoint: rules that name the endpoint apply as well. */
    if (q->kind == SUBJECT_MODEL)
        policy_index_find(p->index, SUBJECT_ENDPOINT, S(""), q->llm.endpoint, mark, k->candidates);
    policy_facts_begin(&k->facts, p, q, scratch);
}

/* Scopes */

bool policy_has_scope(const policy_ask *k, str scope)
{
    return k->q->who && caller_has_scope(k->q->who, scope);
}

bool policy_lacks_scopes(const policy_ask *k, const policy_rule *r)
{
    for (const str *s = r->scopes; s->p; s++)
        if (!policy_has_scope(k, *s)) return true;
    return false;
}

/* Conditions */

static void keep_error(policy_ask *k, const policy_rule *r, str reason)
{
    if (!k->error.n)
        k->error = arena_fmt(k->scratch, STR_FMT " (" STR_FMT "): " STR_FMT, STR_ARG(r->id),
                             STR_ARG(r->place), STR_ARG(reason));
}

static void keep_cel_error(policy_ask *k, const policy_rule *r, cel_value v, str source)
{
    const policy_facts *f = &k->facts;
    if (k->error.n) return;
    if (f->failed_var && f->failed.code == v.code && f->failed.n == v.n) {
        const policy_var *var = &k->p->vars[f->failed_var - 1];
        str text = cel_error_text(k->scratch, v, var->source);
        keep_error(k, r,
                   arena_fmt(k->scratch, "vars." STR_FMT ": " STR_FMT, STR_ARG(var->name),
                             STR_ARG(text)));
        return;
    }
    keep_error(k, r, cel_error_text(k->scratch, v, source));
}

truth policy_run(policy_ask *k, const policy_rule *r, const cel_program *program, str source)
{
    cel_value v = cel_eval(program, &k->facts.bindings, k->scratch, 0);
    if (v.tag == CEL_BOOL) return v.u.b ? TRUTH_YES : TRUTH_NO;
    if (v.tag == CEL_UNKNOWN) return TRUTH_UNKNOWN;
    /* with unknowns both sides of a choice are walked: a call may cost less than its list */
    if (v.tag == CEL_ERROR && v.code == CEL_COST_EXCEEDED && k->q->listing) return TRUTH_UNKNOWN;
    if (v.tag == CEL_ERROR)
        keep_cel_error(k, r, v, source);
    else
        keep_error(k, r, S("the condition is neither true nor false"));
    return TRUTH_ERROR;
}

truth policy_both(truth a, truth b)
{
    if (a == TRUTH_NO || b == TRUTH_NO) return TRUTH_NO;
    if (a == TRUTH_UNKNOWN || b == TRUTH_UNKNOWN) return TRUTH_UNKNOWN;
    return a == TRUTH_ERROR || b == TRUTH_ERROR ? TRUTH_ERROR : TRUTH_YES;
}

static truth absence(const policy_rule *r, const rule_constraint *c)
{
    if (r->effect != RULE_FORBID) return c->optional ? TRUTH_YES : TRUTH_NO;
    return c->optional ? TRUTH_NO : TRUTH_ERROR;
}

static truth absent(policy_ask *k, const policy_rule *r, const rule_constraint *c)
{
    truth t = absence(r, c);
    if (t != TRUTH_ERROR) return t;
    keep_error(k, r, arena_fmt(k->scratch, "argument '" STR_FMT "' is absent", STR_ARG(c->name)));
    return t;
}

static truth one_of(const rule_constraint *c, cel_value v, const cel_hint *hint)
{
    bool known = v.tag != CEL_UNKNOWN, possible = false;
    for (size_t i = 0; i < c->count && !possible; i++)
        possible =
            known ? cel_equal(v, c->values[i]) : !hint || cel_hint_allows(hint, c->values[i]);
    if (!possible) return TRUTH_NO;
    return known ? TRUTH_YES : TRUTH_UNKNOWN;
}

static truth present(policy_ask *k, const policy_rule *r, const rule_constraint *c, cel_value v,
                     const cel_hint *hint)
{
    if (!c->program) return one_of(c, v, hint);
    k->facts.bindings.values[FACT_THIS] = v;
    return policy_run(k, r, c->program, c->source);
}

truth policy_argument(policy_ask *k, const policy_rule *r, const rule_constraint *c, cel_value args)
{
    cel_value v = cel_map_member(args, c->name);
    if (v.tag == CEL_UNBOUND) return absent(k, r, c);
    if (v.tag == CEL_UNKNOWN) return TRUTH_UNKNOWN;
    return present(k, r, c, v, NULL);
}

/* Of two things that may be the case. For a permit or a require, no and error are as good as one
 * another, for a forbid yes and error are. */
static truth either(const policy_rule *r, truth a, truth b)
{
    truth same = r->effect == RULE_FORBID ? TRUTH_YES : TRUTH_NO;
    if (a == b) return a;
    bool alike = (a == same || a == TRUTH_ERROR) && (b == same || b == TRUTH_ERROR);
    return alike ? TRUTH_ERROR : TRUTH_UNKNOWN;
}

truth policy_known_argument(policy_ask *k, const policy_rule *r, const rule_constraint *c)
{
    const cel_known *known = k->facts.bindings.known;
    cel_presence presence = cel_known_presence(known, c->name);
    if (presence == CEL_ABSENT) return absence(r, c);
    cel_value v = cel_known_value(known, c->name);
    truth t = present(k, r, c, v, cel_known_member(known, c->name));
    return presence == CEL_PRESENT ? t : either(r, t, absence(r, c));
}

bool policy_names_argument(const policy_rule *r, str argument)
{
    for (size_t i = 0; i < r->constraint_count; i++)
        if (str_eq(r->constraints[i].name, argument)) return true;
    return false;
}

truth policy_known_only_named(const policy_ask *k, const policy_rule *r)
{
    const cel_known *known = k->facts.bindings.known;
    bool more = !known->closed;
    for (size_t i = 0; i < known->count; i++) {
        if (policy_names_argument(r, known->members[i].name)) continue;
        if (known->members[i].presence == CEL_PRESENT) return TRUTH_NO;
        more |= known->members[i].presence == CEL_MAYBE;
    }
    return more ? TRUTH_UNKNOWN : TRUTH_YES;
}

bool policy_only_named(const policy_rule *r, cel_value args)
{
    size_t named = 0;
    for (size_t i = 0; i < r->constraint_count; i++)
        if (cel_map_member(args, r->constraints[i].name).tag != CEL_UNBOUND) named++;
    return named == cel_count(args);
}

bool policy_arguments(policy_ask *k, cel_value *args)
{
    *args = policy_fact_value(&k->facts, VAR_ARGS);
    return args->tag == CEL_MAP;
}

static truth unknown_arguments(policy_ask *k, const policy_rule *r)
{
    if (!k->facts.bindings.known) return TRUTH_UNKNOWN;
    truth t = r->only_named_args ? policy_known_only_named(k, r) : TRUTH_YES;
    for (size_t i = 0; i < r->constraint_count && t != TRUTH_NO; i++)
        t = policy_both(t, policy_known_argument(k, r, &r->constraints[i]));
    return t;
}

static truth arguments(policy_ask *k, const policy_rule *r)
{
    cel_value args;
    if (!r->constraint_count && !r->only_named_args) return TRUTH_YES;
    if (!policy_arguments(k, &args))
        return args.tag == CEL_UNKNOWN ? unknown_arguments(k, r) : TRUTH_ERROR;
    truth t = r->only_named_args && !policy_only_named(r, args) ? TRUTH_NO : TRUTH_YES;
    for (size_t i = 0; i < r->constraint_count && t != TRUTH_NO; i++)
        t = policy_both(t, policy_argument(k, r, &r->constraints[i], args));
    return t;
}

bool policy_names_all(const policy_ask *k, const policy_rule *r)
{
    return !k->partly || !bit(k->partly, (size_t)(r - k->p->rules));
}

static truth condition(policy_ask *k, const policy_rule *r)
{
    truth t = r->when ? policy_run(k, r, r->when, r->when_source) : TRUTH_YES;
    return t == TRUTH_NO ? TRUTH_NO : policy_both(t, arguments(k, r));
}

truth policy_condition(policy_ask *k, const policy_rule *r)
{
    truth t = condition(k, r);
    bool all = policy_names_all(k, r);
    if (r->effect == RULE_FORBID && t != TRUTH_NO && !all) return TRUTH_UNKNOWN;
    return r->effect == RULE_REQUIRE && t != TRUTH_YES && !all ? TRUTH_UNKNOWN : t;
}
