/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/buf.h"
#include "../../base/json.h"
#include "../../base/utf8.h"

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

static void bytes_are_kept_across_growth(void **s)
{
    buf both[] = {buf_new(*s, 1 << 20), buf_new(NULL, 1 << 20)};
    for (size_t k = 0; k < 2; k++) {
        buf *b = &both[k];
        for (int i = 0; i < 10000; i++) assert_true(buf_fmt(b, "%d,", i % 10));
        assert_int_equal(b->n, 20000);
        for (size_t i = 0; i < b->n; i++)
            assert_int_equal(b->p[i], i % 2 ? ',' : (char)('0' + i / 2 % 10));
        buf_free(b);
        assert_int_equal(b->n, 0);
        assert_true(buf_put(b, S("again")));
        assert_true(str_eq(buf_str(b), S("again")));
        buf_free(b);
    }
}

static void a_put_over_the_ceiling_changes_nothing_and_is_remembered(void **s)
{
    for (size_t limit = 0; limit < 600; limit += 7) {
        buf b = buf_new(limit % 2 ? *s : NULL, limit);
        for (size_t i = 0; i < limit; i++) assert_true(buf_put(&b, S("x")));
        assert_true(buf_ok(&b));
        assert_true(buf_put(&b, S("")));
        assert_false(buf_put(&b, S("y")));
        assert_false(buf_ok(&b));
        assert_int_equal(b.n, limit);
        buf_drop(&b, 3);
        assert_false(buf_put(&b, S("y"))); /* there is no hole in what was written */
        buf_free(&b);
        assert_true(buf_ok(&b));
    }
}

static void every_kind_of_put_respects_the_ceiling(void **s)
{
    buf b = buf_new(*s, 5);
    assert_true(buf_fmt(&b, "%s", "12345")); /* exactly full: the NUL is not counted */
    assert_false(buf_fmt(&b, "%s", "6"));
    b = buf_new(*s, 5);
    assert_false(buf_int(&b, 123456));
    b = buf_new(*s, 5);
    assert_false(buf_json(&b, S("\n\n")));
    assert_int_equal(b.n, 0);
    b = buf_new(*s, SIZE_MAX);
    assert_true(buf_put(&b, S("x")));
    assert_false(buf_need(&b, SIZE_MAX));
    assert_false(buf_need(&b, 1));
    b = buf_new(*s, 100);
    assert_true(buf_need(&b, 100));
    memset(b.p, 'z', 100);
    assert_false(buf_need(&b, 101));
}

static void integers_are_written_whole(void **s)
{
    static const struct {
        int64_t v;
        const char *want;
    } ints[] = {{0, "0"},
                {-1, "-1"},
                {10, "10"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        buf b = buf_new(*s, 100);
        assert_true(buf_int(&b, ints[i].v));
        assert_true(str_eq(buf_str(&b), (str){ints[i].want, strlen(ints[i].want)}));
    }
}

static void dropping_keeps_the_rest(void **s)
{
    buf b = buf_new(*s, 100);
    buf_put(&b, S("abcdef"));
    buf_drop(&b, 2);
    assert_true(str_eq(buf_str(&b), S("cdef")));
    buf_drop(&b, 0);
    assert_true(str_eq(buf_str(&b), S("cdef")));
    buf_drop(&b, 50);
    assert_int_equal(b.n, 0);
}

static void json_strings_are_escaped(void **s)
{
    static const struct {
        str text, want, safe;
    } cases[] = {
        {S(""), S("\"\""), S("\"\"")},
        {S("a\"b\\c/"), S("\"a\\\"b\\\\c/\""), S("\"a\\\"b\\\\c/\"")},
        {S("\b\f\n\r\t\0\x1f"), S("\"\\b\\f\\n\\r\\t\\u0000\\u001f\""),
         S("\"\\b\\f\\n\\r\\t\\u0000\\u001f\"")},
        {S("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), S("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""),
         S("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"")},
        {S("a\xFFz"), S("\"a\xEF\xBF\xBDz\""), S("\"a\xEF\xBF\xBDz\"")},
        {S("\xC3"), S("\"\xEF\xBF\xBD\""), S("\"\xEF\xBF\xBD\"")},
        {S("\xC3\""), S("\"\xEF\xBF\xBD\\\"\""), S("\"\xEF\xBF\xBD\\\"\"")},
        {S("\xED\xA0\x80"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""),
         S("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {S("x\x7fy\x7f"), S("\"x\x7fy\x7f\""), S("\"x\\u007fy\\u007f\"")},
        {S("\xC2\x85\xC2\x9F\xC2\xA0"), S("\"\xC2\x85\xC2\x9F\xC2\xA0\""),
         S("\"\\u0085\\u009f\xC2\xA0\"")},
        {S("\xE2\x80\xAE"
           "abc\xE2\x81\xA6\xE2\x80\x8F"),
         S("\"\xE2\x80\xAE"
           "abc\xE2\x81\xA6\xE2\x80\x8F\""),
         S("\"\\u202eabc\\u2066\\u200f\"")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf b = buf_new(*s, 1000);
        assert_true(buf_json(&b, cases[i].text));
        if (!str_eq(buf_str(&b), cases[i].want)) fail_msg("case %zu: %.*s", i, (int)b.n, b.p);
        b = buf_new(*s, 1000);
        assert_true(buf_json_safe(&b, cases[i].text));
        if (!str_eq(buf_str(&b), cases[i].safe)) fail_msg("safe case %zu: %.*s", i, (int)b.n, b.p);
    }
}

static void any_bytes_make_a_json_string_that_reads_back(void **s)
{
    for (unsigned i = 0; i < 65536; i++) {
        char text[] = {'a', 'b', (char)(i & 255), (char)(i >> 8), 'c', 'd', 'e', 'f', 'g', 'h'};
        arena *a = arena_new();
        buf b = buf_new(a, 1000);
        str t = {text, sizeof text};
        assert_true(i & 1 ? buf_json(&b, t) : buf_json_safe(&b, t));
        js_value root;
        const err *e = js_check(a, buf_str(&b), 1, &root);
        if (e) fail_msg("%04x: %s", i, e->text.p);
        if (utf8_valid(t)) assert_true(str_eq(js_text(a, root), t));
        arena_free(a);
    }
    (void)s;
}

static void code_points_come_back_from_utf8(void **s)
{
    (void)s;
    for (uint32_t code = 0; code < 0x110000; code++) {
        char p[4];
        size_t n = utf8_write(p, code);
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        assert_int_equal(utf8_one((str){p, n}), surrogate ? 0 : n);
        if (n > 1) assert_int_equal(utf8_one((str){p, n - 1}), 0);
        if (!surrogate) assert_int_equal(utf8_code(p, n), code);
    }
    assert_false(utf8_valid(S("abc\xC3")));
    assert_true(utf8_valid(S("abc\xC3\xA9")));
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(bytes_are_kept_across_growth, setup, teardown),
        cmocka_unit_test_setup_teardown(a_put_over_the_ceiling_changes_nothing_and_is_remembered,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_of_put_respects_the_ceiling, setup, teardown),
        cmocka_unit_test_setup_teardown(integers_are_written_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(dropping_keeps_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(json_strings_are_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(any_bytes_make_a_json_string_that_reads_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(code_points_come_back_from_utf8, setup, teardown),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
