/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_kit.h"

/* Globs and names */

static void a_star_is_any_run_and_a_question_mark_one_character(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool want;
    } cases[] = {
        /* clang-format off */
        {"*", "", true}, {"*", "a/b", true}, {"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "A", false},
        {"a*", "a", true}, {"a*", "abc", true}, {"a*c", "abc", true}, {"a*c", "ab", false}, {"*c", "abc", true},
        {"a*b*c", "aXbYc", true}, {"a*b*c", "acb", false}, {"?", "a", true}, {"?", "", false}, {"?", "ab", false},
        {"??", "\xc3\xa9", false}, {"?", "\xc3\xa9", true}, {"*?", "\xc3\xa9", true}, {"?*", "ab", true},
        {"fs/*", "fs/a/b", true}, {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false}, {"**", "x", true}, {"a?c", "abc", true},
        {"a?c", "ac", false}, {"*.env", ".env", true}, {"*\xa9", "\xc3\xa9", false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (policy_glob(view(cases[i].pattern), view(cases[i].text)) != cases[i].want)
            print_error("%s on %s\n", cases[i].pattern, cases[i].text);
        assert_int_equal(policy_glob(view(cases[i].pattern), view(cases[i].text)), cases[i].want);
    }
}

static void a_rule_meets_what_it_names_and_nothing_else(void **state)
{
    arena *a = *state;
    static const struct {
        const char *names, *server, *tool;
        bool want;
    } cases[] = {
        /* clang-format off */
        {"fs/read", "fs", "read", true}, {"fs/read", "fs", "reader", false}, {"fs/read", "gs", "read", false},
        {"fs/*", "fs", "read", true}, {"fs/*", "fsx", "read", false}, {"fs/read_*", "fs", "read_file", true},
        {"\"*/read\"", "fs", "read", true}, {"\"*/read\"", "fs", "a/read", true}, {"\"*/read\"", "fs", "write", false},
        {"\"*\"", "any", "thing", true}, {"prod-*/x", "prod-db", "x", true}, {"prod-?/x", "prod-db", "x", false},
        {"[a/b, fs/read]", "fs", "read", true}, {"[a/b, fs/read]", "a", "read", false},
        {"{tools: [fs/read]}", "fs", "read", true}, {"{models: [\"*\"]}", "fs", "read", false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p =
            must_load(a, arena_fmt(a, HEAD "  - {id: r, permit: %s}\n", cases[i].names).p);
        if (call(a, p, cases[i].server, cases[i].tool, NULL).permit != cases[i].want)
            print_error("%s on %s/%s\n", cases[i].names, cases[i].server, cases[i].tool);
        assert_int_equal(call(a, p, cases[i].server, cases[i].tool, NULL).permit, cases[i].want);
    }
}

static void every_kind_of_subject_is_asked_by_its_own_list(void **state)
{
    arena *a = *state;
    const policy *p =
        must_load(a, HEAD
                  "  - id: r\n    permit:\n      resources: [fs/file:///srv/*]\n      prompts: "
                  "fs/greet\n"
                  "      models: [\"gpt-4*\", \"org/m\"]\n      endpoints: [/v1/embeddings]\n");
    static const struct {
        subject_kind kind;
        const char *server, *name;
        bool want;
    } cases[] = {
        /* clang-format off */
        {SUBJECT_RESOURCE, "fs", "file:///srv/data/x", true}, {SUBJECT_RESOURCE, "fs", "file:///etc/x", false},
        {SUBJECT_PROMPT, "fs", "greet", true}, {SUBJECT_PROMPT, "gs", "greet", false}, {SUBJECT_MODEL, "", "gpt-4o", true},
        {SUBJECT_MODEL, "", "gpt-5", false}, {SUBJECT_MODEL, "", "org/m", true},
        {SUBJECT_ENDPOINT, "", "/v1/embeddings", true}, {SUBJECT_ENDPOINT, "", "/v1/embeddings/x", false},
        {SUBJECT_TOOL, "fs", "greet", false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        question q = call_of(a, cases[i].server, cases[i].name, NULL);
        q.kind = cases[i].kind;
        assert_int_equal(decide(a, p, &q).permit, cases[i].want);
    }
}

/* Facts */

static void rules_see_the_facts_of_the_question(void **state)
{
    arena *a = *state;
    static const struct {
        const char *when;
        bool want;
    } cases[] = {
        /* clang-format off */
        {"jwt.sub == 'alice' && 'eng' in jwt.groups", true}, {"jwt.nobody == 1", false}, {"has(jwt.nobody)", false},
        {"caller.id == 'jwt:iss|alice' && caller.kind == 'jwt' && caller.name == 'alice'", true},
        {"'fs:read' in caller.scopes && size(caller.scopes) == 2", true},
        {"tool.server == 'fs' && tool.name == 'read' && tool.title == 'A tool'", true},
        {"tool.annotations.readOnlyHint", true}, {"has(tool.annotations.destructiveHint)", false},
        {"tool.annotations.?destructiveHint.orValue(true)", true},
        {"mcp.method == 'tools/call' && mcp.client.name == 'claude' && mcp.client.version == '1.2'", true},
        {"mcp.protocol >= '2026-01-01'", true}, {"has(mcp.client.name)", true},
        {"http.method == 'POST' && http.path == '/mcp' && http.host.endsWith('.example.com')", true},
        {"http.headers['x-tenant'] == 't-1'", true}, {"http.headers.accept == 'a, b'", true},
        {"has(http.headers.missing)", false}, {"'X-Tenant' in http.headers", false}, {"size(http.headers) == 2", true},
        {"source.ip == '10.0.0.7' && source.cert == null", true}, {"now == timestamp('2027-01-15T08:00:00Z')", true},
        {"args.n == 7 && args.n % 2 == 1 && args.f > 0.5", true}, {"args.big > 9e18", true},
        {"args == {'n': 7, 'f': 0.75, 'big': 18446744073709551615.0, 'list': [1, 'a', null], " "'deep': {'x': {'y': true}}}", true},
        {"args.deep.x.y && args.list.exists(e, e == 'a')", true}, {"args['n'] in [6, 7]", true},
        {"tool == {'server': 'fs', 'name': 'read', 'title': 'A tool', 'annotations': " "{'readOnlyHint': true}}", true},
        {"has(tool.title) && has(http.path) && has(args.n)", true}, {"has(llm.model)", false}, /* there is no such thing here: an error */
        {"resource.uri == ''", false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p =
            must_load(a, arena_fmt(a, HEAD "  - id: r\n    permit: fs/*\n    when: |\n      %s\n",
                                   cases[i].when)
                             .p);
        verdict v = call(a, p, "fs", "read",
                         "{\"n\":7,\"f\":0.75,\"big\":18446744073709551615,\"list\":[1,\"a\",null],"
                         "\"deep\":{\"x\":{\"y\":true}}}");
        if (v.permit != cases[i].want)
            print_error("%s: " STR_FMT "\n", cases[i].when, STR_ARG(v.error));
        assert_int_equal(v.permit, cases[i].want);
    }
}

static void rules_see_the_facts_of_a_model(void **state)
{
    arena *a = *state;
    static const struct {
        const char *when;
        bool want;
    } cases[] = {
        /* clang-format off */
        {"llm.model == 'gpt-4o' && llm.endpoint == '/v1/chat/completions' && llm.backend == " "'openai'", true},
        {"llm.stream && llm.params.temperature < 1.0", true}, {"llm.tools == ['a', 'b']", true},
        {"size(llm.params.messages) == 1", true}, {"has(mcp.method)", false}, {"tool.name == ''", false},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p =
            must_load(a,
                      arena_fmt(a,
                                HEAD
                                "  - id: r\n    permit: {models: [\"*\"]}\n    when: |\n      %s\n",
                                cases[i].when)
                          .p);
        question q = call_of(a, "", "gpt-4o", NULL);
        q.kind = SUBJECT_MODEL;
        q.llm.model = S("gpt-4o");
        q.llm.endpoint = S("/v1/chat/completions");
        q.llm.backend = S("openai");
        q.llm.stream = true;
        q.llm.params = json(a, "{\"temperature\":0.5,\"messages\":[{}],\"tools\":[{\"type\":"
                               "\"function\",\"function\":{\"name\":\"a\"}},{\"name\":\"b\"},7]}");
        verdict v = decide(a, p, &q);
        if (v.permit != cases[i].want)
            print_error("%s: " STR_FMT "\n", cases[i].when, STR_ARG(v.error));
        assert_int_equal(v.permit, cases[i].want);
    }
}

static void vars_work_in_rules(void **state)
{
    arena *a = *state;
    const policy *p = must_load(a, "policy: v1\nvars:\n  eng: jwt.groups.exists(g, g == 'eng')\n  "
                                   "small: args.size < 10\n"
                                   "  both: vars.eng && vars.small\n  limit: '{\"fs\": 5}'\n"
                                   "rules:\n  - {id: r, permit: fs/*, when: vars.both}\n  - {id: "
                                   "s, permit: gs/*, when: 'args.size < vars.limit.fs'}\n");
    assert_true(call(a, p, "fs", "x", "{\"size\":9}").permit);
    assert_false(call(a, p, "fs", "x", "{\"size\":10}").permit);
    assert_true(call(a, p, "gs", "x", "{\"size\":4}").permit);
    assert_false(call(a, p, "gs", "x", "{\"size\":5}").permit);
    assert_true(listed(a, p, "fs", "x"));
    verdict v = call(a, p, "fs", "x", "{}");
    assert_false(v.permit);
    assert_non_null(strstr(v.error.p, "vars.small: no such key 'size'"));
    assert_true(policy_reads_args(p, SUBJECT_TOOL, S("fs"), S("x"))); /* by way of vars */
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_star_is_any_run_and_a_question_mark_one_character),
        T(a_rule_meets_what_it_names_and_nothing_else),
        T(every_kind_of_subject_is_asked_by_its_own_list),
        T(rules_see_the_facts_of_the_question),
        T(rules_see_the_facts_of_a_model),
        T(vars_work_in_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
