/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* policy_schema_test.c - what an inputSchema lets a list know, and a call must then keep to. */
#include "policy_kit.h"

#include "../../authz/policy/schema.h"

static question with_schema(arena *a, const char *schema, const char *args)
{
    question q = call_of(a, "fs", "read", args);
    q.schema = policy_schema_read(a, json(a, schema));
    return q;
}

static bool shown(arena *a, const policy *p, const char *schema)
{
    question q = with_schema(a, schema, NULL);
    q.listing = true;
    return decide(a, p, &q).permit;
}

static policy *permitting(arena *a, const char *when)
{
    return must_load(a, arena_fmt(a, HEAD "  - {id: r, permit: fs/read, when: '%s'}\n", when).p);
}

/* clang-format off */
#define N(facts) "{\"properties\":{\"n\":{" facts "}}}"
#define N_REQUIRED(facts) "{\"properties\":{\"n\":{" facts "}},\"required\":[\"n\"]}"
#define CLOSED(properties) "{\"properties\":{" properties "},\"additionalProperties\":false}"
/* clang-format on */

typedef struct {
    const char *when, *schema;
    bool shown;
} listing_case;

static void expect_cases(arena *a, const listing_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool got = shown(a, permitting(a, c[i].when), c[i].schema);
        if (got != c[i].shown) print_error("%s with %s\n", c[i].when, c[i].schema);
        assert_int_equal(got, c[i].shown);
    }
}
#define EXPECT(a, list) expect_cases((a), (list), sizeof(list) / sizeof *(list))

static void bounds_decide_what_is_compared_with_them(void **state)
{
    static const listing_case cases[] = {
        /* clang-format off */
        {"args.n > 100", N("\"maximum\":50"), false}, {"args.n > 50", N("\"maximum\":50"), false},
        {"args.n >= 50", N("\"maximum\":50"), true}, {"args.n >= 50", N("\"exclusiveMaximum\":50"), false},
        {"args.n > 49", N("\"maximum\":50"), true}, {"100 < args.n", N("\"maximum\":50"), false},
        {"args.n < 1", N("\"minimum\":1"), false}, {"args.n <= 1", N("\"exclusiveMinimum\":1"), false},
        {"args.n <= 1", N("\"minimum\":1"), true}, {"args.n == 51", N("\"maximum\":50"), false},
        {"args.n == 50", N("\"maximum\":50"), true}, {"args.n in [51, 60]", N("\"maximum\":50"), false},
        {"args.n in [50, 60]", N("\"maximum\":50"), true}, {"args.n > 0.5", N("\"maximum\":0.25"), false},
        {"!(args.n <= 100)", N("\"maximum\":50"), false}, {"args.n > 100 || jwt.sub == \"alice\"", N("\"maximum\":50"), true},
        {"args.n > 3", N("\"minimum\":1,\"exclusiveMinimum\":2,\"maximum\":3"), false},
        /* what is made of it is not it */
        {"args.n + 1 > 50", N("\"maximum\":50"), true}, {"-args.n > 50", N("\"maximum\":50"), true},
        {"args.n.m > 100", N("\"maximum\":50"), true}, {"args.m > 100", N("\"maximum\":50"), true},
        {"[args.n, 200].exists(e, e > 100)", N("\"maximum\":50"), true}, {"size(args.n) > 100", N("\"maximum\":50"), true},
        /* a text is not bounded by numbers, and is equal to none */
        {"args.n != 100", N("\"maximum\":50"), true}, {"args.n == \"x\"", N("\"maximum\":50"), true},
        {"args.n == 7", N("\"minimum\":7,\"maximum\":7"), true},
        /* where ints and doubles part nothing is sure */
        {"args.n > 9007199254740993", N("\"maximum\":9007199254740993"), true},
        /* clang-format on */
    };
    EXPECT(*state, cases);
}

static void presence_is_known_of_required_and_impossible_arguments(void **state)
{
    static const listing_case cases[] = {
        /* clang-format off */
        {"!has(args.n)", N_REQUIRED(""), false}, {"has(args.n)", N_REQUIRED(""), true}, {"!has(args.n)", N(""), true},
        {"!(\"n\" in args)", N_REQUIRED(""), false}, {"\"n\" in args", CLOSED("\"m\":{}"), false},
        {"has(args.n)", CLOSED("\"m\":{}"), false}, {"has(args.n)", CLOSED("\"n\":{}"), true},
        {"args.n == 1", CLOSED("\"m\":{}"), false}, {"args.?n.orValue(1) == 2", CLOSED("\"m\":{}"), false},
        {"args.?n.hasValue()", CLOSED(""), false}, {"args[\"n\"] == 1", CLOSED(""), false},
        {"has(args.n)", "{\"properties\":{\"n\":false}}", false},
        {"has(args.n)", "{\"additionalProperties\":false,\"patternProperties\":{\"n\":{}}}", true},
        {"args.?n.orValue(1) == 2", N_REQUIRED("\"const\":\"x\""), false},
        /* clang-format on */
    };
    EXPECT(*state, cases);
}

static void few_values_are_tried_one_after_the_other(void **state)
{
    static const listing_case cases[] = {
        /* clang-format off */
        {"args.n == \"c\"", N("\"enum\":[\"a\",\"b\"]"), false}, {"args.n == \"b\"", N("\"enum\":[\"a\",\"b\"]"), true},
        {"args.n.startsWith(\"x\")", N("\"enum\":[\"a\",\"b\"]"), false}, {"args.n == \"b\"", N("\"const\":\"a\""), false},
        {"args.n.matches(\"^[bc]\")", N("\"enum\":[\"a\",\"b\"]"), true},
        {"args.n * 2 == 5", N("\"enum\":[1,2,3]"), false}, {"args.n * 2 == 4", N("\"enum\":[1,2,3]"), true},
        {"args.n * 2.0 == 4.0", N("\"enum\":[1,2]"), true}, {"type(args.n) == double", N("\"const\":1"), true},
        {"args.n == null", N("\"enum\":[true,null]"), true}, {"args.n == false", N("\"enum\":[true,null]"), false},
        {"!has(args.n)", N("\"enum\":[\"a\",\"b\"]"), true}, {"args.n == [1]", N("\"enum\":[[1],[2]]"), true},
        {"args.n == 99", N("\"enum\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"), true},
        {"args.n == \"c\"", "{\"$ref\":\"#/x\",\"properties\":{\"n\":{\"enum\":[\"a\",\"b\"]}}}", true},
        {"args.n == \"c\"", N("\"$ref\":\"#/x\",\"enum\":[\"a\",\"b\"]"), true},
        {"args.n == \"c\"", "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"properties\":{\"n\":{\"const\":\"a\"}}}", true},
        {"args.n == \"c\"", "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"properties\":{\"n\":{\"const\":\"a\"}}}", false},
        {"args.n == \"c\"", "{\"properties\":{\"m\":{\"const\":\"a\"}}}", true},
        {"args.n == \"a\" && args.m == \"b\"", "{\"properties\":{\"n\":{\"enum\":[\"a\",\"b\"]},\"m\":{\"enum\":[\"a\",\"c\"]}}}", false},
        /* clang-format on */
    };
    EXPECT(*state, cases);
}

/* Not each condition by itself, but the decision is asked for each value. */
static void rules_that_part_the_values_between_them_hide_the_tool(void **state)
{
    arena *a = *state;
    const policy *p = must_load(a, HEAD "  - {id: p, permit: fs/read, when: 'args.n == \"a\"'}\n"
                                        "  - {id: f, forbid: fs/read, when: size(args.n) == 1}\n");
    assert_false(shown(a, p, N_REQUIRED("\"enum\":[\"a\",\"b\"]")));
    assert_true(shown(a, p, N_REQUIRED("\"minLength\":1"))); /* not known: shown */
}

static void constraints_know_what_conditions_know(void **state)
{
    static const struct {
        const char *args, *schema;
        bool shown;
    } cases[] = {
        /* clang-format off */
        {"args: {n: this > 100}", N("\"maximum\":50"), false}, {"args: {n: this > 10}", N("\"maximum\":50"), true},
        {"args: {n: {in: [60, 70]}}", N("\"maximum\":50"), false}, {"args: {n: {in: [x]}}", N("\"enum\":[\"y\",\"z\"]"), false},
        {"args: {n: {in: [x], optional: true}}", N("\"enum\":[\"y\",\"z\"]"), true},
        {"args: {n: {in: [x], optional: true}}", N_REQUIRED("\"enum\":[\"y\",\"z\"]"), false},
        {"args: {n: this == 1}", CLOSED(""), false}, {"args: {n: {is: 1, optional: true}}", CLOSED(""), true},
        {"args: {m: this == 1}, other_args: deny", N_REQUIRED(""), false},
        {"args: {m: this == 1}, other_args: deny", N(""), true}, {"other_args: deny", CLOSED("\"n\":{}"), true},
        /* clang-format on */
    };
    arena *a = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p =
            must_load(a, arena_fmt(a, HEAD "  - {id: r, permit: fs/read, %s}\n", cases[i].args).p);
        if (shown(a, p, cases[i].schema) != cases[i].shown)
            print_error("%s with %s\n", cases[i].args, cases[i].schema);
        assert_int_equal(shown(a, p, cases[i].schema), cases[i].shown);
    }
}

static void a_call_keeps_to_what_the_list_relied_on(void **state)
{
    static const struct {
        const char *args, *message;
    } cases[] = {
        /* clang-format off */
        {"{\"n\":7}", NULL}, {"{\"n\":7.0}", NULL}, {"{\"n\":8,\"free\":[1]}", NULL},
        {"{}", "argument 'n' is missing"},
        {"{\"n\":9}", "argument 'n' is not what the tool's inputSchema allows"},
        {"{\"n\":7,\"size\":51}", "argument 'size' is not what the tool's inputSchema allows"},
        {"{\"n\":7,\"size\":50.5}", "argument 'size' is not what the tool's inputSchema allows"},
        {"{\"n\":7,\"size\":\"huge\"}", NULL}, {"{\"n\":7,\"unread\":99}", NULL},
        /* clang-format on */
    };
    static const char schema[] =
        "{\"properties\":{\"n\":{\"enum\":[7,8]},\"size\":{\"maximum\":50},\"unread\":{\"maximum\":"
        "5}},\"required\":[\"n\",\"other\"]}";
    arena *a = *state;
    const policy *p = must_load(a, "policy: v1\nvars: {small: '!(args.?size.orValue(0) == 99)'}\n"
                                   "rules:\n  - {id: r, permit: fs/read, when: 'vars.small && "
                                   "args.n != 0'}\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        question q = with_schema(a, schema, cases[i].args);
        verdict v = decide(a, p, &q);
        assert_int_equal(v.permit, cases[i].message == NULL);
        assert_true(v.listed);
        if (!cases[i].message) continue;
        assert_int_equal(v.why, DENIED_SCHEMA);
        assert_true(str_eq(v.message, view(cases[i].message)));
    }
}

static void a_call_with_arguments_the_tool_does_not_have_is_denied(void **state)
{
    arena *a = *state;
    const policy *p = permitting(a, "!has(args.extra) || args.n == 1");
    question q = with_schema(a, CLOSED("\"n\":{}"), "{\"extra\":1,\"n\":1}");
    assert_int_equal(decide(a, p, &q).why, DENIED_SCHEMA);
    q = with_schema(a, CLOSED("\"n\":{}"), "{\"unread\":1,\"n\":1}");
    assert_true(decide(a, p, &q).permit); /* the upstream's own affair */
}

static void a_tool_no_argument_could_make_callable_is_hidden_and_its_calls_denied(void **state)
{
    arena *a = *state;
    const policy *p = permitting(a, "args.size > 100");
    question q = with_schema(a, "{\"properties\":{\"size\":{\"maximum\":50}}}", "{\"size\":200}");
    verdict v = decide(a, p, &q);
    assert_int_equal(v.why, DENIED_SCHEMA);
    assert_false(v.listed);
}

static void without_rules_that_read_arguments_nothing_is_held_against_a_call(void **state)
{
    arena *a = *state;
    const policy *p = permitting(a, "true");
    question q = with_schema(a, N_REQUIRED("\"const\":1"), "{\"n\":2}");
    assert_true(decide(a, p, &q).permit);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bounds_decide_what_is_compared_with_them),
        T(presence_is_known_of_required_and_impossible_arguments),
        T(few_values_are_tried_one_after_the_other),
        T(rules_that_part_the_values_between_them_hide_the_tool),
        T(constraints_know_what_conditions_know),
        T(a_call_keeps_to_what_the_list_relied_on),
        T(a_call_with_arguments_the_tool_does_not_have_is_denied),
        T(a_tool_no_argument_could_make_callable_is_hidden_and_its_calls_denied),
        T(without_rules_that_read_arguments_nothing_is_held_against_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
