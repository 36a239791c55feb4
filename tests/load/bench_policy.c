/* SPDX-License-Identifier: Apache-2.0 */
/* bench_policy.c - what a decision costs, beside the least that C over jansson can do.
 *
 *   bench_policy POLICY-BENCH.json [ROUNDS]
 *
 * Reads the expressions and the input of the shared benchmark (slices.h measures). One core, and
 * the cost limit of the gateway is on. A report, not a test: numbers are this machine's, ratios
 * carry. */
#include "../../authz/cel/cel.h"
#include "../../authz/cel/json.h"
#include "../../authz/policy/policy.h"
#include "slices.h"
#include <stdio.h>
#include <stdlib.h>

/* References: the same questions, written by hand over jansson. */

static bool is(const json_t *value, const char *text, size_t n)
{
    return json_string_length(value) == n && memcmp(json_string_value(value), text, n) == 0;
}

static const json_t *claims_of(const json_t *request)
{
    return json_object_get(json_object_get(json_object_get(request, "auth"), "jwt"), "claims");
}

static void sub_by_hand(void *ctx)
{
    slices_must(is(json_object_get(claims_of(ctx), "sub"), "alice", 5), "sub by hand");
}

static bool has_text(const json_t *list, const char *text, size_t n)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (is(json_array_get(list, i), text, n)) return true;
    return false;
}

static void composite_by_hand(void *ctx)
{
    const json_t *request = ctx, *claims = claims_of(request);
    const json_t *jwt = json_object_get(json_object_get(request, "auth"), "jwt");
    const json_t *org = json_object_get(claims, "org"), *mcp = json_object_get(request, "mcp");
    const json_t *arguments = json_object_get(json_object_get(mcp, "params"), "arguments");
    const json_t *path = json_object_get(arguments, "path");
    slices_must(is(json_object_get(claims, "iss"), "https://idp.example.com", 23) &&
                    (is(org, "acme", 4) || is(org, "globex", 6)) &&
                    (has_text(json_object_get(jwt, "scopes"), "fs:write", 8) ||
                     has_text(json_object_get(claims, "groups"), "oncall", 6)) &&
                    is(json_object_get(mcp, "backend"), "fs", 2) &&
                    is(json_object_get(mcp, "tool"), "write_file", 10) &&
                    !memmem(json_string_value(path), json_string_length(path), "..", 2),
                "composite by hand");
}

/* Expressions */

typedef struct {
    str source;
    cel_program *program;
    cel_value values[1];
    cel_bindings bindings;
    arena *scratch; /* of the evaluation, or of the compiler: as a request's */
} expression;

static const cel_variable request_variable = {S("request"), CEL_T_DYN};
static const cel_env request_env = {&request_variable, 1};

static void evaluate(void *ctx)
{
    expression *x = ctx;
    cel_value v = cel_eval(x->program, &x->bindings, x->scratch, 0);
    slices_must(v.tag == CEL_BOOL && v.u.b, "an expression is not true");
}

static void compile(void *ctx)
{
    expression *x = ctx;
    cel_program *made = NULL;
    arena_reset(x->scratch);
    slices_must(!cel_compile(x->scratch, x->source, &request_env, NULL, &made),
                "it does not compile");
}

static expression *expression_new(arena *a, const json_t *bench, const char *name, bool wrapped)
{
    const json_t *input = json_object_get(bench, "input");
    expression *x = NEW(a, expression);
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(bench, "expressions"), i, row)
    {
        const char *text = json_string_value(json_object_get(row, "expr"));
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            x->source = (str){text, strlen(text)};
    }
    slices_must(x->source.p && !cel_compile(a, x->source, &request_env, NULL, &x->program), name);
    x->values[0] = wrapped ? cel_of_json(input) : cel_own_json(a, input);
    x->bindings = (cel_bindings){.values = x->values, .count = 1};
    x->scratch = arena_new();
    return x;
}

/* Policies */

typedef struct {
    policy *rules;
    question ask;
    arena *scratch;
    size_t tools; /* asked about, all but one of them only there to be filtered */
    const str *names;
} decision;

static void decide_call(void *ctx)
{
    decision *d = ctx;
    verdict v;
    arena_reset(d->scratch);
    policy_decide(d->rules, &d->ask, d->scratch, &v);
    slices_must(v.permit, "a call is denied");
}

static void filter_list(void *ctx)
{
    decision *d = ctx;
    size_t listed = 0;
    arena_reset(d->scratch);
    for (size_t i = 0; i < d->tools; i++) {
        question q = d->ask;
        verdict v;
        q.listing = true;
        q.name = d->names[i];
        policy_decide(d->rules, &q, d->scratch, &v);
        listed += v.permit;
    }
    slices_must(listed == d->tools / 2, "the list has another length");
}

static policy *policy_new(arena *a, str text)
{
    problems found;
    policy_source source = {S("bench.yaml"), text};
    policy *made = NULL;
    problems_init(&found, a, source.name);
    policy_load(a, &source, 1, NULL, &found, &made);
    if (found.first) (void)fprintf(stderr, STR_FMT "\n", STR_ARG(found.first->text));
    slices_must(made != NULL, "a policy does not load");
    return made;
}

static decision *decision_new(arena *a, const json_t *bench, str text)
{
    static const header none[] = {{{0}, {0}}};
    decision *d = NEW(a, decision);
    const json_t *input = json_object_get(bench, "input");
    d->rules = policy_new(a, text);
    d->scratch = arena_new();
    d->tools = 200;
    str *names = NEW_N(a, str, d->tools);
    for (size_t i = 0; i < d->tools; i++) names[i] = arena_fmt(a, "tool_%zu", i);
    d->names = names;
    d->ask = (question){
        .kind = SUBJECT_TOOL,
        .server = S("fs"),
        .name = S("tool_0"),
        .who = caller_of_claims(a, claims_of(input)),
        .now_ms = 1800000000000,
        .mcp = {.method = S("tools/call"), .protocol = S("2026-07-28")},
        .http = {.method = S("POST"), .path = S("/mcp"), .host = S("gw"), .headers = none},
    };
    const err *e =
        js_check(a, S("{\"path\":\"/workspace/src/main.c\",\"size\":1234}"), 8, &d->ask.args);
    slices_must(!e, "the arguments");
    return d;
}

static const str four_rules =
    S("policy: v1\nname: four\nrules:\n"
      "  - { id: even, permit: ['fs/*0','fs/*2','fs/*4','fs/*6','fs/*8'], "
      "when: 'jwt.groups.exists(g, g.startsWith(\"eng-\"))' }\n"
      "  - { id: outside, forbid: 'fs/*', when: '!args.path.startsWith(\"/workspace/\")' }\n"
      "  - { id: acme, require: 'fs/*', when: 'jwt.org in [\"acme\", \"globex\"]' }\n"
      "  - { id: mallory, forbid: '*', when: 'jwt.sub == \"mallory\"' }\n");

/* `count` rules, each for a tool of its own. */
static str scoped_rules(arena *a, size_t count)
{
    buf text = buf_new(a, 16 << 20);
    (void)buf_put(&text, S("policy: v1\nname: scoped\nrules:\n"));
    for (size_t i = 0; i < count; i++)
        (void)buf_fmt(&text,
                      "  - { id: r%zu, permit: fs/tool_%zu, when: 'jwt.sub == \"alice\"' }\n", i,
                      i);
    slices_must(buf_ok(&text), "too many rules");
    return buf_str(&text);
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "../shared/conformance/policy-bench.json";
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : SLICE_ROUNDS;
    json_error_t wrong;
    json_t *bench = json_load_file(file, 0, &wrong);
    if (!bench || rounds < 1 || rounds > SLICE_ROUNDS_MOST) {
        (void)fprintf(stderr, "usage: bench_policy POLICY-BENCH.json [ROUNDS]\n%s: %s\n", file,
                      bench ? "read" : wrong.text);
        return 2;
    }
    arena *a = arena_new();
    json_t *request = json_object_get(bench, "input");
    expression *sub = expression_new(a, bench, "eq_sub", false);
    expression *composite = expression_new(a, bench, "composite", false);
    expression *wrapped = expression_new(a, bench, "eq_sub", true);
    expression *regex = expression_new(a, bench, "arg_regex", false);
    decision *four = decision_new(a, bench, four_rules);
    decision *ten = decision_new(a, bench, scoped_rules(a, 10));
    decision *many = decision_new(a, bench, scoped_rules(a, 10000));
    const subject all[] = {
        {"sub, by hand", sub_by_hand, request, 20000, NULL, 0},
        {"sub", evaluate, sub, 20000, "sub, by hand", 1.4},
        {"sub, in a tree of jansson's", evaluate, wrapped, 20000, "sub, by hand", 0},
        {"constant pattern on an argument", evaluate, regex, 20000, "sub", 2.0},
        {"composite, by hand", composite_by_hand, request, 5000, NULL, 0},
        {"composite", evaluate, composite, 5000, "composite, by hand", 1.1},
        {"compile sub", compile, sub, 200, NULL, 10000},
        {"compile composite", compile, composite, 200, NULL, 10000},
        {"filter 200 tools by 4 rules", filter_list, four, 5, NULL, 100000},
        {"a call, 10 rules", decide_call, ten, 2000, NULL, 0},
        {"a call, 10,000 rules", decide_call, many, 2000, "a call, 10 rules", 1.5},
        {0},
    };
    slices_measure(all, sizeof all / sizeof *all, (size_t)rounds);
    for (expression **x = (expression *[]){sub, composite, wrapped, regex, NULL}; *x; x++)
        arena_free((*x)->scratch);
    for (decision **d = (decision *[]){four, ten, many, NULL}; *d; d++) arena_free((*d)->scratch);
    arena_free(a);
    json_decref(bench);
    return 0;
}
