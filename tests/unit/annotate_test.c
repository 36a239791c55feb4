/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* annotate_test.c - narrowed schemas: which bytes change, and that no permitted call is refused. */
#include "schema_maker.h"

#include "../../authz/cel/compare.h"
#include "../../authz/policy/demands.h"
#include "../../mcp/annotate.h"

#include <stdlib.h>

enum { POLICIES = 2500, TRIPLES = 40 }; /* 100,000 */

static uint64_t seed = 20261122;

/* A schema as this test needs one read */

static bool is_in(arena *a, js_value list, cel_value v)
{
    for (js_iter it = js_iterate(list); js_next(&it);)
        if (cel_equal(cel_read_json(a, it.value), v)) return true;
    return false;
}

static bool in_order(arena *a, js_value bound, cel_value v, cel_ordering wrong, bool open)
{
    if (bound.kind != JS_NUMBER) return true;
    cel_ordering o = cel_order(v, cel_read_json(a, bound));
    return o != wrong && !(open && o == CEL_SAME);
}

static bool property_allows(arena *a, js_value p, js_value value)
{
    cel_value v = cel_read_json(a, value);
    js_value list = js_get(p, S("enum")), only = js_get(p, S("const"));
    if (list.kind == JS_ARRAY && !is_in(a, list, v)) return false;
    if (only.kind != JS_ABSENT && !cel_equal(cel_read_json(a, only), v)) return false;
    return in_order(a, js_get(p, S("minimum")), v, CEL_LESS, false) &&
           in_order(a, js_get(p, S("maximum")), v, CEL_MORE, false) &&
           in_order(a, js_get(p, S("exclusiveMinimum")), v, CEL_LESS, true) &&
           in_order(a, js_get(p, S("exclusiveMaximum")), v, CEL_MORE, true);
}

static bool schema_allows(arena *a, js_value schema, js_value args)
{
    js_value properties = js_get(schema, S("properties"));
    for (js_iter it = js_iterate(js_get(schema, S("required"))); js_next(&it);)
        if (js_get(args, js_text(a, it.value)).kind == JS_ABSENT) return false;
    for (js_iter it = js_iterate(args); js_next(&it);) {
        js_value p = js_get(properties, js_key_text(a, &it));
        bool closed = js_get(schema, S("additionalProperties")).kind == JS_FALSE;
        if (p.kind == JS_ABSENT ? closed : !property_allows(a, p, it.value)) return false;
    }
    return true;
}

static js_value checked(arena *a, str json_text)
{
    js_value v = {0};
    const err *e = js_check(a, json_text, 32, &v);
    if (e) print_error(STR_FMT "\n", STR_ARG(json_text));
    assert_null(e);
    return v;
}

/* The words of descriptions, which the schema cannot check */

static bool keeps_word(str sentence, str json_text)
{
    static const struct {
        str words;
        cel_demand_kind kind;
        bool not ;
    } rows[] = {{S("must start with "), DEMAND_STARTS, false},
                {S("must not start with "), DEMAND_STARTS, true},
                {S("must end with "), DEMAND_ENDS, false},
                {S("must not end with "), DEMAND_ENDS, true},
                {S("must contain "), DEMAND_CONTAINS, false},
                {S("must not contain "), DEMAND_CONTAINS, true},
                {S("must not be "), DEMAND_IS, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!str_starts(sentence, rows[i].words)) continue;
        str want = str_drop(sentence, rows[i].words.n);
        if (rows[i].kind == DEMAND_IS) return !str_eq(json_text, want);
        cel_demand d = {.kind = rows[i].kind, .not = rows[i].not, .value = cel_string(want)};
        return policy_demands_meet(&d, cel_string(json_text));
    }
    return true;
}

static bool keeps_words(arena *a, const policy_overlay *o, js_value args)
{
    for (size_t i = 0; i < o->count; i++) {
        js_value v = js_get(args, o->arguments[i].argument);
        if (v.kind == JS_ABSENT) continue;
        /* a text that looks like the number that is meant is not meant */
        if (v.kind == JS_STRING && v.raw.p[1] >= '0' && v.raw.p[1] <= '9') continue;
        str json_text = v.kind == JS_STRING ? js_text(a, v) : v.raw;
        for (const str *s = o->arguments[i].sentences; s->p; s++)
            if (!keeps_word(*s, json_text)) return false;
    }
    return true;
}

typedef struct {
    size_t permitted, narrowed, refused, broken;
} tally;

static void try_one(maker *m, const policy *p, const text *t, tally *n)
{
    question q = anything(m), list = q;
    js_value schema = input_schema(m);
    verdict v;
    policy_overlay o;
    q.schema = list.schema = policy_schema_read(m->a, schema);
    list.listing = true;
    policy_decide(p, &q, m->a, &v);
    n->permitted += v.permit;
    if (!policy_overlay_of(p, &list, m->a, &o)) return;
    str item = arena_fmt(m->a, "{\"name\":\"x\",\"inputSchema\":" STR_FMT "}", STR_ARG(schema.raw));
    js_value args = q.args.kind ? q.args : checked(m->a, S("{}"));
    js_value now = js_get(checked(m->a, annotate_tool(m->a, item, &o)), S("inputSchema"));
    bool before = schema_allows(m->a, schema, args), after = schema_allows(m->a, now, args);
    n->narrowed += !str_eq(schema.raw, now.raw);
    n->refused += before && !after;
    assert_true(before || !after); /* only ever narrower */
    if (!v.permit || !before || (after && keeps_words(m->a, &o, args))) return;
    if (n->broken++) return;
    print_error("permitted, but refused: " STR_FMT "\nby " STR_FMT "\nfrom " STR_FMT "\n%s",
                STR_ARG(args.raw), STR_ARG(now.raw), STR_ARG(schema.raw), t->head.p);
    for (unsigned i = 0; i < t->count; i++) print_error("%s", t->rules[i].p);
}

static void a_permitted_call_always_satisfies_the_narrowed_schema(void **state)
{
    (void)state;
    maker m = {.state = seed, .a = arena_new()};
    tally n = {0};
    for (size_t i = 0; i < POLICIES; i++) {
        text t = policy_text(&m);
        const policy *p = load_text(&m, &t, 0);
        for (size_t k = 0; k < TRIPLES; k++) try_one(&m, p, &t, &n);
        arena_reset(m.a);
    }
    arena_free(m.a);
    print_message("seed %llu: %zu permitted, %zu schemas narrowed, %zu calls refused by that\n",
                  (unsigned long long)seed, n.permitted, n.narrowed, n.refused);
    assert_int_equal(n.broken, 0);
    assert_true(n.permitted > 5000 && n.narrowed > 10000 && n.refused > 1000);
}

/* Bytes */

static const char rules[] =
    "policy: v1\nrules:\n  - id: p\n    permit: fs/write\n    args:\n"
    "      path: this.startsWith(\"/srv/data/\") && !this.contains(\"..\")\n"
    "      size: this <= 65536\n      mode: {in: [\"0644\", \"0600\"], optional: true}\n"
    "    other_args: deny\n";

static str annotated(arena *a, const char *policy_of, const char *item)
{
    problems out;
    policy *p = NULL;
    problems_init(&out, a, S("x"));
    const policy_source source = {S("p.yaml"), {policy_of, strlen(policy_of)}};
    policy_load(a, &source, 1, NULL, &out, &p);
    assert_non_null(p);
    str json_text = {item, strlen(item)};
    question q = {.kind = SUBJECT_TOOL, .server = S("fs"), .name = S("write"), .listing = true};
    q.schema = policy_schema_read(a, js_get(checked(a, json_text), S("inputSchema")));
    policy_overlay o;
    if (!policy_overlay_of(p, &q, a, &o)) return json_text;
    str made = annotate_tool(a, json_text, &o);
    (void)checked(a, made);
    return made;
}

static void the_servers_bytes_stay_but_for_what_is_narrowed(void **state)
{
    (void)state;
    arena *a = arena_new();
    /* clang-format off */
    static const char item[] =
        "{\"name\":\"write\" , \"description\":\"Writes \\u00e9\",\"inputSchema\":{ \"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"description\":\"Where\"},\"size\":{\"maximum\":1e9,\"default\":1.0,\"minimum\":18446744073709551615},"
        "\"mode\":{\"enum\":[\"0755\",\"0\\u003644\"]},\"force\":{}} ,\"required\":[\"path\"]},\"_meta\":{\"x\":0.10}}";
    static const char want[] =
        "{\"name\":\"write\" , \"description\":\"Writes \\u00e9 Gateway: no arguments but path, size, mode\",\"inputSchema\":{ \"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"description\":\"Where Gateway: must start with /srv/data/; must not contain ..\"},"
        "\"size\":{\"maximum\":65536,\"default\":1.0,\"minimum\":18446744073709551615},"
        "\"mode\":{\"enum\":[\"0\\u003644\"]},\"force\":{}} ,\"required\":[\"path\",\"size\"],\"additionalProperties\":false},\"_meta\":{\"x\":0.10}}";
    /* clang-format on */
    str got = annotated(a, rules, item);
    if (!str_eq(got, (str){want, sizeof want - 1})) print_error(STR_FMT "\n", STR_ARG(got));
    assert_true(str_eq(got, (str){want, sizeof want - 1}));
    arena_free(a);
}

static void each_keyword_gives_way_to_a_tighter_one_only(void **state)
{
    (void)state;
    static const struct {
        const char *when, *before, *after;
    } cases[] = {
        /* clang-format off */
        {"args.x <= 5", "\"x\":{}", "\"x\":{\"maximum\":5}"}, {"args.x <= 5", "\"x\":{\"maximum\":4}", "\"x\":{\"maximum\":4}"},
        {"args.x <= 5", "\"x\":{\"maximum\":5.5}", "\"x\":{\"maximum\":5}"}, {"args.x < 5", "\"x\":{\"maximum\":5}", "\"x\":{\"maximum\":5,\"exclusiveMaximum\":5}"},
        {"args.x > 0.25", "\"x\":{\"exclusiveMinimum\":0}", "\"x\":{\"exclusiveMinimum\":0.25}"},
        {"args.x <= 5", "\"x\":{\"maximum\":\"odd\"}", "\"x\":{\"maximum\":\"odd\"}"}, {"args.x <= 5", "\"x\":true", "\"x\":true"},
        {"args.x == 5", "\"x\":{}", "\"x\":{\"const\":5}"}, {"args.x == 5", "\"x\":{\"const\":5.0}", "\"x\":{\"const\":5.0}"},
        {"args.x in [1, 2, true]", "\"x\":{}", "\"x\":{\"enum\":[1,2,true]}"}, {"args.x in [1, 2]", "\"x\":{\"enum\":[2.0,3,1e0]}", "\"x\":{\"enum\":[2.0,1e0]}"},
        {"args.x in [1, 2]", "\"x\":{\"enum\":[1]}", "\"x\":{\"enum\":[1]}"},
        {"args.x.endsWith(\"\\\"\")", "\"x\":{\"description\":\"\"}", "\"x\":{\"description\":\"Gateway: must end with \\\"\"}"},
        {"args.x.endsWith(\"a\")", "\"x\":{\"description\":[]}", "\"x\":{\"description\":[]}"},
        {"args.x.endsWith(\"a\")", "\"x\":{}", "\"x\":{\"description\":\"Gateway: must end with a\"}"},
        {"args.x.endsWith(\"a\")", "\"y\":{}", "\"y\":{}"},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena *a = arena_new();
        str policy_of =
            arena_fmt(a, "policy: v1\nrules:\n  - {id: p, permit: fs/write, when: '%s'}\n",
                      cases[i].when);
        str item = arena_fmt(a, "{\"inputSchema\":{\"properties\":{%s},\"required\":[\"x\"]}}",
                             cases[i].before);
        str want = arena_fmt(a, "{\"inputSchema\":{\"properties\":{%s},\"required\":[\"x\"]}}",
                             cases[i].after);
        str got = annotated(a, policy_of.p, item.p);
        if (!str_eq(got, want))
            print_error("%s on %s: " STR_FMT "\n", cases[i].when, cases[i].before, STR_ARG(got));
        assert_true(str_eq(got, want));
        arena_free(a);
    }
}

static void a_schema_that_is_not_understood_stays(void **state)
{
    (void)state;
    static const char *const items[] =
        {"{\"inputSchema\":{\"$ref\":\"#/$defs/a\",\"properties\":{\"path\":{}}}}",
         "{\"inputSchema\":{\"$schema\":\"urn:draft-04\",\"properties\":{\"path\":{}}}}",
         "{\"inputSchema\":{\"$schema\":7,\"properties\":{\"path\":{}}}}"};
    for (size_t i = 0; i < 3; i++) {
        arena *a = arena_new();
        assert_true(str_eq(annotated(a, rules, items[i]), (str){items[i], strlen(items[i])}));
        arena_free(a);
    }
}

/* What the SDKs of today write. */
static void a_schema_of_draft_7_is_narrowed_too(void **state)
{
    (void)state;
    arena *a = arena_new();
    str got = annotated(a, rules,
                        "{\"inputSchema\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
                        "\"properties\":{\"size\":{}},\"required\":[\"path\"]}}");
    assert_non_null(memmem(got.p, got.n, "\"size\":{\"maximum\":65536}", 24));
    arena_free(a);
}

/* An argument that is permitted but not declared would be refused by a closed schema. */
static void a_schema_is_not_closed_to_what_it_does_not_name(void **state)
{
    (void)state;
    arena *a = arena_new();
    str got = annotated(a, rules, "{\"inputSchema\":{\"properties\":{\"path\":{},\"size\":{}}}}");
    assert_null(memmem(got.p, got.n, "additionalProperties", 20));
    assert_non_null(
        memmem(got.p, got.n, "\"description\":\"Gateway: no arguments but path, size, mode\"", 58));
    arena_free(a);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permitted_call_always_satisfies_the_narrowed_schema),
        cmocka_unit_test(the_servers_bytes_stay_but_for_what_is_narrowed),
        cmocka_unit_test(each_keyword_gives_way_to_a_tighter_one_only),
        cmocka_unit_test(a_schema_that_is_not_understood_stays),
        cmocka_unit_test(a_schema_of_draft_7_is_narrowed_too),
        cmocka_unit_test(a_schema_is_not_closed_to_what_it_does_not_name),
    };
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
