/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/json.h"

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

#define FORTY "0123456789012345678901234567890123456789"

/* An exact copy on the heap, so that one byte too far is seen by the sanitizer. */
static str exact(arena *a, const char *p, size_t n)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    if (n) memcpy(copy, p, n);
    arena_own(a, free, copy);
    return (str){copy, n};
}

static const err *check(arena *a, str text, js_value *root)
{
    return js_check(a, exact(a, text.p, text.n), 64, root);
}

static js_value good(arena *a, str text)
{
    js_value root;
    const err *e = check(a, text, &root);
    if (e) fail_msg("refused: %s: %s", text.p, e->text.p);
    return root;
}

/* clang-format off */
static const struct { str text; bool good; } cases[] = {
    /* whole values */
    {S("null"), true}, {S("true"), true}, {S("false"), true}, {S("0"), true}, {S("\"\""), true},
    {S("{}"), true}, {S("[]"), true}, {S(" \t\r\n{ } \n"), true}, {S("[ ]"), true},
    {S(""), false}, {S(" "), false}, {S("\xEF\xBB\xBF{}"), false}, {S("\v{}"), false}, {S("\f1"), false},
    {S("\xC2\xA0" "1"), false}, {S("nul"), false}, {S("nulll"), false}, {S("True"), false}, {S("NaN"), false},
    {S("Infinity"), false}, {S("-Infinity"), false}, {S("undefined"), false}, {S("1 2"), false}, {S("{}{}"), false},
    {S("{}\0"), false}, {S("1\0"), false}, {S("'a'"), false}, {S("/**/1"), false}, {S("1//"), false}, {S("#\n1"), false},
    /* numbers */
    {S("-0"), true}, {S("-1"), true}, {S("10"), true}, {S("0.5"), true}, {S("1e5"), true}, {S("1E+5"), true},
    {S("1.0e-5"), true}, {S("123456789012345678901234567890"), true}, {S("1e999"), true}, {S("-0.0"), true}, {S("0e0"), true},
    {S("01"), false}, {S("-01"), false}, {S("00"), false}, {S("+1"), false}, {S("-"), false}, {S("--1"), false},
    {S("1."), false}, {S(".5"), false}, {S("1.e5"), false}, {S("1e"), false}, {S("1e+"), false}, {S("1e5.0"), false},
    {S("0x10"), false}, {S("1_000"), false}, {S("1,000"), false}, {S("- 1"), false}, {S("1 e5"), false}, {S("0b1"), false},
    {S("\xEF\xBC\x91"), false}, {S("1a"), false}, {S("-a"), false}, {S("[1.]"), false}, {S("[-]"), false},
    /* strings */
    {S("\"a\""), true}, {S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), true}, {S("\"\\u0041\""), true}, {S("\"\\u0000\""), true},
    {S("\"\\uD83D\\uDE00\""), true}, {S("\"\\ud83d\\ude00\""), true}, {S("\"\x7f\""), true}, {S("\"\\uFFFF\""), true},
    {S("\"\xE2\x80\xA8\""), true}, {S("\"0123456789abcdef\""), true}, {S("\"/\""), true},
    {S("\""), false}, {S("\"a"), false}, {S("\"\\\""), false}, {S("\"\\"), false}, {S("\"\\x41\""), false}, {S("\"\\'\""), false},
    {S("\"\\a\""), false}, {S("\"\\U0041\""), false}, {S("\"\\u\""), false}, {S("\"\\u004\""), false}, {S("\"\\u004g\""), false},
    {S("\"\\u 041\""), false}, {S("\"\\u00"), false}, {S("\"\n\""), false}, {S("\"\t\""), false}, {S("\"\0\""), false}, {S("\"\x1f\""), false},
    {S("\"0123456\n\""), false}, {S("\"01234567\x01\""), false}, {S("\"\\0\""), false}, {S("\"\\\n\""), false},
    /* surrogates */
    {S("\"\\ud800\""), false}, {S("\"\\udc00\""), false}, {S("\"\\ud800\\ud800\""), false}, {S("\"\\ud800x\""), false},
    {S("\"\\ud800\\n\""), false}, {S("\"\\ud800\\u0041\""), false}, {S("\"\\ud83d\\ude0\""), false}, {S("\"\\ud83d\\"), false}, {S("\"\\ude00\\ud83d\""), false},
    /* UTF-8 */
    {S("\"\xC3\xA9\""), true}, {S("\"\xE2\x82\xAC\""), true}, {S("\"\xF0\x9F\x98\x80\""), true}, {S("\"\xF4\x8F\xBF\xBF\""), true},
    {S("\"\xED\x9F\xBF\""), true}, {S("\"\xEE\x80\x80\""), true}, {S("\"\xC2\x80\""), true}, {S("\"\xE0\xA0\x80\""), true}, {S("\"\xF0\x90\x80\x80\""), true},
    {S("\"\x80\""), false}, {S("\"\xC0\x80\""), false}, {S("\"\xC1\xBF\""), false}, {S("\"\xE0\x80\x80\""), false}, {S("\"\xE0\x9F\xBF\""), false},
    {S("\"\xED\xA0\x80\""), false}, {S("\"\xED\xBF\xBF\""), false}, {S("\"\xF0\x80\x80\x80\""), false}, {S("\"\xF0\x8F\xBF\xBF\""), false},
    {S("\"\xF4\x90\x80\x80\""), false}, {S("\"\xF5\x80\x80\x80\""), false}, {S("\"\xFF\""), false}, {S("\"\xFE\xFF\""), false},
    {S("\"\xC3\""), false}, {S("\"\xE2\x82\""), false}, {S("\"\xF0\x9F\x98\""), false}, {S("\"\xC3\xC3\""), false}, {S("\"\xE2\x82"), false}, {S("\"\xC3"), false},
    {S("\xFF"), false}, {S("[\xC3\xA9]"), false}, {S("\"01234567\xC3\xA9" "89abcdef\xE2\x82\""), false},
    /* arrays */
    {S("[1]"), true}, {S("[1,2]"), true}, {S("[[],{}]"), true}, {S("[\"a\" , null]"), true},
    {S("["), false}, {S("[1"), false}, {S("[1,"), false}, {S("[1,]"), false}, {S("[,1]"), false}, {S("[,]"), false}, {S("[1 2]"), false},
    {S("[1,,2]"), false}, {S("]"), false}, {S("[1}"), false}, {S("[1]]"), false}, {S("[\"a\":1]"), false}, {S("[1;2]"), false},
    /* objects */
    {S("{\"a\":1}"), true}, {S("{\"\":1}"), true}, {S("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}"), true}, {S("{ \"a\" : 1 , \"b\" : 2 }"), true},
    {S("{\"a\":1,\"A\":1}"), true}, {S("{\"a\\u0000\":1,\"a\":1}"), true}, {S("{\"\\u00e9\":1,\"e\\u0301\":1}"), true},
    {S("{"), false}, {S("{\"a\""), false}, {S("{\"a\":"), false}, {S("{\"a\":1"), false}, {S("{\"a\":1,"), false}, {S("{\"a\":1,}"), false},
    {S("{a:1}"), false}, {S("{1:1}"), false}, {S("{'a':1}"), false}, {S("{null:1}"), false}, {S("{\"a\" 1}"), false}, {S("{\"a\":}"), false},
    {S("{\"a\":1 \"b\":2}"), false}, {S("{,}"), false}, {S("{\"a\":1]"), false}, {S("{\"a\"::1}"), false}, {S("{\"a\",\"b\"}"), false}, {S("}"), false},
    {S("{\"a\":1,,\"b\":2}"), false}, {S("{[]:1}"), false},
    /* one key twice */
    {S("{\"a\":1,\"a\":1}"), false}, {S("{\"a\":1,\"b\":2,\"a\":3}"), false}, {S("{\"x\":{\"a\":1,\"a\":1}}"), false}, {S("[{\"a\":1,\"a\":1}]"), false},
    {S("{\"a\":1,\"\\u0061\":2}"), false}, {S("{\"\\u0061\":1,\"a\":2}"), false}, {S("{\"\\/\":1,\"/\":2}"), false}, {S("{\"\\u000a\":1,\"\\n\":2}"), false},
    {S("{\"\":1,\"\":2}"), false}, {S("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}"), false}, {S("{\"a\":{\"b\":1},\"b\":1,\"a\":2}"), false},
    {S("{\"method\":1,\"m\\u0065thod\":2}"), false}, {S("{\"\\\\\":1,\"\\u005C\":1}"), false},
};
/* clang-format on */

static void every_trap_of_the_grammar_is_known(void **s)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        js_value root;
        const err *e = check(*s, cases[i].text, &root);
        if (!e != cases[i].good)
            fail_msg("case %zu: %s: %s", i, cases[i].text.p, e ? e->text.p : "taken");
        assert_true(e ? root.kind == JS_ABSENT : root.kind != JS_ABSENT);
        if (e) assert_int_equal(e->kind, ERR_MALFORMED);
    }
}

static void every_prefix_of_a_text_is_refused(void **s)
{
    static const str text =
        S("{\"a\":[1.5e3,\"\\u00e9\\ud83d\\ude00\xE2\x82\xAC\",true,null,{\"b\":-1}],\"c\":false}");
    js_value root;
    for (size_t n = 0; n < text.n; n++) assert_non_null(check(*s, str_take(text, n), &root));
    assert_null(check(*s, text, &root));
    assert_true(str_eq(root.raw, text));
}

static void a_bad_byte_is_found_at_every_offset_of_a_word(void **s)
{
    static const char bad[] = {'\n', '"', '\\', '\x80', '\0', '\x1f'};
    for (size_t at = 1; at < 30; at++) {
        for (size_t i = 0; i < sizeof bad; i++) {
            char text[32];
            memset(text, 'x', sizeof text);
            text[0] = text[31] = '"';
            js_value root;
            assert_null(check(*s, (str){text, sizeof text}, &root));
            text[at] = bad[i];
            assert_non_null(check(*s, (str){text, sizeof text}, &root));
        }
    }
}

static str nested(arena *a, char open, size_t n)
{
    buf b = buf_new(a, SIZE_MAX);
    for (size_t i = 0; i < n; i++) buf_put(&b, open == '[' ? S("[") : S("{\"a\":"));
    buf_put(&b, S("1"));
    for (size_t i = 0; i < n; i++) buf_put(&b, open == '[' ? S("]") : S("}"));
    return buf_str(&b);
}

static void depth_is_limited_and_has_a_kind_of_its_own(void **s)
{
    js_value root;
    static const char opens[] = "[{";
    for (const char *open = opens; *open; open++) {
        assert_null(js_check(*s, nested(*s, *open, 64), 64, &root));
        const err *e = js_check(*s, nested(*s, *open, 65), 64, &root);
        assert_non_null(e);
        assert_int_equal(e->kind, ERR_TOO_LARGE);
        assert_null(js_check(*s, nested(*s, *open, JS_DEPTH_MAX), 5000, &root));
        assert_non_null(js_tree(*s, root));
        e = js_check(*s, nested(*s, *open, 500000), UINT32_MAX, &root);
        assert_non_null(e);
        assert_int_equal(e->kind, ERR_TOO_LARGE);
    }
    assert_null(js_check(*s, S("1"), 0, &root));
    assert_non_null(js_check(*s, S("[]"), 0, &root));
}

static void an_error_names_the_byte_and_the_key(void **s)
{
    js_value root;
    const err *e = check(*s, S("{\"a\":tru}"), &root);
    assert_string_equal(e->text.p, "JSON: value expected at byte 5");
    e = check(*s, S("{\"name\":1, \"n\\u0061me\":2}"), &root);
    assert_string_equal(e->text.p, "JSON: duplicate key \"name\" at byte 11");
    e = check(*s, S("[1,2"), &root);
    assert_string_equal(e->text.p, "JSON: array has no end at byte 4");
}

/* An object of `count` keys and then the key number `again` once more, inside others. */
static str many_keys(arena *a, size_t count, size_t again)
{
    buf b = buf_new(a, SIZE_MAX);
    buf_put(&b, S("{\"first\":{\"k1\":1},\"many\":{"));
    for (size_t i = 0; i < count; i++)
        buf_fmt(&b, "%s\"k%zu\":{\"k%zu\":[%zu]}", i ? "," : "", i, i, i);
    if (again < count) buf_fmt(&b, ",\"k%zu\":0", again);
    buf_put(&b, S("},\"last\":{\"k1\":1}}"));
    return buf_str(&b);
}

static void a_key_said_twice_is_found_in_objects_of_every_size(void **s)
{
    (void)s;
    static const size_t counts[] = {1,  2,  15, 16,  17,  18,  31,  32,  33,  34,  63,  64,  65,
                                    95, 96, 97, 127, 128, 129, 130, 383, 384, 385, 513, 3000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        arena *a = arena_new();
        js_value root;
        assert_null(js_check(a, many_keys(a, counts[i], counts[i]), 64, &root));
        size_t step = counts[i] / 20 + 1;
        for (size_t again = 0; again < counts[i]; again += step) {
            assert_non_null(js_check(a, many_keys(a, counts[i], again), 64, &root));
            assert_int_equal(root.kind, JS_ABSENT);
        }
        arena_free(a);
    }
}

static void large_objects_inside_large_objects_keep_their_keys_apart(void **s)
{
    buf b = buf_new(*s, SIZE_MAX);
    for (size_t depth = 0; depth < 5; depth++) {
        buf_put(&b, S("{"));
        for (size_t i = 0; i < 40; i++) buf_fmt(&b, "\"key%zu\":%zu,", i, depth);
        buf_put(&b, S("\"in\":"));
    }
    buf_put(&b, S("0"));
    for (size_t depth = 0; depth < 5; depth++) {
        for (size_t i = 40; i < 90; i++) buf_fmt(&b, ",\"key%zu\":%zu", i, depth);
        buf_put(&b, S("}"));
    }
    js_value root = good(*s, buf_str(&b));
    int64_t n;
    assert_true(js_int(js_at(root, "in.in.key89"), &n) && n == 2);
    b.n--; /* the outermost object said the key of its beginning once more */
    buf_put(&b, S(",\"key0\":1}"));
    assert_non_null(check(*s, buf_str(&b), &root));
}

static void a_hundred_thousand_keys_take_no_quadratic_time(void **s)
{
    buf b = buf_new(*s, SIZE_MAX);
    buf_put(&b, S("{"));
    for (size_t i = 0; i < 100000; i++) buf_fmt(&b, "%s\"%08zu\":0", i ? "," : "", i);
    buf_put(&b, S("}"));
    js_value root = good(*s, buf_str(&b));
    size_t count = 0;
    for (js_iter it = js_iterate(root); js_next(&it);) count++;
    assert_int_equal(count, 100000);
}

static void members_are_found_by_their_unescaped_name(void **s)
{
    js_value root = good(*s, S("{\"m\\u0065thod\":\"tools/"
                               "call\",\"params\":{\"a.b\":1,\"name\":\"x\",\"_meta\":{\"t\":[1,{"
                               "\"u\":2}]}},\"\\\\n\":3,\"\":4}"));
    assert_true(js_text_is(js_get(root, S("method")), S("tools/call")));
    assert_int_equal(js_get(root, S("m\\u0065thod")).kind, JS_ABSENT);
    assert_int_equal(js_get(root, S("Method")).kind, JS_ABSENT);
    assert_int_equal(js_get(root, S("\\\\n")).kind, JS_ABSENT);
    assert_int_equal(js_get(root, S("\\n")).kind, JS_NUMBER);
    assert_int_equal(js_get(root, S("")).kind, JS_NUMBER);
    assert_int_equal(js_at(root, "params._meta.t").kind, JS_ARRAY);
    assert_true(str_eq(js_at(root, "params._meta.t").raw, S("[1,{\"u\":2}]")));
    assert_int_equal(js_at(root, "params.nothing.t").kind, JS_ABSENT);
    assert_int_equal(js_at(root, "method.x").kind, JS_ABSENT);
    assert_int_equal(js_get(js_at(root, "params._meta.t"), S("u")).kind, JS_ABSENT);
}

static void walking_gives_every_value_once_in_order(void **s)
{
    js_value root =
        good(*s,
             S(" [ 1 , \"a]\\\"\" , [ ] , { \"x\" : [ 2 ] } , null , true , false , -1.5e3 ] "));
    static const js_kind kinds[] = {JS_NUMBER, JS_STRING, JS_ARRAY, JS_OBJECT,
                                    JS_NULL,   JS_TRUE,   JS_FALSE, JS_NUMBER};
    size_t i = 0;
    for (js_iter it = js_iterate(root); js_next(&it); i++) {
        assert_int_equal(it.value.kind, kinds[i]);
        assert_null(it.key.p);
        assert_false(js_key_is(&it, S("")));
    }
    assert_int_equal(i, 8);
    js_iter it = js_iterate(good(*s, S("{\"a\":1 , \"b\" : {}}")));
    assert_true(js_next(&it) && js_key_is(&it, S("a")) && !js_key_is(&it, S("b")));
    assert_true(js_next(&it) && js_key_is(&it, S("b")) && it.value.kind == JS_OBJECT);
    assert_false(js_next(&it));
    assert_false(js_next(&it));
    it = js_iterate(good(*s, S("\"text\"")));
    assert_false(js_next(&it));
    it = js_iterate((js_value){0});
    assert_false(js_next(&it));
}

/* Skipping takes sixteen bytes at once: a bracket, a quote and an escape stand at each of them. */
static void containers_are_skipped_whole_wherever_they_lie(void **s)
{
    static const char *const tricky[] = {
        "[]",
        "{}",
        "[[],{}]",
        "{\"k\":[{\"]\":\"}\"}]}",
        "[\"\\\"]\"]",
        "[\"\\\\\"]",
        "[\"{[\\u005d\"]",
        "{\"\\\"}\":\"\\\\\\\"{\"}",
        "[1,\"a\",[2]]",
    };
    for (size_t i = 0; i < sizeof tricky / sizeof *tricky; i++) {
        for (int pad = 0; pad < 40; pad++) {
            str inner = arena_fmt(*s, "{\"p\":\"%.*s\",\"c\":%s,\"q\":[\"%.*s\"]}", pad, FORTY,
                                  tricky[i], 40 - pad, FORTY);
            str text = arena_fmt(*s, "{\"a\":" STR_FMT ",\"b\":%d}", STR_ARG(inner), pad);
            js_value root = good(*s, text);
            int64_t n = -1;
            assert_true(js_int(js_get(root, S("b")), &n) && n == pad);
            assert_true(str_eq(js_get(root, S("a")).raw, inner));
            js_value c = js_at(root, "a.c");
            assert_true(str_eq(c.raw, (str){tricky[i], strlen(tricky[i])}));
        }
    }
}

static void texts_are_unescaped_and_views_where_they_can_be(void **s)
{
    js_value plain = good(*s, S("\"plain \xC3\xA9\""));
    assert_ptr_equal(js_text(*s, plain).p, plain.raw.p + 1);
    assert_true(str_eq(js_text(*s, plain), S("plain \xC3\xA9")));
    js_value v =
        good(*s, S("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\u0000z\""));
    static const str want = S("a\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0z");
    assert_true(str_eq(js_text(*s, v), want));
    assert_true(js_text_is(v, want));
    assert_false(js_text_is(v, str_take(want, want.n - 1)));
    assert_false(js_text_is(v, S("a")));
    assert_null(js_text(*s, good(*s, S("1"))).p);
    assert_non_null(js_text(*s, good(*s, S("\"\""))).p);
    assert_true(js_text_is(good(*s, S("\"\"")), S("")));
    assert_false(js_text_is(good(*s, S("1")), S("1")));
}

static void integers_are_exact_or_refused(void **s)
{
    static const struct {
        str text;
        bool good;
        int64_t want;
    } ints[] = {
        {S("0"), true, 0},
        {S("-0"), true, 0},
        {S("-17"), true, -17},
        {S("9223372036854775807"), true, INT64_MAX},
        {S("-9223372036854775808"), true, INT64_MIN},
        {S("9223372036854775808"), false, 0},
        {S("-9223372036854775809"), false, 0},
        {S("18446744073709551616"), false, 0},
        {S("99999999999999999999999"), false, 0},
        {S("1.0"), false, 0},
        {S("1e2"), false, 0},
        {S("\"1\""), false, 0},
        {S("true"), false, 0},
    };
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        int64_t n = 0;
        assert_int_equal(js_int(good(*s, ints[i].text), &n), ints[i].good);
        if (ints[i].good) assert_true(n == ints[i].want);
    }
    assert_true(js_bool(good(*s, S("true")), false));
    assert_false(js_bool(good(*s, S("false")), true));
    assert_true(js_bool(good(*s, S("\"no\"")), true));
}

static void a_tree_written_again_is_the_same_text(void **s)
{
    static const str texts[] = {
        S("{\"a\":[1,-2,9223372036854775807,-9223372036854775808],\"b\":{\"c\":null,\"d\":[]},"
          "\"e\":{},\"f\":true,\"g\":false}"),
        S("[0.1,1e+300,-2.5,1.0,1e-07,0.3333333333333333]"),
        S("\"a\\u0000b\\\"\\\\\\n\xF0\x9F\x98\x80\""),
        S("{\"k\\u0000\":1,\"k\":2}"),
        S("\"\""),
        S("null"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        str out = js_dump(*s, js_tree(*s, good(*s, texts[i])));
        if (!str_eq(out, texts[i])) fail_msg("case %zu: %.*s", i, (int)out.n, out.p);
    }
}

static void numbers_beyond_a_machine_word_become_reals(void **s)
{
    json_t *j = js_tree(*s, good(*s, S("[18446744073709551615,1e400,-1e400,1e-400,"
                                       "12345678901234567890123456789012345678901234567890123456789"
                                       "012345678901234567890]")));
    for (size_t i = 0; i < 5; i++) assert_true(json_is_real(json_array_get(j, i)));
    assert_true(json_real_value(json_array_get(j, 0)) == 18446744073709551615.0);
    assert_true(json_real_value(json_array_get(j, 1)) > 1e308);
    assert_true(json_real_value(json_array_get(j, 2)) < -1e308);
    assert_null(check(*s, js_dump(*s, j), &(js_value){0}));
}

/* Whoever walks the outermost object, or one in it, finds the same with the notes and without. */
static void notes_tell_what_a_walk_would_find(void **s)
{
    static const char *const texts[] = {
        "{}",
        "{\"a\":1}",
        " { \"a\" : { \"b\" : [ { \"a\" : 7 } , 2 ] , \"c\" : {} } , \"\\u0061b\" : \"}\" } ",
        "{\"list\":[{\"a\":{\"b\":1}}],\"a\":{\"a\":{\"a\":{\"ab\":true}}},\"ab\":[]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        js_value root;
        assert_null(js_check(*s, (str){texts[i], strlen(texts[i])}, 10, &root));
        js_value inner = js_get(root, S("a"));
        for (int level = 0; level < 2; level++, root = inner) {
            js_iter noted = js_iterate(root), walked = js_iterate(js_view(root.kind, root.raw));
            while (js_next(&walked)) {
                assert_true(js_next(&noted));
                assert_true(str_eq(noted.key, walked.key));
                assert_int_equal(noted.value.kind, walked.value.kind);
                assert_ptr_equal(noted.value.raw.p, walked.value.raw.p);
                assert_int_equal(noted.value.raw.n, walked.value.raw.n);
                str key = js_key_text(*s, &walked);
                assert_ptr_equal(js_get(root, key).raw.p, walked.value.raw.p);
            }
            assert_false(js_next(&noted));
            assert_int_equal(js_get(root, S("none")).kind, JS_ABSENT);
        }
    }
}

/* More members than are noted: they are walked as ever. */
static void an_object_of_many_members_is_walked(void **s)
{
    buf b = buf_new(*s, 100000);
    for (int i = 0; i < 300; i++) {
        buf_put(&b, i ? S(",\"") : S("{\""));
        buf_int(&b, i);
        buf_put(&b, S("\":{\"x\":"));
        buf_int(&b, i);
        buf_put(&b, S("}"));
    }
    buf_put(&b, S("}"));
    js_value root;
    int64_t x = 0;
    assert_null(js_check(*s, buf_str(&b), 10, &root));
    assert_true(js_int(js_at(root, "299.x"), &x));
    assert_int_equal(x, 299);
    assert_true(js_int(js_at(root, "0.x"), &x));
    assert_int_equal(x, 0);
}

static void unchecked_bytes_never_lead_outside_the_view(void **s)
{
    static const str junk[] =
        {S("{\"a\":[1,{\"b"), S("{\"a\"}"), S("{\"a\":"), S("[[[["), S("{\"\\"), S("{\"a\\u12"),
         S("[\"\\ud800"),     S("{:::}"),   S("["),       S("{"),    S("[,,,]"), S("]]")};
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        for (size_t n = 0; n <= junk[i].n; n++) {
            str text = exact(*s, junk[i].p, n);
            (void)js_get(js_view(JS_OBJECT, text), S("ab"));
            (void)js_get(js_view(JS_OBJECT, text), S("a\xE1\x88\x80"));
            (void)js_text(*s, js_view(JS_STRING, text));
            (void)js_text_is(js_view(JS_STRING, text), S("x"));
            (void)js_tree(*s, js_view(JS_ARRAY, text));
            (void)js_tree(*s, js_view(JS_OBJECT, text));
        }
    }
    (void)js_get(js_view(JS_OBJECT, (str){0}), S("a"));
    (void)js_text(*s, js_view(JS_STRING, (str){0}));
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(every_trap_of_the_grammar_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(every_prefix_of_a_text_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_byte_is_found_at_every_offset_of_a_word, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(depth_is_limited_and_has_a_kind_of_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_error_names_the_byte_and_the_key, setup, teardown),
        cmocka_unit_test(a_key_said_twice_is_found_in_objects_of_every_size),
        cmocka_unit_test_setup_teardown(large_objects_inside_large_objects_keep_their_keys_apart,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_hundred_thousand_keys_take_no_quadratic_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(members_are_found_by_their_unescaped_name, setup, teardown),
        cmocka_unit_test_setup_teardown(walking_gives_every_value_once_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(containers_are_skipped_whole_wherever_they_lie, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(texts_are_unescaped_and_views_where_they_can_be, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(integers_are_exact_or_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tree_written_again_is_the_same_text, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_beyond_a_machine_word_become_reals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(notes_tell_what_a_walk_would_find, setup, teardown),
        cmocka_unit_test_setup_teardown(an_object_of_many_members_is_walked, setup, teardown),
        cmocka_unit_test_setup_teardown(unchecked_bytes_never_lead_outside_the_view, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
