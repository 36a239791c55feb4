/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

static void operators_bind_as_the_grammar_says(void **s)
{
    static const cel_row rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"10 - 3 - 2", "5"},
        {"100 / 10 / 5 % 2", "0"},
        {"1 < 2 == true", "true"},
        {"true || false && false", "true"},
        {"false ? 1 : true ? 2 : 3", "2"},
        {"!true || true", "true"},
        {"- -1", "1"},
        {"1--1", "2"},
        {"-(1)", "-1"},
        {"---(1)", "-1"},
        {"!!true", "true"},
        {"!!!true", "false"},
        {"[1, 2, 3,][2]", "3"},
        {"[,]", "[]"},
        {"{,}", "{}"},
        {"{'a': 1, 'b': 2,}.b", "2"},
        {"-5 + 3", "-2"},
        {"2 in [1, 2] == true", "true"},
    };
    TRY(*s, rows);
}

static void mistakes_of_grammar_say_where(void **s)
{
    static const cel_row rows[] = {
        {"a ? b ? 1 : 2 : 3", "E002 6+1 '?' where ':' is expected"},
        {"size(1,)", "E002 7+1 ')' where an argument is expected"},
        {"(1", "E002 2+0 the expression ends where ')' is expected"},
        {"[1 2]", "E002 3+1 '2' where ',' or ']' is expected"},
        {"1 +", "E002 3+0 the expression ends where a value is expected"},
        {"{1}", "E002 2+1 '}' where ':' is expected"},
        {"!-x", "E002 2+1 'x' where a number is expected"},
        {"1 2", "E002 2+1 '2' where an operator or the end is expected"},
        {"Thing{}", "E002 5+1 messages cannot be made here | a map is {'key': value}"},
        {"has(x)", "E006 4+1 has() takes a member: has(x.name)"},
        {"has(x['a'])", "E006 4+6 has() takes a member: has(x.name) | for a key, write 'key' in x"},
        {"[1].all(x.y, true)", "E006 8+3 a plain name is expected here"},
        {"[1].exists(1, true)", "E006 11+1 a plain name is expected here"},
        {"[1].all(i, i, true)", "E006 11+1 the two variables have one name"},
    };
    TRY(*s, rows);
}

static size_t put(char *to, size_t at, const char *text, size_t times)
{
    for (; times; times--) {
        for (const char *c = text; *c; c++) to[at++] = *c;
    }
    return at;
}

/* front n times, middle, back n times */
static char *repeated(arena *a, const char *front, const char *middle, const char *back, size_t n)
{
    char *text = NEW_N(a, char, (strlen(front) + strlen(back)) * n + strlen(middle) + 1);
    size_t at = put(text, 0, front, n);
    at = put(text, at, middle, 1);
    (void)put(text, at, back, n);
    return text;
}

static void what_the_standard_asks_for_is_deep_enough(void **s)
{
    cel_world *w = *s;
    world_json(w, "x", "{}");
    assert_string_equal(evaluated(w, repeated(w->a, "(", "1", ")", 60)), "1");
    assert_string_equal(evaluated(w, repeated(w->a, "", "1", " + 1", 200)), "201");
    assert_string_equal(evaluated(w, repeated(w->a, "true ? ", "1", " : 0", 1)), "1");
    assert_string_equal(evaluated(w, repeated(w->a, "false ? 0 : ", "1", "", 60)), "1");
}

static void a_chain_of_terms_does_not_nest(void **s)
{
    cel_world *w = *s;
    assert_string_equal(evaluated(w, repeated(w->a, "false || ", "true", "", 1500)), "true");
    assert_string_equal(evaluated(w, repeated(w->a, "", "true", " && true", 1500)), "true");
}

static void what_is_too_deep_is_refused_with_its_place(void **s)
{
    cel_world *w = *s;
    assert_string_equal(evaluated(w, repeated(w->a, "(", "1", ")", 64)),
                        "E008 64+1 nested deeper than 64");
    assert_string_equal(evaluated(w, repeated(w->a, "[", "", "]", 3000)),
                        "E008 64+1 nested deeper than 64");
    assert_string_equal(evaluated(w, repeated(w->a, "f(", "", "", 3000)),
                        "E008 128+1 nested deeper than 64");
    assert_string_equal(evaluated(w, repeated(w->a, "1 ? 1 : ", "1", "", 2000)),
                        "E008 512+1 nested deeper than 64");
    const char *flat = evaluated(w, repeated(w->a, "", "1", " + 1", 300));
    assert_non_null(strstr(flat, "more than 250 operators deep"));
    assert_non_null(strstr(evaluated(w, repeated(w->a, "", "x", ".a", 300)), "more than 250"));
    assert_non_null(strstr(evaluated(w, repeated(w->a, "", "x", "[0]", 300)), "more than 250"));
    assert_string_equal(evaluated(w, repeated(w->a, "!", "true", "", 1001)), "false");
}

static void what_is_too_long_is_refused(void **s)
{
    cel_world *w = *s;
    assert_string_equal(evaluated(w, repeated(w->a, " ", "1", "", 16383)), "1");
    assert_string_equal(evaluated(w, repeated(w->a, " ", "1", "", 16384)),
                        "E008 16384+0 longer than 16384 bytes");
    cel_program *p;
    cel_limits limits = {.depth = 3, .source = 10};
    assert_non_null(cel_compile(w->a, S("((((1))))"), NULL, &limits, &p));
    assert_null(cel_compile(w->a, S("((1))"), NULL, &limits, &p));
    assert_non_null(cel_compile(w->a, S("12345678901"), NULL, &limits, &p));
}

static void names_and_types_are_checked(void **s)
{
    cel_world *w = *s;
    world_json(w, "jwt", "{}");
    world_put(w, "n", CEL_T_INT, cel_int(1));
    world_put(w, "s", CEL_T_STRING, cel_string(S("x")));
    static const cel_row rows[] = {
        {"jwtt.sub", "E004 0+4 unknown variable 'jwtt' | did you mean jwt?"},
        {"JWT.sub", "E004 0+3 unknown variable 'JWT' | did you mean jwt?"},
        {"quite_other", "E004 0+11 unknown variable 'quite_other'"},
        {"s.startswith('a')", "E005 2+10 unknown function 'startswith' | did you mean startsWith?"},
        {"s.length()", "E005 2+6 unknown function 'length' | did you mean size?"},
        {"[1].any(x, x > 0)", "E005 4+3 unknown function 'any' | did you mean exists?"},
        {"startsWith(s, 'a')",
         "E003 0+10 no overload of startsWith for (string, string) | write x.startsWith(…)"},
        {"s.startsWith(1)", "E003 2+10 no overload of startsWith for (string, int) | it takes "
                            "(string, string), the first before the dot"},
        {"n + 1.0", "E003 2+1 no overload of + for (int, double) | convert one side: string(x), "
                    "int(x), double(x)"},
        {"n == s", "E003 2+2 no overload of == for (int, string)"},
        {"1 == 1u", "E003 2+2 no overload of == for (int, uint)"},
        {"s in n", "E003 2+2 no overload of in for (string, int)"},
        {"n == 1 || s", "E003 10+1 || takes bool, not string"},
        {"n == 1 || 'b'",
         "E003 10+3 || takes bool, not string | compare it: x == value, or x in [values]"},
        {"s ? 1 : 2", "E003 0+1 the condition before ? takes bool, not string"},
        {"true ? 1 : 'a'", "E003 5+1 the two sides of : are int and string | if that is meant, "
                           "write dyn(x) around one"},
        {"n.foo", "E003 2+3 a value of type int has no member 'foo'"},
        {"n[0]", "E003 1+3 a value of type int cannot be indexed"},
        {"[1]['a']", "E003 3+5 a list is indexed by int, not string"},
        {"{'a': 1}[2]", "E003 8+3 the keys are string, not int"},
        {"{1.5: 1}", "E003 1+3 a key is a string, int, uint or bool, not double"},
        {"n.all(x, true)", "E003 2+3 it goes over a list or a map, not int"},
        {"[1].all(x, x)", "E003 11+1 the condition of a macro takes bool, not int"},
        /* types that would contain themselves */
        {"[].map(x, [x] == x)", "E003 14+2 no overload of == for (list(dyn), dyn)"},
        {"{}.map(x, {x: x} in x)", "E003 17+2 no overload of in for (map(dyn, dyn), dyn)"},
        {"{}.map(x, [] < ((x.map(y, x) in x) != (x[x]).map(y, true)))",
         "E003 13+1 no overload of < for (list(dyn), bool)"},
        {"s.matches('[')", "E007 10+3 bad pattern: missing ]: [ | patterns are RE2's: no "
                           "look-around, no back-references"},
        {"s.matches('(?=a)')", "E007 10+7 bad pattern: invalid perl operator: (?= | patterns are "
                               "RE2's: no look-around, no back-references"},
    };
    TRY(w, rows);
}

static void all_problems_come_at_once_in_order(void **s)
{
    cel_world *w = *s;
    cel_program *p;
    const cel_problem *bad =
        cel_compile(w->a, S("a == 1 && b.f(2) || 'x' + 1 == 2"), NULL, NULL, &p);
    static const char *const codes[] = {"E004", "E004", "E005", "E003"};
    size_t n = 0, last = 0;
    for (; bad; bad = bad->next, n++) {
        assert_true(n < 4 && bad->offset >= last);
        assert_string_equal(bad->code, codes[n]);
        last = bad->offset;
    }
    assert_int_equal(n, 4);
}

static void types_are_deduced(void **s)
{
    cel_world *w = *s;
    world_json(w, "x", "{}");
    static const cel_row rows[] = {
        {"x.a", "dyn"},
        {"x.a == 1", "bool"},
        {"x.a + 1", "int"},
        {"[1, 2]", "list(int)"},
        {"[1, 'a']", "list(dyn)"},
        {"{'a': [1u]}", "map(string, list(uint))"},
        {"[[], [1]]", "list(list(int))"},
        {"[1, 2].map(i, string(i))", "list(string)"},
        {"{'a': 1.5}.a", "double"},
        {"x.list.filter(i, i > 1)", "list(dyn)"},
        {"type(1)", "type"},
        {"size(x) > 1 ? 'a' : 'b'", "string"},
    };
    cel_env env = {w->variables, w->count};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cel_program *p;
        assert_null(cel_compile(w->a, text_of_c(rows[i].expr), &env, NULL, &p));
        assert_string_equal(arena_dup(w->a, cel_result_type_text(w->a, p)).p, rows[i].gives);
    }
}

static void a_program_knows_what_it_reads(void **s)
{
    cel_world *w = *s;
    world_json(w, "jwt", "{}");
    world_json(w, "args", "{}");
    world_json(w, "tool", "{}");
    cel_program *p;
    cel_env env = {w->variables, w->count};
    assert_null(
        cel_compile(w->a, S("jwt.sub == 'a' && jwt.a.b > 1 && has(args.path) && jwt['sub'] == 'b'"),
                    &env, NULL, &p));
    size_t count;
    const cel_read *r = cel_reads(p, &count);
    assert_int_equal(count, 3);
    assert_true(r[0].slot == 0 && str_eq(r[0].member, S("sub")));
    assert_true(r[1].slot == 0 && str_eq(r[1].member, S("a")));
    assert_true(r[2].slot == 1 && str_eq(r[2].member, S("path")));
    assert_true(cel_reads_slot(p, 1) && !cel_reads_slot(p, 2));
    assert_null(
        cel_compile(w->a, S("args.exists(k, k == tool.name) || size(args) > 1"), &env, NULL, &p));
    r = cel_reads(p, &count);
    assert_int_equal(count, 2);
    assert_true(r[0].slot == 1 && !r[0].member.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(operators_bind_as_the_grammar_says),
        CEL_TEST(mistakes_of_grammar_say_where),
        CEL_TEST(what_the_standard_asks_for_is_deep_enough),
        CEL_TEST(a_chain_of_terms_does_not_nest),
        CEL_TEST(what_is_too_deep_is_refused_with_its_place),
        CEL_TEST(what_is_too_long_is_refused),
        CEL_TEST(names_and_types_are_checked),
        CEL_TEST(all_problems_come_at_once_in_order),
        CEL_TEST(types_are_deduced),
        CEL_TEST(a_program_knows_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
