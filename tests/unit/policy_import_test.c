/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/policy/import.h"
#include "policy_kit.h"
#include <stdlib.h>

static const char route_head[] =
    "kind: MCPRoute\nmetadata: {name: r}\nspec:\n  backendRefs: [{name: b}]\n"
    "  securityPolicy:\n    authorization:\n";
static const char gateway_head[] =
    "mcp:\n  targets: [{name: b}]\n  policies:\n    mcpAuthorization:\n      rules:\n";

typedef struct {
    str out, notes;
} imported;

static imported import(arena *a, import_kind kind, str text)
{
    problems notes;
    problems_init(&notes, a, S("x"));
    const policy_source file = {S("in.yaml"), text};
    imported i = {.notes = S("")};
    const err *e = policy_import(a, kind, &file, 1, &notes, &i.out);
    if (e) print_error(STR_FMT "\n" STR_FMT "\n", STR_ARG(text), STR_ARG(e->text));
    assert_null(e);
    for (const problem *p = notes.first; p; p = p->next)
        i.notes = arena_fmt(a, STR_FMT STR_FMT "\n", STR_ARG(i.notes), STR_ARG(p->text));
    i.out = arena_dup(a, i.out);
    i.notes = arena_dup(a, i.notes);
    return i;
}

static bool permits(arena *a, str text, const char *tool, const char *args)
{
    policy *p = must_load(a, text.p);
    question q = call_of(a, "b", tool, args);
    verdict v;
    policy_decide(p, &q, a, &v);
    return v.permit;
}

/* clang-format off */
static const struct { const char *cel, *when; } spellings[] = {
    {"request.mcp.tool == 'x'", "tool.name == 'x'"},
    {"request.mcp[\"tool\"] == 'x' && request.mcp.backend != 'y'", "tool.name == 'x' && tool.server != 'y'"},
    {"request.mcp.params.arguments.path.startsWith('/')", "args.path.startsWith('/')"},
    {"request.mcp.params.arguments[\"a\"][\"b\"] == 1", "args[\"a\"][\"b\"] == 1"},
    {"request.mcp.params.?arguments.?a.orValue(1) == 1", "args.?a.orValue(1) == 1"},
    {"has(request.mcp.params.arguments.a)", "has(args.a)"},
    {"request.auth.jwt.claims.groups.exists(g, g == 'x')", "jwt.groups.exists(g, g == 'x')"},
    {"'read' in request.auth.jwt.scopes", "'read' in caller.scopes"},
    {"(request).headers[\"x-a\"] == request.host", "http.headers[\"x-a\"] == http.host"},
    {"request.method=='POST'&&request.path=='/mcp'", "http.method == 'POST' && http.path == '/mcp'"},
    {"int(request.mcp.params.arguments.n) / 2 == 1", "int(args.n) / 2 == 1"},
    {"'a' + request.mcp.params.arguments.n == 'ab'", "'a' + args.n == 'ab'"},
};
static const struct { const char *cel, *why; } losses[] = {
    {"request.mcp.params.name == 'x'", "request.mcp.params.name has no counterpart"},
    {"request.mcp.tol == 'x'", "request.mcp.tol has no counterpart"},
    {"request == 1", "request has no counterpart"},
    {"args.a == 1", "there is no args over there"},
    {"[1].exists(args, args == request.mcp.params.arguments.a)", "a variable named args"},
    {"request.mcp.params.arguments.n / 2 == 1", "floating point there"},
    {"type(request.mcp.params.arguments.n) == double", "floating point there"},
    {"request.mcp.params.?arguments.a == 1", "what follows .?"},
    {"nonsense(", "where a value is expected"},
    {"request.mcp.tool.frobnicate()", "frobnicate"},
};
/* clang-format on */

static imported one_rule(arena *a, const char *action, const char *cel)
{
    str quoted;
    buf b = buf_new(a, 4096);
    (void)buf_json(&b, view(cel));
    quoted = buf_str(&b);
    return import(a, IMPORT_ENVOY,
                  arena_fmt(a,
                            "%s      rules:\n      - action: %s\n        cel: " STR_FMT
                            "\n      - action: Allow\n",
                            route_head, action, STR_ARG(quoted)));
}

static void names_of_facts_are_rewritten(void **state)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        imported got = one_rule(*state, "Allow", spellings[i].cel);
        if (!strstr(got.out.p, spellings[i].when))
            print_error("%s\n%s%s", spellings[i].cel, got.out.p, got.notes.p);
        assert_non_null(strstr(got.out.p, spellings[i].when));
        assert_null(strstr(got.notes.p, "cannot be kept"));
    }
}

static void what_has_no_counterpart_allows_nothing_and_denies_always(void **state)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        imported allow = one_rule(*state, "Allow", losses[i].cel);
        imported deny = one_rule(*state, "Deny", losses[i].cel);
        if (!strstr(allow.notes.p, losses[i].why))
            print_error("%s\n%s", losses[i].cel, allow.notes.p);
        assert_non_null(strstr(allow.notes.p, losses[i].why));
        assert_non_null(strstr(allow.notes.p, "in.yaml:9:14:"));
        assert_null(strstr(allow.out.p, "r-rule-1"));
        assert_false(permits(*state, deny.out, "t", "{}"));
    }
}

static void no_condition_at_all_matches_nothing(void **state)
{
    imported i = one_rule(*state, "Deny", "10");
    assert_non_null(strstr(i.notes.p, "can never match"));
    assert_true(permits(*state, i.out, "t", "{}"));
}

/* A random list of rules, its decision by the rule of the first match, and what was imported. */
typedef struct {
    bool allows;
    int tool;     /* 0: any; else that one */
    int argument; /* 0: no condition; else 1 + which must be 1 */
} random_rule;

enum { RULES = 5, ARGS = 3, TOOLS = 2 };

typedef enum { NO_MATCH, MATCH, CANNOT } outcome;

/* arguments: 0 absent, 1 is 1, 2 is another */
static outcome matches(const random_rule *r, int tool, const int *arguments)
{
    if (r->tool && r->tool != tool) return NO_MATCH;
    if (!r->argument) return MATCH;
    int value = arguments[r->argument - 1];
    return value == 0 ? CANNOT : value == 1 ? MATCH : NO_MATCH;
}

static bool first_match(const random_rule *rules, bool otherwise, int tool, const int *arguments,
                        bool *unsure)
{
    *unsure = false;
    for (size_t i = 0; i < RULES; i++) {
        outcome o = matches(&rules[i], tool, arguments);
        if (o == CANNOT && !rules[i].allows) *unsure = true;
        if (o == MATCH) return rules[i].allows;
    }
    return otherwise;
}

static str written(arena *a, const random_rule *rules, bool otherwise)
{
    str text = arena_fmt(a, "%s      defaultAction: %s\n      rules:\n", route_head,
                         otherwise ? "Allow" : "Deny");
    for (size_t i = 0; i < RULES; i++) {
        const random_rule *r = &rules[i];
        text = arena_fmt(a, STR_FMT "      - action: %s\n", STR_ARG(text),
                         r->allows ? "Allow" : "Deny");
        if (r->tool)
            text = arena_fmt(a, STR_FMT "        target: {tools: [{backend: b, tool: t%d}]}\n",
                             STR_ARG(text), r->tool);
        if (r->argument)
            text = arena_fmt(a, STR_FMT "        cel: request.mcp.params.arguments.a%d == 1\n",
                             STR_ARG(text), r->argument);
    }
    return text;
}

static size_t compare(arena *a, const random_rule *rules, bool otherwise, str out)
{
    size_t equal = 0;
    policy *p = must_load(a, out.p);
    for (int n = 0; n < 27 * TOOLS; n++) {
        int tool = 1 + n / 27, arguments[ARGS] = {n % 3, n / 3 % 3, n / 9 % 3};
        str json_text = S("{");
        for (int i = 0; i < ARGS; i++)
            if (arguments[i])
                json_text = arena_fmt(a, STR_FMT "%s\"a%d\":%d", STR_ARG(json_text),
                                      json_text.n > 1 ? "," : "", i + 1, arguments[i]);
        json_text = arena_fmt(a, STR_FMT "}", STR_ARG(json_text));
        bool unsure, there = first_match(rules, otherwise, tool, arguments, &unsure);
        question q = call_of(a, "b", tool == 1 ? "t1" : "t2", json_text.p);
        verdict v;
        policy_decide(p, &q, a, &v);
        if (v.permit != there && !(unsure && !v.permit))
            print_error("t%d " STR_FMT ": %d there\n%s", tool, STR_ARG(json_text), there, out.p);
        assert_true(!v.permit || there); /* never wider */
        assert_true(v.permit == there || unsure);
        equal += v.permit == there;
    }
    return equal;
}

static void the_first_match_decides_here_too(void **state)
{
    (void)state;
    size_t equal = 0;
    srand(7);
    for (int round = 0; round < 300; round++) {
        arena *a = arena_new();
        random_rule rules[RULES];
        for (size_t i = 0; i < RULES; i++)
            rules[i] = (random_rule){rand() % 2, rand() % (TOOLS + 1), rand() % (ARGS + 1)};
        bool otherwise = rand() % 2;
        equal +=
            compare(a, rules, otherwise, import(a, IMPORT_ENVOY, written(a, rules, otherwise)).out);
        arena_free(a);
    }
    print_message("%zu of %d decisions equal, the others denied here\n", equal, 300 * 27 * TOOLS);
    assert_true(equal > 300 * 27 * TOOLS / 2);
}

static void what_surrounds_a_route_narrows_it(void **state)
{
    imported i =
        import(*state, IMPORT_ENVOY,
               S("kind: MCPRoute\nmetadata: {name: r}\nspec:\n  hostnames: [a.example.com]\n"
                 "  backendRefs:\n  - name: b\n    toolSelector: {include: [get_x], excludeRegex: "
                 "[secret]}\n"
                 "  - name: Bad_Name\n"
                 "  securityPolicy: {oauth: {issuer: x}}\n"));
    assert_non_null(strstr(i.out.p, "tool.name in [\"get_x\"] && !tool.name.matches(\"secret\")"));
    assert_non_null(strstr(i.out.p, "caller.kind == \"jwt\""));
    assert_non_null(strstr(i.out.p, "http.host == \"a.example.com\""));
    assert_non_null(strstr(i.notes.p, "in.yaml:8:5: the backend's name cannot be a server's here"));
    assert_null(strstr(i.out.p, "Bad_Name"));
}

static void routes_to_one_server_are_told_apart_by_their_path(void **state)
{
    imported i = import(
        *state, IMPORT_ENVOY,
        S("kind: MCPRoute\nmetadata: {name: one}\nspec:\n  path: /one\n  backendRefs: [{name: b}]\n"
          "---\nkind: MCPRoute\nmetadata: {name: two}\nspec:\n  path: /two\n  backendRefs: [{name: "
          "b}]\n"
          "  securityPolicy: {authorization: {rules: [{cel: \"request.mcp.tool == 'x'\"}]}}\n"
          "---\nkind: MCPRoute\nmetadata: {name: three}\nspec:\n  path: /two\n  backendRefs: "
          "[{name: b}]\n"));
    assert_non_null(strstr(i.out.p, "when: http.path == \"/one\"\n"));
    assert_non_null(strstr(i.out.p, "when: http.path == \"/two\" && tool.name == 'x'\n"));
    assert_non_null(strstr(i.notes.p, "in.yaml:17:3: another route answers the same requests"));
    assert_null(strstr(i.out.p, "three"));
}

static void agentgateways_three_kinds_of_rules_are_ours(void **state)
{
    str text = arena_fmt(*state,
                         "%s      - mcp.tool.name == \"a\"\n      - allow: jwt.sub == 'x' && "
                         "mcp.tool.name == 'b'\n"
                         "      - deny: mcp.tool.name == \"c\"\n      - require: jwt.sub != 'y'\n",
                         gateway_head);
    imported i = import(*state, IMPORT_AGENTGATEWAY, text);
    assert_non_null(strstr(i.out.p, "permit: [\"b/*\"]\n    when: tool.name == \"a\""));
    assert_non_null(strstr(i.out.p, "forbid: [\"b/*\"]\n    when: tool.name == \"c\""));
    assert_non_null(
        strstr(i.out.p, "resources: [\"b/*\"], prompts: [\"b/*\"] }\n    when: jwt.sub != 'y'"));
    assert_non_null(strstr(i.notes.p, "in.yaml:8:15: when this cannot be evaluated"));
    assert_true(permits(*state, i.out, "a", "{}"));
    assert_false(permits(*state, i.out, "c", "{}"));
}

static void agentgateway_without_an_allow_allows(void **state)
{
    str text = arena_fmt(*state, "%s      - deny: mcp.tool.name == \"c\"\n", gateway_head);
    imported i = import(*state, IMPORT_AGENTGATEWAY, text);
    assert_true(permits(*state, i.out, "a", "{}"));
    assert_false(permits(*state, i.out, "c", "{}"));
    assert_non_null(strstr(i.notes.p, "all of it is permitted"));
}

static void what_agentgateway_alone_knows_denies(void **state)
{
    static const char *const rules[] =
        {"      - apiKey.name == 'x'\n", "      - deny: env.x == 'x'\n",
         "      - require: source.address == 'x'\n", "      - {deny: [1]}\n",
         "      - allow: \"!has(mcp.tool) || mcp.tool.name == 'a'\"\n"};
    for (size_t n = 0; n < sizeof rules / sizeof *rules; n++) {
        imported i =
            import(*state, IMPORT_AGENTGATEWAY, arena_fmt(*state, "%s%s", gateway_head, rules[n]));
        assert_false(permits(*state, i.out, "a", "{}"));
        assert_true(i.notes.n > 0);
    }
}

static void rules_that_concern_who_knows_whom_block_all(void **state)
{
    imported i = import(*state, IMPORT_AGENTGATEWAY,
                        S("mcp: {targets: [{name: b}]}\npolicies:\n- policy: {authorization: "
                          "{rules: ['jwt.x == 1']}}\n"));
    assert_null(strstr(i.out.p, "permit"));
    assert_non_null(strstr(i.notes.p, "nothing is permitted at all"));
}

static void http_rules_must_allow_too(void **state)
{
    imported i = import(*state, IMPORT_AGENTGATEWAY,
                        S("mcp:\n  targets: [{name: b}]\n  policies:\n    authorization: {rules: "
                          "['request.method == \"GET\"']}\n"
                          "    mcpAuthorization: {rules: ['mcp.tool.name == \"a\"']}\n"));
    assert_non_null(strstr(i.out.p, "when: http.method == \"GET\""));
    assert_false(permits(*state, i.out, "a", "{}"));
}

static void what_is_no_yaml_is_an_error_with_its_line(void **state)
{
    problems notes;
    str out;
    problems_init(&notes, *state, S("x"));
    const policy_source file = {S("in.yaml"), S("a: b\n---\nc: d\ne: [\n")};
    const err *e = policy_import(*state, IMPORT_ENVOY, &file, 1, &notes, &out);
    assert_non_null(e);
    assert_true(str_starts(e->text, S("in.yaml:4:")) || str_starts(e->text, S("in.yaml:5:")));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(names_of_facts_are_rewritten),
        T(what_has_no_counterpart_allows_nothing_and_denies_always),
        T(no_condition_at_all_matches_nothing),
        T(the_first_match_decides_here_too),
        T(what_surrounds_a_route_narrows_it),
        T(routes_to_one_server_are_told_apart_by_their_path),
        T(agentgateways_three_kinds_of_rules_are_ours),
        T(agentgateway_without_an_allow_allows),
        T(what_agentgateway_alone_knows_denies),
        T(rules_that_concern_who_knows_whom_block_all),
        T(http_rules_must_allow_too),
        T(what_is_no_yaml_is_an_error_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
