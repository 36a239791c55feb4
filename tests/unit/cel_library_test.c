/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

#include "../../authz/cel/library.h"

static void lists_are_taken_apart_and_put_in_order(void **s)
{
    static const cel_row rows[] = {
        {"[1, 2u, 1, 2, 1.0, 'a', 'a'].distinct()", "[1,2,\"a\"]"},
        {"[].distinct()", "[]"},
        {"[1, 2, 3, 4].slice(1, 3)", "[2,3]"},
        {"[1, 2].slice(0, 2) + [1, 2].slice(2, 2)", "[1,2]"},
        {"[1, 2].slice(1, 3)", "error: out of range"},
        {"[1, 2].slice(-1, 1)", "error: out of range"},
        {"[1, 2].slice(2, 1)", "error: out of range"},
        {"[1, [2, [3, [4]]], []].flatten()", "[1,2,[3,[4]]]"},
        {"[1, [2, [3, [4]]]].flatten(2)", "[1,2,3,[4]]"},
        {"[1, [2, [3, [4]]]].flatten(0)", "[1,[2,[3,[4]]]]"},
        {"[1].flatten(-1)", "error: bad argument"},
        {"[3, 1, 2].sort()", "[1,2,3]"},
        {"[5, 4, 3, 2, 1, 0, 7, 6, 9, 8, 10].sort()", "[0,1,2,3,4,5,6,7,8,9,10]"},
        {"['b', 'a', 'ab', ''].sort()", "[\"\",\"a\",\"ab\",\"b\"]"},
        {"[true, false].sort() == [false, true] && [].sort() == [] && [1.5].sort() == [1.5]",
         "true"},
        {"[duration('2s'), duration('1s')].sort() == [duration('1s'), duration('2s')]", "true"},
        {"[1, 'a'].sort()", "error: no such overload"},
        {"[[1], [2]].sort()", "error: no such overload"},
        {"[1.0, double('nan')].sort()", "error: bad argument"},
        {"lists.range(4)", "[0,1,2,3]"},
        {"lists.range(0)", "[]"},
        {"lists.range(-1)", "error: bad argument"},
        {"lists.range(9223372036854775807)", "error: the expression costs too much"},
        {"[1, 2, 3].first().orValue(0) + [1, 2, 3].last().orValue(0)", "4"},
        {"[].first().hasValue() || [].last().hasValue()", "false"},
        {"[1, 2, 3].reverse()", "[3,2,1]"},
        {"'abc'.reverse()", "\"cba\""},
    };
    TRY(*s, rows);
}

static void lists_are_sets(void **s)
{
    static const cel_row rows[] = {
        {"sets.contains([1, 2, 3], [3, 1.0, 3u])", "true"},
        {"sets.contains([1], [1, 2]) || sets.contains([], [1])", "false"},
        {"sets.contains([], []) && sets.contains([1], [])", "true"},
        {"sets.equivalent([1, 2], [2u, 1, 1.0])", "true"},
        {"sets.equivalent([1, 2], [1]) || sets.equivalent([1], [1, 2])", "false"},
        {"sets.intersects([1, 2], [3, 2])", "true"},
        {"sets.intersects([1, 2], [3, 4]) || sets.intersects([], [1])", "false"},
    };
    TRY(*s, rows);
}

static void what_a_set_holds_may_be_unknown(void **s)
{
    cel_world *w = *s;
    const cel_value items[] = {cel_int(1), cel_unknown(0)};
    cel_list *list = NEW(w->a, cel_list);
    *list = (cel_list){2, items};
    world_put(w, "l", CEL_T_DYN, (cel_value){.tag = CEL_LIST, .u.list = list});
    static const cel_row rows[] = {
        {"sets.contains(l, [1])", "true"},
        {"sets.contains(l, [2])", "unknown l"},
        {"sets.intersects(l, [1, 2])", "true"},
        {"sets.intersects(l, [2])", "unknown l"},
        {"sets.equivalent(l, [1, 2])", "unknown l"},
        {"l.distinct()", "unknown l"},
        {"l.sort()", "unknown l"},
        {"l.last()", "unknown l"},
        {"l.first().value()", "1"},
    };
    TRY(w, rows);
}

static void many_arguments_are_taken(void **s)
{
    cel_world *w = *s;
    world_put(w, "x", CEL_T_DYN, cel_int(7));
    static const cel_row rows[] = {
        {"math.greatest(x, 1, 2, 3, 4)", "7"},
        {"math.greatest(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
         "22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32)",
         "32"},
        {"math.least(x, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
         "22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 1)",
         "1"},
        {"math.least(x)", "7"},
        {"math.least([x, 3])", "3"},
        {"math.least()", "E003 0+10 no overload of math.least for () | it takes (list(dyn))"},
        {"math.least(x, 'a', 1, 2, 3, 4)", "error: no such overload"},
        {"math.least(1, x, 1 / 0, 2, 3, 4)", "error: division by zero"},
    };
    TRY(w, rows);
    str text = S("math.least(1");
    for (int i = 0; i < 32; i++) text = arena_fmt(w->a, STR_FMT ", x", STR_ARG(text));
    const char *got = evaluated(w, arena_fmt(w->a, STR_FMT ")", STR_ARG(text)).p);
    assert_true(strncmp(got, "E003 0+10 no overload of math.least", 35) == 0);
}

static void a_function_of_no_namespace_is_named_whole(void **s)
{
    cel_world *w = *s;
    world_json(w, "args", "{\"path\": \"/x\"}");
    world_json(w, "mathem", "{}");
    static const cel_row rows[] = {
        {"net.x()", "E005 0+5 unknown function 'net.x' | net.IP and net.CIDR are types; ip(x) and "
                    "cidr(x) make values of them"},
        {"net.ip('::1')", "E005 0+6 unknown function 'net.ip' | write ip(x)"},
        {"math.grestest(1, 2)", "E005 0+13 unknown function 'math.grestest' | did you mean "
                                "math.greatest?"},
        {"math.max(1, 2)", "E005 0+8 unknown function 'math.max' | did you mean math.greatest?"},
        {"maths.ceil(1.5)", "E005 0+10 unknown function 'maths.ceil' | did you mean math.ceil?"},
        {"Math.ceil(1.5)", "E005 0+9 unknown function 'Math.ceil' | did you mean math.ceil?"},
        {"strings.lowerAscii('A')", "E005 0+18 unknown function 'strings.lowerAscii' | write "
                                    "x.lowerAscii(…)"},
        {"math.size('A')", "E005 0+9 unknown function 'math.size' | write size(x)"},
        {"cel.bnd(args, 1, 2)", "E005 0+7 unknown function 'cel.bnd' | did you mean cel.bind?"},
        {"path.startsWith('/x')", "E004 0+4 unknown variable 'path'"},
        {"arg.path.startsWith('/x')", "E004 0+3 unknown variable 'arg' | did you mean args?"},
        {"mathem.ceil(1.5)", "E005 7+4 unknown function 'ceil'"},
        {"max(1, 2)", "E005 0+3 unknown function 'max' | did you mean math.greatest?"},
    };
    TRY(w, rows);
}

static void a_block_names_what_is_used_twice(void **s)
{
    cel_world *w = *s;
    world_put(w, "x", CEL_T_INT, cel_int(5));
    static const cel_row rows[] = {
        {"cel.block([x + 1, cel.index(0) * 2], cel.index(0) + cel.index(1))", "18"},
        {"cel.block([], 1)", "1"},
        {"cel.block([1 / 0], true)", "true"}, /* like bind, when it is read */
        {"cel.block([1 / 0], cel.index(0) == 1)", "error: division by zero"},
        {"[1, 2].map(cel.iterVar(0, 0), cel.iterVar(0, 0) + x)", "[6,7]"},
        {"cel.block([1], cel.index(1))",
         "E004 15+12 unknown variable '@index1' | did you mean @index0?"},
        {"cel.block(x, 1)", "E006 10+1 a list is expected here: [a, b]"},
        {"cel.block([1], cel.index(x))", "E006 25+1 a number is expected here"},
    };
    TRY(w, rows);
}

static void what_a_name_is_bound_to_counts_where_it_is_read(void **s)
{
    cel_world *w = *s;
    world_put(w, "x", CEL_T_INT, cel_int(5));
    str fits = S("cel.block([x"), deep = fits;
    for (int i = 0; i < 60; i++) {
        fits = arena_fmt(w->a, STR_FMT ", cel.index(%d) + x", STR_ARG(fits), i);
        deep = arena_fmt(w->a, STR_FMT ", cel.index(%d) + x + x + x", STR_ARG(deep), i);
    }
    fits = arena_fmt(w->a, STR_FMT "], cel.index(60))", STR_ARG(fits));
    deep = arena_fmt(w->a, STR_FMT "], cel.index(60))", STR_ARG(deep));
    assert_string_equal(evaluated(w, fits.p), "305");
    assert_non_null(strstr(evaluated(w, deep.p), "more than 250 operators deep"));
}

static cel_value doubled(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_int(2 * args[0].u.i);
}

static const cel_function own[] = {
    {"double_of", CEL_BOTH, "i>i", doubled, 0},
    {"pair", CEL_GLOBAL, "AB>(pair:AB)", cel_fn_declared, 0},
    {"first_of", CEL_GLOBAL, "(pair:AB)>A", cel_fn_declared, 0},
    {"host.now", CEL_GLOBAL, ">t", cel_fn_declared, 0},
    {"size", CEL_GLOBAL, "i>i", doubled, 0}, /* the library has it already */
    {"sort", CEL_GLOBAL, "i>i", doubled, 0}, /* and this as a method alone */
};

static const char *with_own(cel_world *w, const char *text, bool type)
{
    cel_env env = {w->variables, w->count};
    cel_options o = {.functions = own, .function_count = sizeof own / sizeof *own};
    cel_program *p;
    const cel_problem *bad = cel_compile_with(w->a, text_of_c(text), &env, &o, &p);
    if (bad) return problem_text(w->a, bad);
    if (type) return arena_dup(w->a, cel_result_type_text(w->a, p)).p;
    cel_bindings b = {.values = w->values, .count = w->count};
    return value_text(w, cel_eval(p, &b, w->a, 0), text_of_c(text));
}

static void a_host_may_bring_functions_and_types(void **s)
{
    cel_world *w = *s;
    world_put(w, "x", CEL_T_DYN, cel_int(4));
    assert_string_equal(with_own(w, "double_of(x) + x.double_of()", false), "16");
    assert_string_equal(with_own(w, "double_of(dyn('a'))", false), "error: no such overload");
    assert_string_equal(with_own(w, "first_of(pair(1, 'a'))", false), "error: no such overload");
    assert_string_equal(with_own(w, "sort(2) + [2, 1].sort()[0]", false), "5");
    assert_string_equal(with_own(w, "pair(1, 'a')", true), "pair(int, string)");
    assert_string_equal(with_own(w, "first_of(pair([1], 'a'))", true), "list(int)");
    assert_string_equal(with_own(w, "[pair(1, 'a'), pair(dyn(1), 'b')]", true),
                        "list(pair(dyn, string))");
    assert_string_equal(with_own(w, "host.now()", true), "timestamp");
    assert_string_equal(with_own(w, "pair(1, 2) == pair(1, 'a')", true),
                        "E003 11+2 no overload of == for (pair(int, int), pair(int, string))");
    assert_string_equal(with_own(w, "size(1)", false),
                        "E003 0+4 no overload of size for (int) | it takes (string)");
    assert_string_equal(with_own(w, "duble_of(1)", false),
                        "E005 0+8 unknown function 'duble_of' | did you mean double_of?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(lists_are_taken_apart_and_put_in_order),
        CEL_TEST(lists_are_sets),
        CEL_TEST(what_a_set_holds_may_be_unknown),
        CEL_TEST(many_arguments_are_taken),
        CEL_TEST(a_function_of_no_namespace_is_named_whole),
        CEL_TEST(a_block_names_what_is_used_twice),
        CEL_TEST(what_a_name_is_bound_to_counts_where_it_is_read),
        CEL_TEST(a_host_may_bring_functions_and_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
