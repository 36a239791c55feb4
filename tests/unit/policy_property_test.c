/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* policy_property_test.c - laws, tried on generated policies, callers and arguments.
 *
 * permitted => listed: what a call may do, a list shows. Rules and files may stand in any order.
 * Without rules over arguments, list and call say the same. Each law is also tried against a
 * lister that is wrong on purpose, to see that it would be caught. The seed is printed; give it
 * as the first argument to repeat a run. */
#include "schema_maker.h"

#include "../../authz/policy/explain.h"
#include <stdlib.h>

enum { POLICIES = 2500, TRIPLES = 40 }; /* 100,000 triples */

static uint64_t seed = 20261122;

/* Listers, right and wrong */

typedef bool lister(const policy *p, const question *q, arena *scratch);

static bool our_list(const policy *p, const question *q, arena *scratch)
{
    question list = *q;
    verdict v;
    list.listing = true;
    list.args = (js_value){0};
    list.http.headers = NULL;
    policy_decide(p, &list, scratch, &v);
    return v.permit;
}

/* Lists by asking a call without arguments. */
static bool list_with_empty_args(const policy *p, const question *q, arena *scratch)
{
    question list = *q;
    verdict v;
    list.args = (js_value){0};
    policy_decide(p, &list, scratch, &v);
    return v.permit;
}

/* Lists with the method of the list instead of the acting one. */
static bool list_as_tools_list(const policy *p, const question *q, arena *scratch)
{
    question list = *q;
    list.mcp.method = S("tools/list");
    return our_list(p, &list, scratch);
}

typedef struct {
    size_t triples, permitted, listed, denied_but_listed, broken;
} tally;

static void complain(const text *t, const question *q)
{
    print_error("permitted but not listed: " STR_FMT "/" STR_FMT " args " STR_FMT "\n%s",
                STR_ARG(q->server), STR_ARG(q->name), STR_ARG(q->args.raw), t->head.p);
    for (unsigned i = 0; i < t->count; i++) print_error("%s", t->rules[i].p);
}

static tally try_law(lister *list, size_t policies, bool quiet)
{
    tally n = {0};
    maker m = {.state = seed, .a = arena_new()};
    arena *scratch = arena_new();
    for (size_t i = 0; i < policies; i++) {
        text t = policy_text(&m);
        const policy *p = load_text(&m, &t, 0);
        for (size_t k = 0; k < TRIPLES; k++, n.triples++) {
            question q = anything(&m);
            verdict v;
            policy_decide(p, &q, scratch, &v);
            bool shown = list(p, &q, scratch);
            n.permitted += v.permit;
            n.listed += shown;
            n.denied_but_listed += shown && !v.permit;
            if (list == our_list && v.listed != (v.permit || shown))
                assert_int_equal(v.listed, shown);
            if (v.permit && !shown && !n.broken++ && !quiet) complain(&t, &q);
            arena_reset(scratch);
        }
        arena_reset(m.a);
    }
    arena_free(scratch);
    arena_free(m.a);
    return n;
}

static void a_permitted_call_is_always_to_a_listed_tool(void **state)
{
    (void)state;
    tally n = try_law(our_list, POLICIES, false);
    print_message("seed %llu: %zu triples, %zu permitted, %zu listed, %zu listed though denied\n",
                  (unsigned long long)seed, n.triples, n.permitted, n.listed, n.denied_but_listed);
    assert_int_equal(n.broken, 0);
    /* the law must have had something to say */
    assert_true(n.permitted > n.triples / 20 && n.permitted < n.triples);
    assert_true(n.denied_but_listed > n.triples / 100 && n.listed < n.triples);
}

static void a_wrong_lister_is_caught(void **state)
{
    (void)state;
    assert_true(try_law(list_with_empty_args, POLICIES / 10, true).broken > 0);
    assert_true(try_law(list_as_tools_list, POLICIES / 10, true).broken > 0);
}

/* Lists without what the schema says. */
static bool list_without_schema(const policy *p, const question *q, arena *scratch)
{
    question list = *q;
    list.schema = NULL;
    return our_list(p, &list, scratch);
}

static void a_schema_hides_tools_but_never_one_with_a_permitted_call(void **state)
{
    (void)state;
    maker m = {.state = seed + 4, .a = arena_new()};
    arena *scratch = arena_new();
    size_t hidden = 0, broken = 0, refused = 0, permitted = 0, unenforced = 0;
    for (size_t i = 0; i < POLICIES; i++) {
        text t = policy_text(&m);
        const policy *p = load_text(&m, &t, 0);
        for (size_t k = 0; k < TRIPLES; k++) {
            question q = anything(&m), bare = q;
            verdict v, w;
            q.schema = policy_schema_read(m.a, input_schema(&m));
            policy_decide(p, &q, scratch, &v);
            policy_decide(p, &bare, scratch, &w);
            bool shown = our_list(p, &q, scratch), wide = list_without_schema(p, &q, scratch);
            permitted += v.permit;
            refused += v.why == DENIED_SCHEMA;
            hidden += wide && !shown;
            unenforced += w.permit && !shown;
            assert_true(wide || !shown); /* a schema only takes away */
            assert_true(w.permit || !v.permit);
            if (v.permit && !shown && !broken++) complain(&t, &q);
            arena_reset(scratch);
        }
        arena_reset(m.a);
    }
    arena_free(scratch);
    arena_free(m.a);
    print_message("%zu permitted, %zu refused by the schema, %zu hidden by it\n", permitted,
                  refused, hidden);
    assert_int_equal(broken, 0);
    assert_true(permitted > 1000 && refused > 1000 && hidden > 1000);
    assert_true(unenforced > 0); /* the law would not hold without enforcing */
}

static void without_rules_over_arguments_list_and_call_agree(void **state)
{
    (void)state;
    maker m = {.state = seed + 1, .a = arena_new(), .no_args = true};
    size_t permitted = 0, triples = 0;
    for (size_t i = 0; i < POLICIES / 5; i++) {
        text t = policy_text(&m);
        const policy *p = load_text(&m, &t, 0);
        for (size_t k = 0; k < TRIPLES / 2; k++, triples++) {
            question q = anything(&m);
            verdict v;
            policy_decide(p, &q, m.a, &v);
            if (v.permit != our_list(p, &q, m.a)) complain(&t, &q);
            assert_int_equal(v.permit, our_list(p, &q, m.a));
            permitted += v.permit;
        }
        arena_reset(m.a);
    }
    arena_free(m.a);
    assert_true(permitted > 0 && permitted < triples);
}

/* The decision again, from what each rule says of itself. */
static bool permitted_by(const policy_explanation *e)
{
    bool permit = false;
    for (size_t i = 0; i < e->count; i++) {
        const policy_account *a = &e->rules[i];
        bool yes = a->outcome == TRUTH_YES, no = a->outcome == TRUTH_NO;
        if (a->rule->effect == RULE_FORBID && !no) return false;
        if (a->rule->effect == RULE_REQUIRE && !yes) return false;
        permit |= a->rule->effect == RULE_PERMIT && yes;
    }
    return permit;
}

/* What a rule says, from what its reasons say. */
static truth outcome_of(const policy_account *a)
{
    truth t = TRUTH_YES;
    for (size_t i = 0; i < a->count; i++) t = policy_both(t, a->reasons[i].outcome);
    return t;
}

static void an_explanation_says_what_was_decided(void **state)
{
    (void)state;
    maker m = {.state = seed + 3, .a = arena_new()};
    size_t permitted = 0, triples = 0, reasons = 0;
    for (size_t i = 0; i < POLICIES / 5; i++) {
        text t = policy_text(&m);
        const policy *p = load_text(&m, &t, 0);
        for (size_t k = 0; k < TRIPLES / 2; k++, triples++) {
            question q = anything(&m);
            policy_explanation e;
            policy_explain(p, &q, m.a, &e);
            if (e.said.permit != permitted_by(&e)) complain(&t, &q);
            assert_int_equal(e.said.permit, permitted_by(&e));
            for (size_t r = 0; r < e.count; r++) {
                assert_int_equal(e.rules[r].outcome, outcome_of(&e.rules[r]));
                reasons += e.rules[r].count;
            }
            permitted += e.said.permit;
        }
        arena_reset(m.a);
    }
    arena_free(m.a);
    assert_true(permitted > 0 && permitted < triples && reasons > triples);
}

static void shuffle(maker *m, text *t)
{
    for (unsigned i = t->count; i > 1; i--) {
        unsigned k = pick(m, i);
        str was = t->rules[i - 1];
        t->rules[i - 1] = t->rules[k];
        t->rules[k] = was;
    }
}

static bool same_verdict(const verdict *a, const verdict *b)
{
    bool same = a->permit == b->permit && a->listed == b->listed && a->why == b->why &&
                str_eq(a->rule, b->rule) && str_eq(a->message, b->message) &&
                !a->scopes == !b->scopes;
    for (size_t i = 0; same && a->scopes && (a->scopes[i].p || b->scopes[i].p); i++)
        same = str_eq(a->scopes[i], b->scopes[i]);
    return same;
}

/* Counts verdicts that differ between two spellings of one policy. */
static size_t differences(maker *m, const policy *p, const policy *other)
{
    size_t n = 0;
    for (size_t k = 0; k < TRIPLES / 4; k++) {
        question q = anything(m);
        verdict v, w;
        policy_decide(p, &q, m->a, &v);
        policy_decide(other, &q, m->a, &w);
        n += !same_verdict(&v, &w);
    }
    return n;
}

static void the_order_of_rules_and_files_never_matters(void **state)
{
    (void)state;
    maker m = {.state = seed + 2, .a = arena_new()};
    size_t lost = 0;
    for (size_t i = 0; i < POLICIES / 5; i++) {
        text t = policy_text(&m);
        const policy *p = load_text(&m, &t, 0);
        shuffle(&m, &t);
        assert_int_equal(differences(&m, p, load_text(&m, &t, pick(&m, t.count + 1))), 0);
        if (t.count > 1) { /* and a rule that is lost is noticed */
            t.count--;
            lost += differences(&m, p, load_text(&m, &t, 0));
        }
        arena_reset(m.a);
    }
    arena_free(m.a);
    assert_true(lost > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permitted_call_is_always_to_a_listed_tool),
        cmocka_unit_test(a_wrong_lister_is_caught),
        cmocka_unit_test(a_schema_hides_tools_but_never_one_with_a_permitted_call),
        cmocka_unit_test(without_rules_over_arguments_list_and_call_agree),
        cmocka_unit_test(an_explanation_says_what_was_decided),
        cmocka_unit_test(the_order_of_rules_and_files_never_matters),
    };
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
