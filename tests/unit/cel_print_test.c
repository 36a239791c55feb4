/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/cel/print.h"
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

static str view(const char *s)
{
    return (str){s, strlen(s)};
}

static void prints(const char *source, size_t width, const char *expected)
{
    arena *a = arena_new();
    str out;
    const cel_problem *wrong = cel_print(a, view(source), width, &out);
    if (wrong) print_error("%s: " STR_FMT "\n", source, STR_ARG(wrong->text));
    assert_null(wrong);
    out = arena_dup(a, out);
    assert_string_equal(out.p, expected);
    str again;
    assert_null(cel_print(a, out, width, &again));
    assert_true(str_eq(again, out));
    arena_free(a);
}

/* clang-format off */
static const struct { const char *source, *printed; } rows[] = {
    {"a&&b||c", "a && b || c"},
    {"a  ==1", "a == 1"},
    {"x .y .z", "x.y.z"},
    {"f( a,b )", "f(a, b)"},
    {"a?b:c", "a ? b : c"},
    {"{ 'a' :1, 'b':a?b:c }", "{'a': 1, 'b': a ? b : c}"},
    {"[ 1,2 ,3 ]", "[1, 2, 3]"},
    {"a [ 0 ]", "a[0]"},
    {"[?a,?b]", "[?a, ?b]"},
    {"{?'k':v}", "{?'k': v}"},
    {"args . ?path . orValue( \"\" )", "args.?path.orValue(\"\")"},
    {"a[ ? b ]", "a[?b]"},
    {"! a", "!a"},
    {"- a", "-a"},
    {"a-1", "a - 1"},
    {"a - -1", "a - -1"},
    {"-(1)", "-(1)"},
    {"(1).f()", "(1).f()"},
    {"a==.b.c", "a == .b.c"},
    {"x in[1]", "x in [1]"},
    {"'a'in x", "'a' in x"},
    {"r'\\d'+b\"x\"+'''q'''", "r'\\d' + b\"x\" + '''q'''"},
    {"x.exists( g,g.startsWith( 'e' ) )", "x.exists(g, g.startsWith('e'))"},
    {"has( a.b )", "has(a.b)"},
    {"a.`b-c`", "a.`b-c`"},
    {"(a)", "a"},
    {"((a))", "a"},
    {"(a && b)", "a && b"},
    {"(a && b) || c", "a && b || c"},
    {"(a || b) && c", "(a || b) && c"},
    {"((a || b)) && c", "(a || b) && c"},
    {"a && (b && c)", "a && (b && c)"},
    {"(a && b) && c", "(a && b) && c"},
    {"a + (b * c)", "a + b * c"},
    {"(a + b) * c", "(a + b) * c"},
    {"a - (b - c)", "a - (b - c)"},
    {"(a - b) - c", "a - b - c"},
    {"(a == b) == c", "(a == b) == c"},
    {"!(a)", "!a"},
    {"!(a.b)", "!a.b"},
    {"!(a == b)", "!(a == b)"},
    {"!(!a)", "!(!a)"},
    {"(a).b", "a.b"},
    {"(a + b).c", "(a + b).c"},
    {"(a ? b : c) ? d : e", "(a ? b : c) ? d : e"},
    {"a ? (b ? c : d) : e", "a ? (b ? c : d) : e"},
    {"a ? b : (c ? d : e)", "a ? b : c ? d : e"},
    {"(a ? b : c) + 1", "(a ? b : c) + 1"},
    {"f((a ? b : c), (d))", "f(a ? b : c, d)"},
    {"[(a || b)]", "[a || b]"},
    {"a &&\n   b", "a &&\nb"},
    {"f(\na,\n b\n)", "f(\n  a,\n  b\n)"},
    {"a // why\n&& b", "a  // why\n&& b"},
    {"// first\na", "// first\na"},
    {"a\n   // last", "a\n// last"},
    {"(a // in\n)", "a  // in"},
};
/* clang-format on */

static void expressions_have_one_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        prints(rows[i].source, 0, rows[i].printed);
}

static void a_long_line_is_broken_at_its_outermost_operators(void **state)
{
    (void)state;
    prints("aaaa == 1 && bbbb == 2 && (cccc || dddd)", 20,
           "aaaa == 1\n&& bbbb == 2\n&& (cccc || dddd)");
    prints("aaaa && bbbb || cccc && dddd", 20, "aaaa && bbbb\n|| cccc && dddd");
    prints("f(aaaa && bbbb && cccc && dddd)", 20, "f(aaaa && bbbb && cccc && dddd)");
}

static void what_does_not_parse_is_a_problem(void **state)
{
    (void)state;
    arena *a = arena_new();
    str out;
    assert_non_null(cel_print(a, S("a &&"), 0, &out));
    assert_non_null(cel_print(a, S("\xff"), 0, &out));
    assert_non_null(cel_print(a, S(""), 0, &out));
    arena_free(a);
}

static void trees_that_differ_are_told_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"a", "b"},
                                           {"1", "1u"},
                                           {"'a'", "b'a'"},
                                           {"a.b", "a.?b"},
                                           {"a && (b && c)", "a && b && c"},
                                           {"f(a)", "a.f()"},
                                           {"x.all(y, y)", "x.exists(y, y)"}};
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cel_node *x, *y;
        assert_null(cel_tree(a, view(pairs[i][0]), &x));
        assert_null(cel_tree(a, view(pairs[i][1]), &y));
        assert_false(cel_same_tree(x, y));
        assert_true(cel_same_tree(x, x));
    }
    arena_free(a);
}

static size_t check_line(const char *line)
{
    json_t *j = json_loads(line, JSON_ALLOW_NUL, NULL);
    const json_t *expr = json_object_get(j, "expr");
    str source = {json_string_value(expr), json_string_length(expr)}, once, twice;
    arena *a = arena_new();
    cel_node *before, *after;
    size_t checked = 0;
    if (source.p && !cel_tree(a, source, &before)) {
        assert_null(cel_print(a, source, 40, &once));
        assert_null(cel_tree(a, once, &after));
        assert_true(cel_same_tree(before, after));
        assert_null(cel_print(a, once, 40, &twice));
        assert_true(str_eq(once, twice));
        checked = 1;
    }
    arena_free(a);
    json_decref(j);
    return checked;
}

static size_t check_file(const char *folder, const char *name)
{
    char path[512], line[65536];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    size_t checked = 0;
    while (f && fgets(line, sizeof line, f)) checked += check_line(line);
    if (f) (void)fclose(f);
    return checked;
}

static void the_official_expressions_keep_their_trees(void **state)
{
    (void)state;
    static const char *const folders[] = {"../shared/conformance/cel",
                                          "../../shared/conformance/cel"};
    size_t checked = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !checked; i++) {
        DIR *d = opendir(folders[i]);
        for (struct dirent *e; d && (e = readdir(d));)
            if (strstr(e->d_name, ".jsonl")) checked += check_file(folders[i], e->d_name);
        if (d) (void)closedir(d);
    }
    print_message("%zu official expressions printed\n", checked);
    if (!checked) { /* they are not part of this repository */
        print_message("the folder of official CEL cases is not here\n");
        return;
    }
    assert_true(checked > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_one_layout),
        cmocka_unit_test(a_long_line_is_broken_at_its_outermost_operators),
        cmocka_unit_test(what_does_not_parse_is_a_problem),
        cmocka_unit_test(trees_that_differ_are_told_apart),
        cmocka_unit_test(the_official_expressions_keep_their_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
