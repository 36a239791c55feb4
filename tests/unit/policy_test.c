/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "policy_kit.h"

/* The decision */

static void without_policies_nothing_is_allowed(void **state)
{
    arena *a = *state;
    problems out;
    problems_init(&out, a, S("x"));
    policy *p = NULL;
    policy_load(a, NULL, 0, NULL, &out, &p);
    assert_non_null(p);
    assert_int_equal(policy_rule_count(p), 0);
    verdict v = call(a, p, "fs", "read", NULL);
    assert_false(v.permit || v.listed);
    assert_int_equal(v.why, DENIED_DEFAULT);
}

static void the_decision_follows_the_contract(void **state)
{
    arena *a = *state;
    /* f, r, p: what a forbid, a require and a permit say; an empty text: no such rule */
    static const struct {
        const char *f, *r, *p;
        denied want;
    } cases[] = {
        /* clang-format off */
        {"", "", "", DENIED_DEFAULT}, {"", "", "true", DENIED_NOT}, {"", "", "false", DENIED_DEFAULT},
        {"", "", "args.x == 1", DENIED_DEFAULT}, /* an error */
        {"false", "", "true", DENIED_NOT}, {"true", "", "true", DENIED_FORBID},
        {"args.x == 1", "", "true", DENIED_FORBID_ERROR}, {"args.x == 1", "true", "true", DENIED_FORBID_ERROR},
        {"", "true", "true", DENIED_NOT}, {"", "false", "true", DENIED_REQUIRE},
        {"", "args.x == 1", "true", DENIED_REQUIRE}, {"", "true", "", DENIED_DEFAULT},
        {"true", "false", "true", DENIED_FORBID}, {"false", "false", "true", DENIED_REQUIRE},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str text = S("policy: v1\nrules:\n  - {id: other, permit: a/b}\n");
        if (*cases[i].f)
            text = arena_fmt(a, "%s  - {id: f, forbid: fs/*, when: %s}\n", text.p, cases[i].f);
        if (*cases[i].p)
            text = arena_fmt(a, "%s  - {id: p, permit: fs/*, when: %s}\n", text.p, cases[i].p);
        if (*cases[i].r)
            text = arena_fmt(a, "%s  - {id: r, require: fs/*, when: %s}\n", text.p, cases[i].r);
        verdict v = call(a, must_load(a, text.p), "fs", "read", NULL);
        if (v.why != cases[i].want)
            print_error("f=%s r=%s p=%s: %d\n", cases[i].f, cases[i].r, cases[i].p, (int)v.why);
        assert_int_equal(v.why, cases[i].want);
        assert_int_equal(v.permit, cases[i].want == DENIED_NOT);
    }
}

static void a_verdict_names_rule_place_and_message(void **state)
{
    arena *a = *state;
    const policy *p =
        must_load(a, HEAD "  - id: all\n    permit: fs/*\n  - id: no-secrets\n    forbid: fs/read\n"
                          "    when: args.path.endsWith(\".env\")\n    message: Secret files stay "
                          "here\n    note: SEC-1\n");
    verdict v = call(a, p, "fs", "read", "{\"path\":\"/x/.env\"}");
    assert_int_equal(v.why, DENIED_FORBID);
    assert_true(str_eq(v.rule, S("no-secrets")) && str_eq(v.place, S("p.yaml:5")));
    assert_true(str_eq(v.message, S("Secret files stay here")));
    assert_true(v.listed && !v.error.n);
    v = call(a, p, "fs", "read", "{\"path\":\"/x/y\"}");
    assert_true(v.permit && v.listed && str_eq(v.rule, S("all")) && !v.message.n);
    v = call(a, p, "fs", "read", "{}"); /* fail closed, and the operator learns why */
    assert_int_equal(v.why, DENIED_FORBID_ERROR);
    assert_non_null(strstr(v.error.p, "no-secrets (p.yaml:5)"));
    assert_non_null(strstr(v.error.p, "path"));
    v = call(a, p, "gs", "read", "{}");
    assert_true(!v.listed && v.why == DENIED_DEFAULT && !v.rule.n && !v.message.n);
}

static void a_true_forbid_wins_over_a_broken_one(void **state)
{
    const policy *p = must_load(*state, HEAD "  - {id: a-broken, forbid: fs/*, when: args.x == "
                                             "1}\n  - {id: z-true, forbid: fs/*}\n");
    verdict v = call(*state, p, "fs", "read", NULL);
    assert_int_equal(v.why, DENIED_FORBID);
    assert_true(str_eq(v.rule, S("z-true")));
}

/* Arguments */

static void arguments_are_held_against_their_conditions(void **state)
{
    arena *a = *state;
    const policy *p =
        must_load(a, HEAD "  - id: w\n    permit: fs/write\n    args:\n      path: "
                          "this.startsWith(\"/srv/\") && !this.contains(\"..\")\n"
                          "      size: this <= 100\n      mode: {in: [\"0644\", 7, true], "
                          "optional: true}\n      kind: {is: text, optional: true}\n"
                          "      tag: {when: this != 'x', optional: true}\n    other_args: deny\n");
    static const struct {
        const char *args;
        bool want;
    } cases[] = {
        /* clang-format off */
        {"{\"path\":\"/srv/a\",\"size\":1}", true}, {"{\"path\":\"/srv/../a\",\"size\":1}", false},
        {"{\"path\":\"/srv/a\"}", false}, {"{\"size\":1}", false}, {"{}", false}, {NULL, false}, {"null", false},
        {"{\"path\":\"/srv/a\",\"size\":101}", false}, {"{\"path\":7,\"size\":1}", false},
        {"{\"path\":null,\"size\":1}", false}, {"{\"path\":\"/srv/a\",\"size\":1,\"mode\":\"0644\"}", true},
        {"{\"path\":\"/srv/a\",\"size\":1,\"mode\":\"7\"}", false}, {"{\"path\":\"/srv/a\",\"size\":1,\"mode\":7}", true},
        {"{\"path\":\"/srv/a\",\"size\":1,\"mode\":true}", true}, {"{\"path\":\"/srv/a\",\"size\":1,\"mode\":null}", false},
        {"{\"path\":\"/srv/a\",\"size\":1,\"kind\":\"text\"}", true},
        {"{\"path\":\"/srv/a\",\"size\":1,\"kind\":\"bin\"}", false},
        {"{\"path\":\"/srv/a\",\"size\":1,\"tag\":\"y\"}", true}, {"{\"path\":\"/srv/a\",\"size\":1,\"tag\":\"x\"}", false},
        {"{\"path\":\"/srv/a\",\"size\":1,\"extra\":0}", false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (call(a, p, "fs", "write", cases[i].args).permit != cases[i].want)
            print_error("args %s\n", cases[i].args);
        assert_int_equal(call(a, p, "fs", "write", cases[i].args).permit, cases[i].want);
    }
    assert_true(listed(a, p, "fs", "write"));
}

static void a_forbid_is_not_evaded_by_leaving_an_argument_out(void **state)
{
    arena *a = *state;
    const policy *p = must_load(a, HEAD "  - {id: p, permit: fs/*}\n  - id: f\n    forbid: fs/*\n  "
                                        "  args: {path: this.contains('..')}\n");
    assert_true(call(a, p, "fs", "x", "{\"path\":\"/a\"}").permit);
    assert_int_equal(call(a, p, "fs", "x", "{\"path\":\"/../a\"}").why, DENIED_FORBID);
    assert_int_equal(call(a, p, "fs", "x", "{}").why, DENIED_FORBID_ERROR);
    assert_int_equal(call(a, p, "fs", "x", NULL).why, DENIED_FORBID_ERROR);
    assert_int_equal(call(a, p, "fs", "x", "{\"path\":[]}").why, DENIED_FORBID_ERROR);
    assert_int_equal(call(a, p, "fs", "x", "[\"/a\"]").why, DENIED_FORBID_ERROR);
    assert_true(listed(a, p, "fs", "x"));
    p = must_load(a, HEAD "  - {id: p, permit: fs/*}\n  - id: f\n    forbid: fs/*\n    args: "
                          "{path: {when: this.contains('..'), optional: true}}\n");
    assert_true(call(a, p, "fs", "x", "{}").permit); /* its absence is said to be fine */
    assert_int_equal(call(a, p, "fs", "x", "{\"path\":\"..\"}").why, DENIED_FORBID);
}

/* Listing */

static void a_list_shows_what_some_call_might_be_allowed(void **state)
{
    arena *a = *state;
    static const struct {
        const char *rules;
        bool want;
    } cases[] = {
        /* clang-format off */
        {"  - {id: p, permit: fs/*}\n", true}, {"  - {id: p, permit: fs/*, when: args.x == 1}\n", true},
        {"  - {id: p, permit: fs/*, when: args.x == 1 && jwt.sub == 'bob'}\n", false},
        {"  - {id: p, permit: fs/*, when: args.x == 1 && jwt.sub == 'alice'}\n", true},
        {"  - {id: p, permit: fs/*, when: args.x == 1 || jwt.nobody == 'x'}\n", true},
        {"  - {id: p, permit: fs/*, when: jwt.nobody == 'x'}\n", false},
        {"  - {id: p, permit: fs/*}\n  - {id: f, forbid: fs/*, when: args.x == 1}\n", true},
        {"  - {id: p, permit: fs/*}\n  - {id: f, forbid: fs/*, when: args.x == 1 || true}\n", false},
        {"  - {id: p, permit: fs/*}\n  - {id: f, forbid: fs/*, when: jwt.nobody == 'x'}\n", false},
        {"  - {id: p, permit: fs/*}\n  - {id: r, require: fs/*, when: args.x == 1}\n", true},
        {"  - {id: p, permit: fs/*}\n  - {id: r, require: fs/*, when: 'false'}\n", false},
        {"  - {id: p, permit: fs/*, when: \"http.headers['x-tenant'] == 'no'\"}\n", true},
        {"  - {id: p, permit: fs/*, when: \"http.path == '/other'\"}\n", false},
        {"  - {id: p, permit: fs/*, when: \"http == {'path': '/other'}\"}\n", true}, /* as a whole it is not known */
        {"  - {id: p, permit: fs/*, when: \"mcp.method == 'tools/call'\"}\n", true},
        {"  - {id: p, permit: fs/*, scopes: [fs:read]}\n", true},
        {"  - {id: p, permit: fs/*, scopes: [fs:write]}\n", false},
        {"  - {id: p, permit: fs/*}\n  - {id: r, require: fs/*, scopes: [fs:write]}\n", false},
        {"  - {id: p, permit: fs/*, args: {x: this > 1}}\n", true}, {"  - {id: p, permit: fs/*, other_args: deny}\n", true},
        {"  - {id: p, permit: fs/*}\n  - {id: f, forbid: fs/*, args: {x: this > 1}}\n", true},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p = must_load(a, arena_fmt(a, HEAD "%s", cases[i].rules).p);
        if (listed(a, p, "fs", "x") != cases[i].want) print_error("%s\n", cases[i].rules);
        assert_int_equal(listed(a, p, "fs", "x"), cases[i].want);
    }
}

/* Scopes */

static str scopes_text(arena *a, const verdict *v)
{
    str out = S("");
    for (const str *s = v->scopes; s && s->p; s++)
        out = arena_fmt(a, "%.*s%s%.*s", STR_ARG(out), out.n ? " " : "", STR_ARG(*s));
    return out;
}

static void missing_scopes_are_told_as_the_smallest_set(void **state)
{
    arena *a = *state;
    static const struct {
        const char *rules;
        denied why;
        const char *scopes;
    } cases[] = {
        /* clang-format off */
        {"  - {id: p, permit: fs/*, scopes: [fs:read, chat]}\n", DENIED_NOT, ""},
        {"  - {id: p, permit: fs/*, scopes: fs:write}\n", DENIED_SCOPES, "fs:write"},
        {"  - {id: p, permit: fs/*, scopes: [fs:read, fs:write, admin]}\n", DENIED_SCOPES, "fs:write admin"},
        {"  - {id: a, permit: fs/*, scopes: [x, y]}\n  - {id: b, permit: fs/*, scopes: [z]}\n", DENIED_SCOPES, "z"},
        {"  - {id: a, permit: fs/*, scopes: [x, y]}\n  - {id: b, permit: fs/*, scopes: [z], when: " "'false'}\n", DENIED_SCOPES, "x y"},
        {"  - {id: a, permit: fs/*, scopes: [x], when: args.n == 1}\n", DENIED_DEFAULT, ""},
        {"  - {id: a, permit: fs/*, scopes: [x]}\n  - {id: f, forbid: fs/*}\n", DENIED_FORBID, ""},
        {"  - {id: a, permit: fs/*, scopes: [x]}\n  - {id: r, require: fs/*, when: 'false'}\n", DENIED_REQUIRE, ""},
        {"  - {id: a, permit: fs/*}\n  - {id: r, require: fs/*, scopes: [prod]}\n", DENIED_SCOPES, "prod"},
        {"  - {id: a, permit: fs/*, scopes: [x, prod]}\n  - {id: r, require: fs/*, scopes: " "[prod]}\n", DENIED_SCOPES, "prod x"},
        {"  - {id: r, require: fs/*, scopes: [prod]}\n", DENIED_DEFAULT, ""},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p = must_load(a, arena_fmt(a, HEAD "%s", cases[i].rules).p);
        verdict v = call(a, p, "fs", "x", "{\"m\":1}");
        if (v.why != cases[i].why) print_error("%s: %d\n", cases[i].rules, (int)v.why);
        assert_int_equal(v.why, cases[i].why);
        assert_true(str_eq(scopes_text(a, &v), view(cases[i].scopes)));
        if (v.why == DENIED_SCOPES) assert_false(v.listed);
    }
}

/* What others ask of a policy */

static void it_is_known_which_subjects_need_arguments(void **state)
{
    arena *a = *state;
    const policy *p =
        must_load(a, HEAD
                  "  - {id: a, permit: fs/read}\n  - {id: b, permit: fs/w*, when: args.x == 1}\n"
                  "  - {id: c, permit: \"*/any\", other_args: deny}\n  - {id: d, permit: {prompts: "
                  "[fs/p]}, args: {x: this == 1}}\n");
    assert_false(policy_reads_args(p, SUBJECT_TOOL, S("fs"), S("read")));
    assert_true(policy_reads_args(p, SUBJECT_TOOL, S("fs"), S("write")));
    assert_true(policy_reads_args(p, SUBJECT_TOOL, S("gs"), S("any")));
    assert_false(policy_reads_args(p, SUBJECT_TOOL, S("gs"), S("write")));
    assert_true(policy_reads_args(p, SUBJECT_PROMPT, S("fs"), S("p")));
    assert_false(policy_reads_args(p, SUBJECT_MODEL, S(""), S("p")));
}

static void it_is_known_whether_callers_differ(void **state)
{
    arena *a = *state;
    static const struct {
        const char *rule;
        bool tools, models;
    } cases[] = {
        /* clang-format off */
        {"permit: fs/*", false, false}, {"permit: fs/*, when: jwt.sub == 'x'", true, false},
        {"permit: fs/*, scopes: [x]", true, false}, {"permit: {models: [m]}, when: caller.name == 'x'", false, true},
        {"permit: {tools: [a/b], models: [m]}, when: source.ip == 'x'", true, true},
        {"permit: fs/*, when: mcp.client.name == 'x'", true, false},
        {"permit: fs/*, when: mcp.method == 'x'", false, false}, {"permit: fs/*, when: args.x == 1", false, false},
        {"permit: fs/*, args: {x: this == jwt.sub}", true, false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p = must_load(a, arena_fmt(a, HEAD "  - {id: r, %s}\n", cases[i].rule).p);
        assert_int_equal(policy_depends_on_caller(p, SUBJECT_TOOL), cases[i].tools);
        assert_int_equal(policy_depends_on_caller(p, SUBJECT_MODEL), cases[i].models);
    }
}

static void the_revision_changes_with_the_text(void **state)
{
    arena *a = *state;
    str one = policy_revision(must_load(a, HEAD "  - {id: r, permit: fs/*}\n"));
    assert_int_equal(one.n, 12);
    assert_true(str_eq(one, policy_revision(must_load(a, HEAD "  - {id: r, permit: fs/*}\n"))));
    assert_false(str_eq(one, policy_revision(must_load(a, HEAD "  - {id: r, permit: gs/*}\n"))));
}

static void an_expression_that_costs_too_much_denies(void **state)
{
    arena *a = *state;
    const policy *p = must_load(a, HEAD "  - id: p\n    permit: fs/*\n    when: args.l.all(a, "
                                        "args.l.all(b, args.l.all(c, a + b + c >= 0)))\n");
    buf list = buf_new(a, 100000);
    (void)buf_put(&list, S("{\"l\":[0"));
    for (int i = 0; i < 200; i++) (void)buf_put(&list, S(",1"));
    (void)buf_put(&list, S("]}"));
    (void)buf_put(&list, (str){"", 1});
    verdict v = call(a, p, "fs", "x", list.p);
    assert_false(v.permit);
    assert_non_null(strstr(v.error.p, "costs too much"));
    assert_true(v.listed);
    assert_true(call(a, p, "fs", "x", "{\"l\":[1,2,3]}").permit);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_policies_nothing_is_allowed),
        T(the_decision_follows_the_contract),
        T(a_verdict_names_rule_place_and_message),
        T(a_true_forbid_wins_over_a_broken_one),
        T(arguments_are_held_against_their_conditions),
        T(a_forbid_is_not_evaded_by_leaving_an_argument_out),
        T(a_list_shows_what_some_call_might_be_allowed),
        T(missing_scopes_are_told_as_the_smallest_set),
        T(it_is_known_which_subjects_need_arguments),
        T(it_is_known_whether_callers_differ),
        T(the_revision_changes_with_the_text),
        T(an_expression_that_costs_too_much_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
