/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/cel/compare.h"
#include "../../authz/cel/json.h"
#include "cel_help.h"

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static js_value checked(arena *a, str text)
{
    js_value v;
    const err *e = js_check(a, text, 64, &v);
    assert_null(e);
    return v;
}

static void assert_reads_as(arena *a, const char *text)
{
    js_value v = checked(a, text_of_c(text));
    cel_value wrapped = cel_of_json(js_tree(a, v));
    cel_value read = cel_read_json(a, v), owned = cel_own_json(a, js_tree(a, v));
    assert_int_equal(read.json, 0);
    assert_int_equal(owned.json, 0);
    str want = js_dump(a, cel_to_json(a, wrapped));
    assert_true(str_eq(js_dump(a, cel_to_json(a, read)), want));
    assert_true(str_eq(js_dump(a, cel_to_json(a, owned)), want));
    assert_true(cel_equal(read, wrapped) && cel_equal(wrapped, owned));
}

static void text_and_tree_give_the_same_values(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        " -12 ",
        "9223372036854775807",
        "18446744073709551616",
        "1e400",
        "0.1",
        "\"a\\u00e9\\n\\\"\"",
        "[]",
        "{}",
        " [ [ ] , { } , [ [ 1 ] ] ] ",
        "{\"a\":{\"b\":[1,\"x\",{\"c\":null}]},\"\\u0064\":false,\"\":0}",
        "[\"a\",\"b\",[\"c\",{\"k\":\"v\"}],\"d\"]",
        "{\"k\":\"a:b\",\"l\":\",\",\"m\":\"]\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_reads_as(*state, texts[i]);
}

static void a_large_object_finds_every_member_and_no_other(void **state)
{
    enum { MEMBERS = 1000 };
    arena *a = *state;
    buf text = buf_new(a, 1 << 20);
    for (int i = 0; i < MEMBERS; i++)
        (void)buf_fmt(&text, "%c\"%s%d\":%d", i ? ',' : '{', i % 3 ? "k" : "longer", i, i);
    (void)buf_put(&text, S("}"));
    cel_value map = cel_read_json(a, checked(a, buf_str(&text)));
    assert_int_equal(cel_count(map), MEMBERS);
    for (int i = 0; i < MEMBERS; i++) {
        str name = arena_fmt(a, "%s%d", i % 3 ? "k" : "longer", i);
        cel_value found = cel_map_member(map, name);
        assert_int_equal(found.tag, CEL_INT);
        assert_int_equal(found.u.i, i);
        str other = arena_fmt(a, "%s%d", i % 3 ? "longer" : "k", i);
        assert_int_equal(cel_map_member(map, other).tag, CEL_UNBOUND);
    }
    cel_value key, value;
    int at = 0;
    for (cel_walk w = cel_walk_new(map); cel_walk_next(&w, &key, &value);)
        assert_int_equal(value.u.i, at++);
    assert_int_equal(at, MEMBERS);
}

static void strings_without_escapes_are_not_copied(void **state)
{
    str text = S("{\"path\":\"/srv\"}");
    cel_value path = cel_map_member(cel_read_json(*state, checked(*state, text)), S("path"));
    assert_ptr_equal(path.u.s, text.p + 9);
}

static void a_text_that_was_not_checked_ends_somewhere(void **state)
{
    static const str texts[] = {S("["), S("{\"a\":"), S("\"x"), S("]"), S("{:}"), S(""), S("[1,,")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cel_value v = cel_read_json(*state, js_view(JS_OBJECT, texts[i]));
        assert_true(v.tag > CEL_UNBOUND && v.tag < CEL_ERROR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_and_tree_give_the_same_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_object_finds_every_member_and_no_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(strings_without_escapes_are_not_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_text_that_was_not_checked_ends_somewhere, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
