/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - the decision once more, taken apart.
 *
 * Deciding stops at the first thing that settles it; explaining asks everything. Nothing of it is
 * on the way of a request. */
#include "explain.h"
#include "../cel/compare.h"
#include "../cel/trace.h"

enum { VALUE_SHOWN = 120 };

const char *policy_effect_name(rule_effect effect)
{
    static const char *const names[] =
        {[RULE_FORBID] = "forbid", [RULE_REQUIRE] = "require", [RULE_PERMIT] = "permit"};
    return names[effect];
}

/* Values, as a person reads them */

static str shown(const policy_ask *k, cel_value v, str source)
{
    if (v.tag == CEL_UNKNOWN) return S("unknown");
    if (v.tag == CEL_ERROR) {
        str why = cel_error_text(k->scratch, v, source);
        return arena_fmt(k->scratch, "(" STR_FMT ")", STR_ARG(why));
    }
    str text = js_dump(k->scratch, cel_to_json(k->scratch, v));
    if (text.n <= VALUE_SHOWN) return text;
    str begin = str_take(text, VALUE_SHOWN);
    while (begin.n && ((unsigned char)begin.p[begin.n] & 0xC0) == 0x80) begin.n--;
    return arena_fmt(k->scratch, STR_FMT "…", STR_ARG(begin));
}

static str seen_by(const policy_ask *k, const cel_term *t, str program_source)
{
    str all = {0};
    for (size_t i = 0; i < t->seen_count; i++) {
        str value = shown(k, t->seen[i].value, program_source);
        all = arena_fmt(k->scratch, STR_FMT "%s" STR_FMT " = " STR_FMT, STR_ARG(all),
                        all.n ? ", " : "", STR_ARG(t->seen[i].source), STR_ARG(value));
    }
    return all;
}

static truth truth_of(cel_value v)
{
    if (v.tag == CEL_BOOL) return v.u.b ? TRUTH_YES : TRUTH_NO;
    return v.tag == CEL_UNKNOWN ? TRUTH_UNKNOWN : TRUTH_ERROR;
}

/* Reasons */

typedef struct {
    policy_ask *k;
    const policy_rule *rule;
    policy_reason *list;
    size_t count;
} teller;

static size_t reason_count(const policy_rule *r)
{
    size_t terms = 0;
    if (r->when) terms = cel_term_count(r->when);
    return 1 + r->constraint_count + 1 + terms; /* scopes, arguments, other_args, when */
}

static policy_reason *add(teller *t, size_t index, str what, str source, truth outcome)
{
    policy_reason *reason = &t->list[t->count++];
    *reason = (policy_reason){.what = what, .source = source, .outcome = outcome, .index = index};
    return reason;
}

static void tell_scopes(teller *t)
{
    str all = {0};
    bool missing = false;
    for (const str *s = t->rule->scopes; s->p; s++) {
        all = arena_fmt(t->k->scratch, STR_FMT "%s" STR_FMT, STR_ARG(all), all.n ? ", " : "",
                        STR_ARG(*s));
        missing |= !t->k->q->who || !caller_has_scope(t->k->q->who, *s);
    }
    if (all.n) add(t, 0, S("scopes"), all, missing ? TRUTH_NO : TRUTH_YES);
}

static void tell_argument(teller *t, size_t i, cel_value args)
{
    policy_ask *k = t->k;
    const rule_constraint *c = &t->rule->constraints[i];
    cel_value v = cel_map_member(args, c->name);
    k->error = (str){0};
    policy_reason *r =
        add(t, 1 + i, arena_fmt(k->scratch, "args." STR_FMT, STR_ARG(c->name)),
            c->program ? c->source : S("one of its values"), policy_argument(k, t->rule, c, args));
    r->error = k->error;
    if (v.tag == CEL_UNBOUND) {
        r->seen = arena_fmt(k->scratch, "args." STR_FMT " is absent", STR_ARG(c->name));
        return;
    }
    str value = shown(k, v, (str){0});
    r->seen =
        arena_fmt(k->scratch, "args." STR_FMT " = " STR_FMT, STR_ARG(c->name), STR_ARG(value));
}

static void tell_arguments(teller *t)
{
    const policy_rule *r = t->rule;
    cel_value args;
    size_t last = 1 + r->constraint_count;
    if (!r->constraint_count && !r->only_named_args) return;
    bool known = policy_arguments(t->k, &args);
    if (!known && args.tag != CEL_UNKNOWN) {
        add(t, last, S("args"), S("the arguments"), TRUTH_ERROR)->error = S("they are no object");
        return;
    }
    for (size_t i = 0; i < r->constraint_count; i++) {
        const rule_constraint *c = &r->constraints[i];
        if (known)
            tell_argument(t, i, args);
        else
            add(t, 1 + i, arena_fmt(t->k->scratch, "args." STR_FMT, STR_ARG(c->name)),
                c->program ? c->source : S("one of its values"), TRUTH_UNKNOWN);
    }
    if (!r->only_named_args) return;
    truth only = !known ? TRUTH_UNKNOWN : policy_only_named(r, args) ? TRUTH_YES : TRUTH_NO;
    add(t, last, S("other_args"), S("deny"), only);
}

static void tell_when(teller *t)
{
    const policy_rule *r = t->rule;
    policy_ask *k = t->k;
    size_t count;
    if (!r->when) return;
    const cel_term *terms = cel_trace(r->when, &k->facts.bindings, k->scratch, &count);
    for (size_t i = 0; i < count; i++) {
        policy_reason *reason = add(t, 2 + r->constraint_count + i, S("when"), terms[i].source,
                                    truth_of(terms[i].value));
        reason->seen = seen_by(k, &terms[i], r->when_source);
        if (reason->outcome == TRUTH_ERROR)
            reason->error = cel_error_text(k->scratch, terms[i].value, r->when_source);
    }
}

static policy_account account_of(policy_ask *k, const policy_rule *r)
{
    teller t = {k, r, NEW_N(k->scratch, policy_reason, reason_count(r)), 0};
    tell_scopes(&t);
    tell_arguments(&t);
    tell_when(&t);
    bool lacks = t.count && str_eq(t.list[0].what, S("scopes")) && t.list[0].outcome == TRUTH_NO;
    policy_account a = {.rule = r, .reasons = t.list, .count = t.count};
    a.outcome = lacks ? TRUTH_NO : policy_condition(k, r);
    for (size_t i = 0; i < t.count; i++) a.met += t.list[i].outcome == TRUTH_YES;
    return a;
}

static bool nearer(const policy_account *a, const policy_account *than)
{
    return !than || a->count - a->met < than->count - than->met;
}

void policy_explain(const policy *p, const question *q, arena *scratch, policy_explanation *out)
{
    *out = (policy_explanation){0};
    policy_decide(p, q, scratch, &out->said);
    if (!p->count) return;
    policy_ask k;
    size_t at = 0;
    policy_ask_begin(&k, p, q, scratch);
    policy_account *list = NEW_N(scratch, policy_account, p->count);
    for (rule_effect e = RULE_FORBID; e <= RULE_PERMIT; e++) {
        const policy_rule *r;
        while ((r = policy_next_rule(&k, e, &at))) list[out->count++] = account_of(&k, r);
    }
    out->rules = list;
    if (out->said.why != DENIED_DEFAULT && out->said.why != DENIED_SCOPES) return;
    for (size_t i = 0; i < out->count; i++)
        if (list[i].rule->effect == RULE_PERMIT && nearer(&list[i], out->nearest))
            out->nearest = &list[i];
}
