/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

static void numbers_have_three_kinds(void **s)
{
    static const cel_row rows[] = {
        {"0", "0"},
        {"01", "1"},
        {"0x7fFF", "32767"},
        {"-0x10", "-16"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"- 5", "-5"},
        {"type(7u) == uint", "true"},
        {"type(7U) == uint", "true"},
        {"18446744073709551615u > 1u", "true"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"2e3", "2000.0"},
        {"2E-1 == 0.2", "true"},
        {"-1.5e+1", "-15.0"},
        {"type(1e0) == double", "true"},
        {"9223372036854775808", "E001 0+19 the number does not fit in an int"},
        {"--9223372036854775808", "E001 2+19 the number does not fit in an int"},
        {"18446744073709551616u", "E001 0+21 the number does not fit in 64 bits"},
        {"99999999999999999999", "E001 0+20 the number does not fit in 64 bits"},
        {"1e999", "E001 0+5 the number does not fit in a double"},
        {"1.", "E002 2+0 the expression ends where a name is expected"},
        {"0X1", "E002 1+2 'X1' where an operator or the end is expected"},
        {"1_000", "E002 1+4 '_000' where an operator or the end is expected"},
    };
    TRY(*s, rows);
}

static void strings_are_single_double_triple_and_raw(void **s)
{
    static const cel_row rows[] = {
        {"'it'", "\"it\""},
        {"\"it's\"", "\"it's\""},
        {"'''a'b\nc'''", "\"a'b\\nc\""},
        {"\"\"\"a\"b\"\"\"", "\"a\\\"b\""},
        {"''", "\"\""},
        {"''''''", "\"\""},
        {"'''\\''''", "\"'\""},
        {"r'\\d+\\.'", "\"\\\\d+\\\\.\""},
        {"R\"\\\"", "\"\\\\\""},
        {"r'''\\n'''", "\"\\\\n\""},
        {"'a' == \"a\"", "true"},
        {"'open", "E002 0+5 the string has no end | a string on several lines takes three quotes"},
        {"'a\nb'", "E002 0+5 the string has no end | a string on several lines takes three quotes"},
        {"'''a''", "E002 0+6 the string has no end | a string on several lines takes three quotes"},
        {"'a\\'", "E002 0+4 the string has no end | a string on several lines takes three quotes"},
        {"'a' 'b'", "E002 4+3 ''b'' where an operator or the end is expected"},
    };
    TRY(*s, rows);
}

static void escapes_are_decoded(void **s)
{
    static const cel_row rows[] = {
        {"'\\a\\b\\f\\n\\r\\t\\v' == '\\x07\\x08\\x0c\\x0a\\x0d\\x09\\x0b'", "true"},
        {"'\\\\\\?\\\"\\'\\`'", "\"\\\\?\\\"'`\""},
        {"'\\x41\\X42\\103'", "\"ABC\""},
        {"'\\u00e9' == '\\351' && '\\xe9' == '\\U000000e9'", "true"},
        {"size('\\377')", "1"},
        {"size(b'\\377')", "1"},
        {"size(bytes('\\377'))", "2"},
        {"b'\\xff' == b'\\377'", "true"},
        {"'\\U0001F600' == '😀'", "true"},
        {"'\\s'", "E001 1+2 '\\s' is not an escape | for a backslash as it is, write r'\\s'"},
        {"'a\\.b'", "E001 2+2 '\\.' is not an escape | for a backslash as it is, write r'a\\.b'"},
        {"'\\400'", "E001 1+2 '\\4' is not an escape | for a backslash as it is, write r'\\400'"},
        {"'\\u12'",
         "E001 1+2 '\\u' is not a complete escape | for a backslash as it is, write r'\\u12'"},
        {"'\\ud800'",
         "E001 1+6 '\\ud800' is not an escape | for a backslash as it is, write r'\\ud800'"},
        {"'\\U00110000'", "E001 1+10 '\\U00110000' is not an escape | for a backslash as it is, "
                          "write r'\\U00110000'"},
        {"b'\\u0041'",
         "E001 2+2 '\\u' is not a complete escape | for a backslash as it is, write r'\\u0041'"},
    };
    TRY(*s, rows);
}

static void every_bad_escape_is_reported(void **s)
{
    cel_world *w = *s;
    cel_program *p;
    const cel_problem *bad = cel_compile(w->a, S("'\\q' == '\\w' || '\\.' == x"), NULL, NULL, &p);
    size_t offsets[] = {1, 9, 17}, n = 0;
    for (; bad && n < 3; bad = bad->next) assert_int_equal(bad->offset, offsets[n++]);
    assert_null(bad);
    assert_int_equal(n, 3);
    assert_null(p);
}

static void words_and_comments_are_told_apart(void **s)
{
    cel_world *w = *s;
    world_json(w, "x", "{\"package\":1,\"content-type\":2,\"in\":3}");
    static const cel_row rows[] = {
        {"1 // one\n + 2", "3"},
        {"// nothing", "E002 10+0 the expression is empty"},
        {"", "E002 0+0 the expression is empty"},
        {"\t1\f+\r\n1 ", "2"},
        {"x.package", "1"},
        {"x.`content-type`", "2"},
        {"x.in", "E002 2+2 'in' where a name is expected"},
        {"package", "E002 0+7 'package' cannot be a name | it is reserved; after a dot it is fine"},
        {"x.`a*b`", "E002 2+2 a quoted name holds letters, digits, _ . / - and spaces only"},
        {"1 = 1", "E002 2+1 '=' means nothing here | equality is =="},
        {"true & true", "E002 5+1 '&' means nothing here | and is &&"},
        {"true and true", "E002 5+3 'and' where an operator or the end is expected | and is &&"},
        {"1 + §", "E002 4+2 '§' means nothing here"},
    };
    TRY(w, rows);
}

static void what_is_not_utf8_is_refused(void **s)
{
    cel_world *w = *s;
    assert_string_equal(evaluated(w, "'a\xff'"), "E002 2+1 not valid UTF-8");
    assert_string_equal(evaluated(w, "'\xc0\x80'"), "E002 1+1 not valid UTF-8");
    assert_string_equal(evaluated(w, "'\xed\xa0\x80'"), "E002 1+1 not valid UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(numbers_have_three_kinds),
        CEL_TEST(strings_are_single_double_triple_and_raw),
        CEL_TEST(escapes_are_decoded),
        CEL_TEST(every_bad_escape_is_reported),
        CEL_TEST(words_and_comments_are_told_apart),
        CEL_TEST(what_is_not_utf8_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
