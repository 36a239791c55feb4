/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* policy_overlay_test.c - what is left of a permit, and what nothing is left of. */
#include "policy_kit.h"

#include "../../authz/policy/overlay.h"
#include "../../authz/policy/schema.h"

static question list_of(arena *a, const char *schema)
{
    question q = call_of(a, "fs", "read", NULL);
    q.listing = true;
    q.schema = policy_schema_read(a, json(a, schema));
    return q;
}

/* "n! in [1] 2<= <5; s: must start with a; only n" */
static str told(arena *a, const policy *p, const char *schema)
{
    policy_overlay o;
    question q = list_of(a, schema);
    buf b = buf_new(a, 4000);
    if (!policy_overlay_of(p, &q, a, &o)) return S("nothing");
    for (size_t i = 0; i < o.count; i++) {
        const policy_narrowing *n = &o.arguments[i];
        (void)buf_fmt(&b, "%s" STR_FMT "%s", i ? " | " : "", STR_ARG(n->argument),
                      n->there ? "!" : "");
        for (size_t k = 0; k < n->value_count; k++)
            (void)buf_fmt(&b, " =" STR_FMT, STR_ARG(js_dump(a, cel_to_json(a, n->values[k]))));
        if (n->least.tag)
            (void)buf_fmt(&b, " >%s" STR_FMT, n->above ? "" : "=",
                          STR_ARG(js_dump(a, cel_to_json(a, n->least))));
        if (n->most.tag)
            (void)buf_fmt(&b, " <%s" STR_FMT, n->below ? "" : "=",
                          STR_ARG(js_dump(a, cel_to_json(a, n->most))));
        for (size_t k = 0; n->sentences[k].p; k++)
            (void)buf_fmt(&b, "%s " STR_FMT, k ? ";" : "", STR_ARG(n->sentences[k]));
    }
    if (o.only_named) (void)buf_put(&b, S(" | only"));
    for (size_t i = 0; o.only_named && o.named[i].p; i++)
        (void)buf_fmt(&b, " " STR_FMT, STR_ARG(o.named[i]));
    return buf_str(&b);
}

typedef struct {
    const char *rules, *told;
} told_case;

static void expect_told(arena *a, const told_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str got = told(a, must_load(a, arena_fmt(a, HEAD "%s", c[i].rules).p), "{}");
        if (!str_eq(got, view(c[i].told)))
            print_error("%s\n  gives " STR_FMT "\n", c[i].rules, STR_ARG(got));
        assert_true(str_eq(got, view(c[i].told)));
    }
}
#define EXPECT_TOLD(a, list) expect_told((a), (list), sizeof(list) / sizeof *(list))
#define PERMIT(rest)         "  - {id: p, permit: fs/read, " rest "}\n"
#define WHEN(when)           PERMIT("when: '" when "'")

static void one_open_permit_says_what_it_asks_of_each_argument(void **state)
{
    static const told_case cases[] = {
        /* clang-format off */
        {WHEN("args.s.startsWith(\"/srv/\")"), "s! must start with /srv/"},
        {WHEN("args.s.startsWith(\"/home/\" + jwt.sub + \"/\")"), "s! must start with /home/alice/"},
        {WHEN("\"eng\" in jwt.groups && args.n <= 5 && args.n > 1"), "n! >1 <=5"},
        {WHEN("5 >= args.n && !(args.n < 2)"), "n! >=2 <=5"},
        {WHEN("args.n < 5 && args.n <= 5"), "n! <5"},
        {WHEN("args.m in [\"a\", \"b\"]"), "m! =\"a\" =\"b\""}, {WHEN("args.m == \"a\" || args.m == \"b\""), "m! =\"a\" =\"b\""},
        {WHEN("args.?m.orValue(\"a\") in [\"a\", \"b\"]"), "m =\"a\" =\"b\""}, {WHEN("args[?\"m\"].orValue(1) < 3"), "m <3"},
        {WHEN("!has(args.m) || args.m < 3"), "m <3"}, {WHEN("has(args.m) && args.m < 3"), "m! <3"},
        {WHEN("args.force"), "force! =true"}, {WHEN("!args.force"), "force! =false"},
        {WHEN("!args.s.contains(\"..\") && args.s.endsWith(\".c\")"), "s! must not contain ..; must end with .c"},
        {WHEN("args.s.matches(\"^[a-z]+$\")"), "s! must match the pattern ^[a-z]+$"},
        {WHEN("args.s != \"x\" && !(args.s in [\"y\", \"z\"])"), "s! must not be x; must not be one of y, z"},
        {PERMIT("args: {s: this.startsWith(\"/srv/\"), n: this <= 5, m: {in: [a, b], optional: true}}, other_args: deny"),
         "s! must start with /srv/ | n! <=5 | m =\"a\" =\"b\" | only s n m"},
        {PERMIT("args: {s: size(this) < 9}"), "s!"}, {PERMIT("args: {n: {when: this < args.m, optional: true}}"), "nothing"},
        /* what asks for several at once, or for something else, is not said */
        {WHEN("args.n < args.m"), "nothing"}, {WHEN("args.n < 5 || args.m < 5"), "nothing"},
        {WHEN("args.n < 5 || http.headers[\"x\"] == \"1\""), "nothing"}, {WHEN("args.n + 1 < 5"), "nothing"},
        {WHEN("args.n < 5 && http.headers[\"x\"] == \"1\""), "n! <5"}, {WHEN("args.l.exists(e, e == 1)"), "nothing"},
        {WHEN("args.n < 5 || jwt.sub == \"bob\""), "n! <5"}, {WHEN("!(args.n >= 5 || args.m >= 5)"), "n! <5 | m! <5"},
        {WHEN("args.n == 9007199254740993"), "n!"}, {WHEN("args.n < 1e300"), "n!"},
        /* clang-format on */
    };
    EXPECT_TOLD(*state, cases);
}

static void other_rules_have_their_say(void **state)
{
    static const told_case cases[] = {
        /* clang-format off */
        /* two open permits, or one that holds: neither is sure */
        {WHEN("args.n < 5") "  - {id: q, permit: fs/*, when: 'args.n > 9'}\n", "nothing"},
        {WHEN("args.n < 5") "  - {id: q, permit: fs/*}\n", "nothing"},
        {WHEN("args.n < 5") "  - {id: q, permit: fs/*, when: jwt.sub == \"bob\"}\n", "n! <5"},
        {WHEN("args.n < 5") "  - {id: q, permit: fs/*, scopes: [other], when: 'args.n > 9'}\n", "n! <5"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, when: 'args.s.startsWith(\"/etc\")'}\n", "s! must not start with /etc"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, when: 'has(args.s) && args.s.startsWith(\"/etc\")'}\n", "s must not start with /etc"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, when: 'args.?s.orValue(\"\").startsWith(\"/etc\")'}\n", "s must not start with /etc"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, args: {s: {in: [x, y], optional: true}}}\n", "s must not be one of x, y"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, args: {s: this == \"x\", n: this == 1}}\n", "nothing"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, when: 'args.s == \"x\" && args.n == 1'}\n", "nothing"},
        {PERMIT("when: 'true'") "  - {id: f, forbid: fs/*, when: 'args.s == \"x\" && jwt.sub == \"alice\"'}\n", "s! must not be x"},
        {WHEN("args.n < 5") "  - {id: r, require: fs/*, when: args.n > 1}\n", "n! >1 <5"},
        {PERMIT("when: 'true'") "  - {id: r, require: fs/*, when: args.n > 1}\n", "n! >1"},
        /* clang-format on */
    };
    EXPECT_TOLD(*state, cases);
}

static void vars_are_looked_into(void **state)
{
    arena *a = *state;
    const policy *p =
        must_load(a, "policy: v1\nvars:\n  small: args.n < 5\n  ok: vars.small && args.s == \"x\"\n"
                     "rules:\n  - {id: p, permit: fs/read, when: vars.ok}\n");
    assert_true(str_eq(told(a, p, "{}"), S("n! <5 | s! =\"x\"")));
}

static void what_is_known_is_no_demand(void **state)
{
    arena *a = *state;
    const policy *p = must_load(a, HEAD WHEN("args.n == 1 || args.m == 2"));
    assert_true(str_eq(told(a, p, "{\"properties\":{\"n\":{\"const\":3.5}}}"), S("m! =2")));
}

static void a_tool_whose_conditions_contradict_each_other_is_hidden(void **state)
{
    static const struct {
        const char *rules;
        bool shown;
    } cases[] = {
        /* clang-format off */
        {WHEN("args.n == 1 && args.n == 2"), false}, {WHEN("args.n == 1 && args.n == 1"), true},
        {WHEN("args.n > 5 && args.n < 3"), false}, {WHEN("args.n > 5 && args.n <= 5"), false}, {WHEN("args.n >= 5 && args.n <= 5"), true},
        {WHEN("args.n == 7 && args.n < 3"), false}, {WHEN("args.n in [1, 7] && args.n < 3"), true},
        {WHEN("args.n in [1, 2] && !(args.n in [1, 2, 3])"), false}, {WHEN("args.s == \"ab\" && args.s.startsWith(\"b\")"), false},
        {WHEN("args.s.startsWith(\"/a/\") && args.s.startsWith(\"/b/\")"), false},
        {WHEN("args.s.startsWith(\"/a/\") && args.s.startsWith(\"/a/b\")"), true},
        {WHEN("args.s.startsWith(\"/a/b\") && !args.s.startsWith(\"/a\")"), false},
        {WHEN("args.s.startsWith(\"/a\") && !args.s.startsWith(\"/a/b\")"), true},
        {WHEN("args.n < 3 && args.n.startsWith(\"x\")"), false},
        {WHEN("args.?n.orValue(1) == 1 && args.?n.orValue(1) == 2"), true}, /* not sure without the argument */
        {WHEN("args.n == 1 && args.m == 2"), true}, {PERMIT("args: {n: this == 1}, when: args.n == 2"), false},
        {PERMIT("args: {n: {when: this == 1, optional: true}}, when: '!has(args.n) || args.n == 2'"), true},
        {PERMIT("args: {n: {in: [1, 2]}}, when: args.n > 2"), false}, {PERMIT("args: {n: this == 1}, when: args.m == 2, other_args: deny"), false},
        {WHEN("args.n == 1") "  - {id: q, permit: fs/*, when: args.n == 2}\n" "  - {id: r, require: fs/*, when: args.n == 2}\n", true},
        {WHEN("args.n == 1") "  - {id: r, require: fs/*, when: args.n == 2}\n", false},
        {WHEN("args.n == 1") "  - {id: f, forbid: fs/*, when: args.n == 1}\n", false},
        {WHEN("args.n in [1, 2]") "  - {id: f, forbid: fs/*, when: args.n == 1}\n", true},
        /* clang-format on */
    };
    arena *a = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p = must_load(a, arena_fmt(a, HEAD "%s", cases[i].rules).p);
        question q = list_of(a, "{}");
        if (decide(a, p, &q).permit != cases[i].shown) print_error("%s\n", cases[i].rules);
        assert_int_equal(decide(a, p, &q).permit, cases[i].shown);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_open_permit_says_what_it_asks_of_each_argument),
        T(other_rules_have_their_say),
        T(vars_are_looked_into),
        T(what_is_known_is_no_demand),
        T(a_tool_whose_conditions_contradict_each_other_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
