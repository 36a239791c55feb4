/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../../authz/policy/test.h"
#include "policy_kit.h"

typedef struct {
    const char *text;
    const char *want[4]; /* beginnings of the problems, in order */
} bad_file;

static void every_problem_is_told_with_its_place(void **state)
{
    arena *a = *state;
    /* clang-format off */
    static const bad_file cases[] = {
        {"rules: []\n", {"p.yaml:1:1: error E102: the file must say `policy: v1`"}}, {"", {"p.yaml:1:1: error E102"}},
        {"policy: v2\n", {"p.yaml:1:9: error E106"}},
        {"policy: v1\ndefault: permit\n", {"p.yaml:2:10: error E104: default can only be deny"}},
        {"policy: v1\nrule: []\n", {"p.yaml:2:1: error E101: unknown key 'rule' in a policy file, did you mean 'rules'?"}},
        {"policy: v1\nquotas: [{id: x}]\n", {"p.yaml:2:10: error E102: the quota has no `for`", "p.yaml:2:10: error E102", "p.yaml:2:10: error E102"}},
        {"policy: v1\ntests: {}\n", {"p.yaml:2:8: error E103: tests must be a list"}},
        {"policy: v1\ntests:\n  - {name: x, cal: a/b}\n", {"p.yaml:3:15: error E101: unknown key 'cal' in a test, did you mean 'call'?", "p.yaml:3:5: error E102", "p.yaml:3:5: error E102"}},
        {"policy: v1\ntests:\n  - {call: a, expect: maybe}\n", {"p.yaml:3:12: error E107: 'a' must be server/name", "p.yaml:3:23: error E104: expect must be permit or deny"}},
        {"policy: v1\ntests:\n  - {list: fs, expect: permit, usage: {inptu: 1}}\n", {"p.yaml:3:40: error E101: unknown key 'inptu' in usage", "p.yaml:3:5: error E102", "p.yaml:3:5: error E102"}},
        {"policy: v1\ntests:\n  - {call: a/b, as: alice, expect: deny, args: [1]}\n", {"p.yaml:3:21: error E103: as must be a map", "p.yaml:3:48: error E103: args must be a map"}},
        {"- a\n", {"p.yaml:1:1: error E103: a policy file must be a map, not a list"}},
        {"policy: v1\nrules: {}\n", {"p.yaml:2:8: error E103: rules must be a list"}},
        {HEAD "  - {permit: fs/*}\n", {"p.yaml:3:5: error E102: the rule has no id"}},
        {HEAD "  - {id: r}\n", {"p.yaml:3:5: error E102: a rule has exactly one of"}},
        {HEAD "  - {id: r, permit: a/b, forbid: a/c}\n", {"p.yaml:3:5: error E102: a rule has exactly one of"}},
        {HEAD "  - {id: r, permit: a/b}\n  - {id: r, permit: a/b}\n", {"p.yaml:4:10: error E105: rule 'r' is already defined at p.yaml:3"}},
        {HEAD "  - {id: r, permit: a/b, wen: x}\n", {"p.yaml:3:26: error E101: unknown key 'wen' in a rule, did you mean 'when'?"}},
        {HEAD "  - {id: r, permit: read_file}\n", {"p.yaml:3:21: error E107: 'read_file' names no server: write server/read_file"}},
        {HEAD "  - {id: r, permit: {tool: [a/b]}}\n", {"p.yaml:3:22: error E101: unknown key 'tool' in what a rule names, did you mean 'tools'?"}},
        {HEAD "  - {id: r, permit: {}}\n", {"p.yaml:3:21: error E104: the rule names nothing"}},
        {HEAD "  - {id: r, permit: []}\n", {"p.yaml:3:21: error E104: the list names nothing"}},
        {HEAD "  - {id: r, permit: FS/x}\n", {"p.yaml:3:21: error E107: 'FS' cannot be a server"}},
        {HEAD "  - {id: r, permit: {endpoints: [v1/x]}}\n", {"p.yaml:3:34: error E107: 'v1/x' is no path"}},
        {HEAD "  - {id: r, permit: a/b, when: }\n", {"p.yaml:3:32: error E104: `when` is empty"}},
        {HEAD "  - {id: r, permit: a/b, when: [x]}\n", {"p.yaml:3:32: error E103: `when` must be an expression, not a list"}},
        {HEAD "  - {id: r, permit: a/b, when: jwt.sub + 1 == 2 && tol.name == 'x'}\n", {"p.yaml:3:52: error E004: unknown variable 'tol' (did you mean tool?)"}},
        {HEAD "  - {id: r, permit: a/b, when: tool.nmae == 'x'}\n", {"p.yaml:3:37: error E109: 'tool' has no member 'nmae', did you mean 'name'?"}},
        {HEAD "  - {id: r, permit: a/b, when: mcp.client.nme == 'x'}\n", {"p.yaml:3:43: error E109: 'mcp.client' has no member 'nme'"}},
        {HEAD "  - {id: r, permit: a/b, when: tool.name}\n", {"p.yaml:3:32: error E108: `when` must be true or false, this is string"}},
        {HEAD "  - {id: r, permit: a/b, when: \"tool.name == 1\"}\n", {"p.yaml:3:43: error E003"}},
        {HEAD "  - {id: r, permit: a/b, when: 'tool.name == ''a'' && tool.name == 1'}\n", {"p.yaml:3:65: error E003"}},
        {HEAD "  - {id: r, permit: a/b, when: \"tool.name == \\\"a\\\" && tool.name == 1\"}\n", {"p.yaml:3:65: error E003"}},
        {HEAD "  - id: r\n    permit: a/b\n    when: |\n      tool.name == 'x' &&\n        nope\n", {"p.yaml:7:9: error E004: unknown variable 'nope'"}},
        {HEAD "  - id: r\n    permit: a/b\n    when: >\n      tool.name == 'x' &&\n      nope\n", {"p.yaml:7:7: error E004"}},
        {HEAD "  - id: r\n    permit: a/b\n    when: tool.name == 'x' &&\n      nope\n", {"p.yaml:6:7: error E004"}},
        {HEAD "  - {id: r, permit: a/b, when: \"'\xc3\xa9' == tool.name && nope\"}\n", {"p.yaml:3:53: error E004"}}, /* columns are characters */
        {HEAD "  - id: r\n    permit: a/b\n    when: tool.name == # 'x'\n", {"p.yaml:5:"}},
        {HEAD "  - {id: r, permit: a/b, when: usage.total < 5}\n", {"p.yaml:3:44: error E109: usage is known when a call is over"}},
        {HEAD "  - {id: r, permit: a/b, when: this == 5}\n", {"p.yaml:3:32: error E004: unknown variable 'this'"}},
        {HEAD "  - {id: r, permit: a/b, when: vars.x}\n", {"p.yaml:3:37: error E109: no var 'x' in this file"}},
        {"policy: v1\nvars:\n  a: vars.b\n  b: 'true'\n", {"p.yaml:3:11: error E109: vars.b must stand above"}},
        {"policy: v1\nvars:\n  a: vars.a\n", {"p.yaml:3:11: error E109: vars.a must stand above"}},
        {"policy: v1\nvars:\n  engineer: 'true'\nrules:\n  - {id: r, permit: a/b, when: vars.enginer}\n", {"p.yaml:5:37: error E109: no var 'enginer' in this file, did you mean 'engineer'?"}},
        {"policy: v1\nvars:\n  n: 1 + 1\nrules:\n  - {id: r, permit: a/b, when: vars.n}\n", {"p.yaml:5:32: error E108: `when` must be true or false, this is int"}},
        {"policy: v1\nvars:\n  a-b: 'true'\n", {"p.yaml:3:3: error E104: 'a-b' cannot be a var"}},
        {HEAD "  - {id: r, permit: a/b, args: {x: this + 'a'}}\n", {"p.yaml:3:36: error E108"}},
        {HEAD "  - {id: r, permit: a/b, args: {x: {in: 7}}}\n", {"p.yaml:3:41: error E103: `in` must be a list"}},
        {HEAD "  - {id: r, permit: a/b, args: {x: {is: 7, in: [1]}}}\n", {"p.yaml:3:36: error E102: an argument's condition is exactly one of"}},
        {HEAD "  - {id: r, permit: a/b, args: {x: {is: 7, optinal: true}}}\n", {"p.yaml:3:44: error E101: unknown key 'optinal' in an argument's condition, did you mean 'optional'?"}},
        {HEAD "  - {id: r, permit: a/b, other_args: no}\n", {"p.yaml:3:38: error E104: other_args must be deny or allow"}},
        {HEAD "  - {id: r, forbid: a/b, other_args: deny}\n", {"p.yaml:3:26: error E104: other_args: deny would let"}},
        {HEAD "  - {id: r, forbid: a/b, scopes: [x]}\n", {"p.yaml:3:26: error E104: scopes belong to permit and require"}},
        {HEAD "  - {id: r, permit: a/b}\n  - {id: s, permit: x, wen: y}\n  - {id: t}\n", /* all at once */ {"p.yaml:4:24: error E101", "p.yaml:4:21: error E107", "p.yaml:5:5: error E102"}},
        {HEAD "  - {id: r, permit: a/b, id: s}\n", {"p.yaml:3:26: "}}, /* YAML's own */
        {HEAD "  - id: r\n    permit: a/b\n    when: !has(jwt.x)\n", {"p.yaml:5:11: "}},
    };
    /* clang-format on */
    bool bad = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        policy *p = NULL;
        problems out = load(a, cases[i].text, &p);
        assert_null(p);
        const problem *w = out.first;
        for (size_t k = 0; k < 4 && cases[i].want[k]; k++, w = w->next) {
            if (!w || !str_starts(w->text, view(cases[i].want[k])))
                print_error("case %zu:\n%swant %s\ngot  " STR_FMT "\n", i, cases[i].text,
                            cases[i].want[k], w ? (int)w->text.n : 1, w ? w->text.p : "-");
            bad |= !(w && str_starts(w->text, view(cases[i].want[k])));
            if (!w) break;
        }
        for (; w; w = w->next)
            bad = true, print_error("case %zu: one too many: " STR_FMT "\n", i, STR_ARG(w->text));
    }
    assert_false(bad);
}

static void several_files_are_one_policy(void **state)
{
    arena *a = *state;
    problems out;
    policy *p = NULL;
    const policy_source sources[] = {
        {S("a.yaml"), S("policy: v1\nvars: {x: jwt.sub == 'alice'}\nrules: [{id: p, permit: fs/*, "
                        "when: vars.x}]\n")},
        {S("b.yaml"), S("policy: v1\nvars: {y: jwt.sub == 'bob', x: 'false'}\nrules: [{id: f, "
                        "forbid: fs/w, when: \"!vars.x\"}]\n")},
    };
    problems_init(&out, a, S("x"));
    policy_load(a, sources, 2, NULL, &out, &p);
    assert_non_null(p);
    assert_int_equal(policy_rule_count(p), 2);
    assert_true(call(a, p, "fs", "r", NULL).permit); /* each file has its own x */
    assert_int_equal(call(a, p, "fs", "w", NULL).why, DENIED_FORBID);
    const policy_source bad[] = {sources[0],
                                 {S("c.yaml"),
                                  S("policy: v1\nrules: [{id: p, permit: x/y, when: vars.x}]\n")}};
    policy_load(a, bad, 2, NULL, &out, &p);
    assert_null(p);
    assert_int_equal(out.count, 2);
    assert_true(str_starts(out.first->text,
                           S("c.yaml:2:14: error E105: rule 'p' is already defined at a.yaml:3")));
    assert_true(
        str_starts(out.first->next->text, S("c.yaml:2:41: error E109: no var 'x' in this file")));
}

static void a_policy_with_any_problem_is_no_policy(void **state)
{
    policy *p = NULL;
    problems out =
        load(*state,
             HEAD "  - {id: good, permit: \"*\"}\n  - {id: bad, forbid: \"*\", when: nope}\n", &p);
    assert_int_equal(out.count, 1);
    assert_null(p);
}

/* Tests inside policies */

static const char with_tests[] =
    "policy: v1\n"
    "vars:\n"
    "  is_engineer: jwt.groups.exists(g, g.startsWith(\"eng-\"))\n"
    "rules:\n"
    "  - {id: fs-read, permit: [fs/read_file, fs/list_dir], when: vars.is_engineer}\n"
    "  - id: fs-write\n"
    "    permit: fs/write_file\n"
    "    scopes: [fs:write]\n"
    "    args: {path: 'this.startsWith(\"/srv/\") && !this.contains(\"..\")', size: this <= "
    "65536}\n"
    "  - {id: no-secrets, forbid: 'fs/*', when: 'args.?path.orValue(\"\").endsWith(\".env\")'}\n"
    "  - {id: models, permit: {models: ['gpt-*']}, when: '!llm.stream'}\n"
    "tests:\n"
    "  - name: an engineer writes\n"
    "    as: &eng { jwt: { sub: alice, groups: [eng-platform], scope: \"fs:write\" } }\n"
    "    call: fs/write_file\n"
    "    args: { path: /srv/data/main.c, size: 120 }\n"
    "    expect: permit\n"
    "    because: [fs-write]\n"
    "  - {name: dots do not escape, as: *eng, call: fs/write_file, args: {path: /srv/../etc, size: "
    "1}, expect: deny}\n"
    "  - {name: secrets, as: *eng, call: fs/read_file, args: {path: /srv/.env}, expect: deny, "
    "because: no-secrets}\n"
    "  - {name: what an engineer sees, as: *eng, list: fs, expect_tools: [read_file, list_dir, "
    "write_file]}\n"
    "  - {name: what a stranger sees, as: {sub: mallory, groups: []}, list: fs, expect_tools: []}\n"
    "  - {name: nobody, call: fs/read_file, expect: deny}\n"
    "  - {name: a model, as: *eng, llm: gpt-4o, expect: permit}\n"
    "  - {name: a streamed model, as: *eng, llm: gpt-4o, args: {stream: true}, expect: deny}\n";

typedef struct {
    size_t passed;
    str last_why, last_name;
} outcomes;

static void note_outcome(void *ctx, const policy_test_result *r)
{
    outcomes *o = ctx;
    o->passed += r->passed;
    if (r->passed) return;
    o->last_why = r->why;
    o->last_name = r->name;
}

static void tests_in_a_policy_run(void **state)
{
    arena *a = *state;
    const policy *p = must_load(a, with_tests);
    outcomes o = {0};
    assert_int_equal(policy_test_count(p), 8);
    size_t bad = policy_test_run(p, 1800000000000, a, note_outcome, &o);
    if (bad) print_error(STR_FMT ": " STR_FMT "\n", STR_ARG(o.last_name), STR_ARG(o.last_why));
    assert_int_equal(bad, 0);
    assert_int_equal(o.passed, 8);
}

static void a_test_that_does_not_hold_says_why(void **state)
{
    arena *a = *state;
    /* clang-format off */
    static const struct {
        const char *test, *why;
    } cases[] = {
        {"{call: fs/a, expect: deny}", "expected deny, got permit by p (p.yaml:3)"},
        {"{call: fs/b, expect: permit}", "expected permit, got deny: no permit matches"},
        {"{call: fs/c, expect: permit}", "expected permit, got deny: scopes are missing by s (p.yaml:4)"},
        {"{call: fs/d, expect: permit}", "expected permit, got deny: a forbid could not be evaluated by f (p.yaml:5); f (p.yaml:5): no such key 'x'"},
        {"{call: fs/a, expect: permit, because: [q, r]}", "expected because of q, got permit by p"},
        {"{list: fs, expect_tools: [b]}", "b is hidden, a is listed"},
        {"{list: fs, expect_tools: []}", "a is listed"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p =
            must_load(a,
                      arena_fmt(a,
                                HEAD
                                "  - {id: p, permit: fs/a}\n  - {id: s, permit: fs/c, scopes: x}\n"
                                "  - {id: f, forbid: fs/d, when: args.x}\ntests:\n  - %s\n",
                                cases[i].test)
                          .p);
        outcomes o = {0};
        assert_int_equal(policy_test_run(p, 1800000000000, a, note_outcome, &o), 1);
        if (!str_starts(o.last_why, view(cases[i].why)))
            print_error("got: " STR_FMT "\n", STR_ARG(o.last_why));
        assert_true(str_starts(o.last_why, view(cases[i].why)));
    }
}

static str file_of(arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    buf b = buf_new(a, 1 << 20);
    while (buf_need(&b, 4096)) {
        size_t n = fread(b.p + b.n, 1, 4096, f);
        if (!n) break;
        b.n += n;
    }
    (void)fclose(f);
    return buf_str(&b);
}

static void the_policies_that_come_with_us_hold(void **state)
{
    arena *a = *state;
    policy *p = NULL;
    problems out;
    outcomes o = {0};
    const policy_source source = {S("policies/filesystem.yaml"),
                                  file_of(a, "policies/filesystem.yaml")};
    problems_init(&out, a, S("x"));
    policy_load(a, &source, 1, NULL, &out, &p);
    for (const problem *w = out.first; w; w = w->next) print_error(STR_FMT "\n", STR_ARG(w->text));
    assert_non_null(p);
    if (policy_test_run(p, 1800000000000, a, note_outcome, &o))
        print_error(STR_FMT ": " STR_FMT "\n", STR_ARG(o.last_name), STR_ARG(o.last_why));
    assert_int_equal(o.passed, policy_test_count(p));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_problem_is_told_with_its_place),   T(several_files_are_one_policy),
        T(a_policy_with_any_problem_is_no_policy), T(tests_in_a_policy_run),
        T(a_test_that_does_not_hold_says_why),     T(the_policies_that_come_with_us_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
