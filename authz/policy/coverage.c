/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.c - every call of the tests is explained, and the outcomes are put down.
 *
 * What a rule's conditions are is known from the rule; how they came out from the explanations. A
 * list asks the same conditions with arguments unknown: it covers a rule that decides, no outcome.
 */
#include "coverage.h"
#include "../cel/trace.h"
#include "case.h"
#include "explain.h"

enum { SEEN_TRUE = 1, SEEN_FALSE = 2 };

typedef struct {
    str what, source; /* source {0}: there is no such condition */
    unsigned seen;
} condition;

typedef struct {
    bool decided;
    condition *conditions; /* by policy_reason.index */
    size_t count;
} covered_rule;

struct policy_coverage {
    arena *a;
    const policy *p;
    covered_rule *rules;
};

/* What there is to cover */

static void list_conditions(arena *a, const policy_rule *r, covered_rule *c)
{
    size_t terms = r->when ? cel_term_count(r->when) : 0;
    c->count = 2 + r->constraint_count + terms;
    c->conditions = NEW_N(a, condition, c->count);
    if (r->scopes->p) c->conditions[0] = (condition){S("scopes"), r->scopes[0], 0};
    for (size_t i = 0; i < r->constraint_count; i++) {
        const rule_constraint *k = &r->constraints[i];
        c->conditions[1 + i] = (condition){arena_fmt(a, "args." STR_FMT, STR_ARG(k->name)),
                                           k->program ? k->source : S("one of its values"), 0};
    }
    if (r->only_named_args)
        c->conditions[1 + r->constraint_count] = (condition){S("other_args"), S("deny"), 0};
    for (size_t i = 0; i < terms; i++)
        c->conditions[2 + r->constraint_count + i] =
            (condition){S("when"), cel_term_source(r->when, i), 0};
}

/* What was tried */

static void note_verdict(policy_coverage *c, const verdict *said)
{
    for (size_t i = 0; i < c->p->count; i++)
        if (str_eq(c->p->rules[i].id, said->rule)) c->rules[i].decided = true;
}

static void note_question(policy_coverage *c, const question *q, arena *scratch)
{
    policy_explanation e;
    policy_explain(c->p, q, scratch, &e);
    note_verdict(c, &e.said);
    for (size_t i = 0; i < e.count; i++) {
        covered_rule *r = &c->rules[e.rules[i].rule - c->p->rules];
        for (size_t k = 0; k < e.rules[i].count; k++) {
            const policy_reason *reason = &e.rules[i].reasons[k];
            if (reason->index >= r->count) continue; /* arguments that are none at all */
            if (reason->outcome == TRUTH_YES) r->conditions[reason->index].seen |= SEEN_TRUE;
            if (reason->outcome == TRUTH_NO) r->conditions[reason->index].seen |= SEEN_FALSE;
        }
    }
}

policy_coverage *policy_coverage_of_tests(arena *a, const policy *p, int64_t now_ms)
{
    policy_coverage *c = NEW(a, policy_coverage);
    *c = (policy_coverage){.a = a, .p = p, .rules = NEW_N(a, covered_rule, p->count)};
    for (size_t i = 0; i < p->count; i++) list_conditions(a, &p->rules[i], &c->rules[i]);
    arena *scratch = arena_new();
    for (size_t i = 0; i < p->case_count; i++) {
        const policy_case *test = &p->cases[i];
        question q = policy_case_question(test, now_ms, scratch);
        q.listing = test->list;
        for (const str *tool = test->tools; test->list && tool->p; tool++) {
            q.name = *tool;
            note_question(c, &q, scratch);
        }
        if (!test->list) note_question(c, &q, scratch);
        arena_reset(scratch);
    }
    arena_free(scratch);
    return c;
}

/* What came of it */

policy_share policy_coverage_rules(const policy_coverage *c)
{
    policy_share s = {0, c->p->count};
    for (size_t i = 0; i < c->p->count; i++) s.covered += c->rules[i].decided;
    return s;
}

policy_share policy_coverage_outcomes(const policy_coverage *c)
{
    policy_share s = {0, 0};
    for (size_t i = 0; i < c->p->count; i++) {
        for (size_t k = 0; k < c->rules[i].count; k++) {
            const condition *one = &c->rules[i].conditions[k];
            if (!one->source.p) continue;
            s.all += 2;
            if (one->seen & SEEN_TRUE) s.covered++;
            if (one->seen & SEEN_FALSE) s.covered++;
        }
    }
    return s;
}

/* Something the rule names, as a test asks for it: a glob becomes a name it matches. */
static str subject_line(arena *a, const policy_rule *r)
{
    static const char *const keys[SUBJECTS] = {[SUBJECT_TOOL] = "call",
                                               [SUBJECT_RESOURCE] = "read",
                                               [SUBJECT_PROMPT] = "prompt",
                                               [SUBJECT_MODEL] = "llm",
                                               [SUBJECT_ENDPOINT] = "endpoint"};
    for (int kind = 0; kind < SUBJECTS; kind++) {
        if (!r->names[kind] || !r->names[kind]->p) continue;
        buf name = buf_new(a, 4096);
        for (size_t i = 0; i < r->names[kind]->n; i++) {
            char ch = r->names[kind]->p[i];
            (void)buf_put(&name, ch == '*' || ch == '?' ? S("x") : (str){&ch, 1});
        }
        str text = buf_str(&name);
        bool bare = str_eq(*r->names[kind], S("*")) && kind <= SUBJECT_PROMPT;
        return arena_fmt(a, "    %s: " STR_FMT "%s\n", keys[kind], STR_ARG(text), bare ? "/x" : "");
    }
    return S("");
}

static str beginning(const policy_coverage *c, const policy_rule *r, const policy_gap *g)
{
    const policy_case *like = NULL;
    for (size_t i = 0; !like && i < c->p->case_count; i++)
        if (c->p->cases[i].claims.kind == JS_OBJECT) like = &c->p->cases[i];
    str as = like ? like->claims.raw : S("{}"), subject = subject_line(c->a, r);
    str args = r->constraint_count ? S("    args: {}\n") : S("");
    bool holds = g->what.p ? g->never_true : true;
    bool permit = (r->effect == RULE_PERMIT) == holds;
    str about = g->what.p ? g->what : S("it");
    return arena_fmt(c->a,
                     "  - name: " STR_FMT ", where " STR_FMT " %s\n    as: { jwt: " STR_FMT
                     " }\n" STR_FMT STR_FMT "    expect: %s\n",
                     STR_ARG(r->id), STR_ARG(about),
                     !g->what.p ? "decides"
                     : holds    ? "holds"
                                : "does not hold",
                     STR_ARG(as), STR_ARG(subject), STR_ARG(args), permit ? "permit" : "deny");
}

void policy_coverage_gaps(const policy_coverage *c, policy_gap_fn *fn, void *ctx)
{
    for (size_t i = 0; i < c->p->count; i++) {
        const policy_rule *r = &c->p->rules[i];
        policy_gap g = {.rule = r->id, .place = r->place};
        g.test = beginning(c, r, &g);
        if (!c->rules[i].decided) fn(ctx, &g);
        for (size_t k = 0; k < c->rules[i].count; k++) {
            const condition *one = &c->rules[i].conditions[k];
            if (!one->source.p || one->seen == (SEEN_TRUE | SEEN_FALSE)) continue;
            g.what = one->what;
            g.source = one->source;
            g.never_true = !(one->seen & SEEN_TRUE);
            g.never_false = !(one->seen & SEEN_FALSE);
            g.test = beginning(c, r, &g);
            fn(ctx, &g);
        }
    }
}
