/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* policy_property_test.c - laws, tried on generated policies, callers and arguments.
 *
 * permitted => listed: what a call may do, a list shows. Rules and files may stand in any order.
 * Without rules over arguments, list and call say the same. Each law is also tried against a
 * lister that is wrong on purpose, to see that it would be caught. The seed is printed; give it
 * as the first argument to repeat a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../authz/cel/json.h"
#include "../../authz/policy/explain.h"

enum { POLICIES = 2500, TRIPLES = 40, RULES = 6 }; /* 100,000 triples */

typedef struct {
    uint64_t state;
    arena *a;
    bool no_args; /* leave out whatever a list does not know */
} maker;

static uint64_t seed = 20261122;

static unsigned pick(maker *m, unsigned n)
{
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return (unsigned)((m->state >> 33) % n);
}

#define ONE_OF(m, list) ((list)[pick((m), sizeof(list) / sizeof *(list))])

/* Expressions */

static const char *known_atom(maker *m)
{
    /* clang-format off */
    static const char *const atoms[] = {
        "true", "false", "jwt.sub == \"alice\"", "jwt.sub != \"bob\"", "\"eng\" in jwt.groups", "jwt.nobody == \"x\"",
        "has(jwt.groups)", "jwt.groups.exists(g, g.startsWith(\"e\"))", "tool.name == \"read\"",
        "tool.name in [\"read\", \"write\"]", "tool.annotations.?readOnlyHint.orValue(false)",
        "mcp.method == \"tools/call\"", "http.path == \"/mcp\"", "caller.name == \"alice\"", "size(caller.scopes) > 1",
        "now < timestamp(\"2030-01-01T00:00:00Z\")", "1 / 0 == 1", "tool.title == \"\"", "source.ip.startsWith(\"10.\")",
        "llm.stream",
    };
    /* clang-format on */
    return ONE_OF(m, atoms);
}

static const char *unknown_atom(maker *m)
{
    /* clang-format off */
    static const char *const atoms[] = {
        "args.n > 3", "args.n == 1", "args.n in [1, 2, 3]", "has(args.n)", "has(args.s)", "!has(args.b)", "args.b",
        "args.s == \"a\"", "args.s.startsWith(\"a\")", "args.?s.orValue(\"\") == \"a\"", "args.?n.hasValue()",
        "args.s.matches(\"^[ab]+$\")", "args.l.exists(e, e == 1)", "args.l.all(e, e > 0)", "size(args.l) < 3",
        "size(args) > 1", "args == {\"n\": 1}", "\"n\" in args", "[args.n, 1].exists(e, e == 1)", "{\"k\": args.n}.k == 1",
        "args.n == args.n", "args.n / 0 == 1", "args[\"s\"] + \"b\" == \"ab\"", "http.headers[\"x\"] == \"1\"",
        "has(http.headers.x)", "size(http) > 2", "has(http.path)", "[1, 2].filter(e, e == args.n) == [1]",
        "cel.bind(q, args.n, q == 1 || q == 2)", "type(args.n) == int", "args.s < \"b\"", "dyn(args).n == 1",
    };
    /* clang-format on */
    return ONE_OF(m, atoms);
}

static str expression(maker *m, unsigned depth)
{
    unsigned kind = pick(m, depth ? 10 : 4);
    if (kind == 3) return pick(m, 2) ? S("vars.v") : S("vars.w");
    if (kind < 3) {
        const char *atom = !m->no_args && kind ? unknown_atom(m) : known_atom(m);
        return (str){atom, strlen(atom)};
    }
    str a = expression(m, depth - 1), b = expression(m, depth - 1);
    if (kind < 6) return arena_fmt(m->a, "(%s && %s)", a.p, b.p);
    if (kind < 8) return arena_fmt(m->a, "(%s || %s)", a.p, b.p);
    if (kind < 9) return arena_fmt(m->a, "!(%s)", a.p);
    return arena_fmt(m->a, "(%s ? %s : %s)", a.p, b.p, expression(m, depth - 1).p);
}

/* vars are made of atoms only: they stand above the rules, and v above w */
static str vars_text(maker *m)
{
    const char *v = m->no_args || pick(m, 2) ? known_atom(m) : unknown_atom(m);
    const char *w = m->no_args || pick(m, 2) ? known_atom(m) : unknown_atom(m);
    return arena_fmt(m->a, "policy: v1\nvars:\n  v: '%s'\n  w: 'vars.v || %s'\nrules:\n", v, w);
}

/* Rules */

static str args_part(maker *m, bool forbid)
{
    /* clang-format off */
    static const char *const parts[] = {
        "args: {n: this > 3}", "args: {n: {in: [1, 2], optional: true}}",
        "args: {s: {when: 'this.startsWith(\"a\")', optional: true}}", "args: {s: 'this == \"a\"', n: 'this == 1'}",
        "args: {n: {is: 1}}", "args: {n: this == 1}, other_args: deny", "other_args: deny",
    };
    /* clang-format on */
    const char *part = parts[pick(m, forbid ? 5 : 7)];
    return arena_fmt(m->a, ", %s", part);
}

static str rule_text(maker *m, unsigned number)
{
    static const char *const names[] =
        {"fs/read", "fs/*", "\"*\"", "\"*/write\"", "[fs/write, gs/read]", "f?/r*"};
    static const char *const effects[] = {"permit", "permit", "permit", "forbid", "require"};
    static const char *const scopes[] = {", scopes: [a]", ", scopes: [a, b]", ", scopes: [z]", ""};
    const char *effect = ONE_OF(m, effects);
    bool forbid = effect[0] == 'f';
    str when = pick(m, 4) ? arena_fmt(m->a, ", when: '%s'", expression(m, 3).p) : S("");
    str args = !m->no_args && !pick(m, 4) ? args_part(m, forbid) : S("");
    return arena_fmt(m->a, "  - {id: r%u, %s: %s%s%s%s}\n", number, effect, ONE_OF(m, names),
                     when.p, args.p, forbid || pick(m, 3) ? "" : ONE_OF(m, scopes));
}

typedef struct {
    str head, rules[RULES];
    unsigned count;
} text;

static text policy_text(maker *m)
{
    text t = {.head = vars_text(m), .count = 1 + pick(m, RULES)};
    for (unsigned i = 0; i < t.count; i++) t.rules[i] = rule_text(m, i);
    return t;
}

static policy *load_text(maker *m, const text *t, unsigned split)
{
    problems out;
    policy *p = NULL;
    str files[2] = {t->head, t->head};
    for (unsigned i = 0; i < t->count; i++)
        files[i < split] = arena_fmt(m->a, "%s%s", files[i < split].p, t->rules[i].p);
    const policy_source sources[] = {{S("a.yaml"), files[0]}, {S("b.yaml"), files[1]}};
    problems_init(&out, m->a, S("x"));
    policy_load(m->a, sources, split ? 2 : 1, NULL, &out, &p);
    for (const problem *w = out.first; w; w = w->next)
        print_error(STR_FMT "\n%s", STR_ARG(w->text), files[0].p);
    assert_non_null(p);
    return p;
}

/* Questions */

static js_value arguments(maker *m)
{
    static const char *const ns[] = {"\"n\":1",     "\"n\":2",    "\"n\":5",
                                     "\"n\":\"1\"", "\"n\":null", "\"n\":1.5"};
    static const char *const ss[] = {"\"s\":\"a\"", "\"s\":\"ab\"", "\"s\":\"c\"", "\"s\":7",
                                     "\"s\":[]"};
    static const char *const bs[] = {"\"b\":true", "\"b\":false", "\"b\":\"no\""};
    static const char *const ls[] = {"\"l\":[]", "\"l\":[1]", "\"l\":[0,1,2,3]", "\"l\":[\"x\"]",
                                     "\"l\":{}"};
    const char *members[4] = {pick(m, 3) ? ONE_OF(m, ns) : NULL, pick(m, 3) ? ONE_OF(m, ss) : NULL,
                              pick(m, 2) ? ONE_OF(m, bs) : NULL, pick(m, 2) ? ONE_OF(m, ls) : NULL};
    buf b = buf_new(m->a, 1000);
    (void)buf_put(&b, S("{"));
    for (int i = 0; i < 4; i++)
        if (members[i]) (void)buf_fmt(&b, "%s%s", b.n > 1 ? "," : "", members[i]);
    (void)buf_put(&b, S("}"));
    js_value v = {0};
    const err *e = js_check(m->a, buf_str(&b), 8, &v);
    assert_null(e);
    return pick(m, 20) ? v : (js_value){0};
}

static const caller *someone(maker *m)
{
    static const char *const claims[] = {"{\"sub\":\"alice\",\"groups\":[\"eng\",\"ops\"]}",
                                         "{\"sub\":\"bob\",\"groups\":[]}", "{}"};
    static const str scopes[] = {S("a"), S("b"), {0}};
    const char *claim = ONE_OF(m, claims);
    js_value v;
    const err *e = js_check(m->a, (str){claim, strlen(claim)}, 8, &v);
    assert_null(e);
    caller *c = NEW(m->a, caller);
    *c = (caller){.kind = CALLER_JWT,
                  .id = S("jwt:i|x"),
                  .name = pick(m, 2) ? S("alice") : S("bob"),
                  .scopes = scopes + pick(m, 3),
                  .claims = js_tree(m->a, v),
                  .jwt = cel_read_json(m->a, v)};
    return c;
}

static question anything(maker *m)
{
    static const header with[] = {{S("X"), S("1")}, {{0}, {0}}}, without[] = {{{0}, {0}}};
    static const str servers[] = {S("fs"), S("gs")}, names[] = {S("read"), S("write"), S("rm")};
    js_value hint = {0};
    const err *e = js_check(m->a, S("{\"readOnlyHint\":true}"), 4, &hint);
    assert_null(e);
    return (question){
        .kind = SUBJECT_TOOL,
        .server = ONE_OF(m, servers),
        .name = ONE_OF(m, names),
        .who = someone(m),
        .now_ms = 1800000000000,
        .annotations = pick(m, 2) ? hint : (js_value){0},
        .args = arguments(m),
        .mcp = {.method = S("tools/call")},
        .http = {S("POST"), S("/mcp"), S("h"), pick(m, 2) ? with : without},
        .source_ip = S("10.0.0.1"),
    };
}

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
        cmocka_unit_test(without_rules_over_arguments_list_and_call_agree),
        cmocka_unit_test(an_explanation_says_what_was_decided),
        cmocka_unit_test(the_order_of_rules_and_files_never_matters),
    };
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
