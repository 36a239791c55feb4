/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

static void clauses_are_filled_in_order(void **s)
{
    static const cel_row rows[] = {
        {"'no clause'.format([])", "\"no clause\""},
        {"''.format([])", "\"\""},
        {"'%s-%s'.format(['a', 'b'])", "\"a-b\""},
        {"'%%s %%'.format(['a'])", "\"%s %\""},
        {"'é%sé'.format(['ü'])", "\"éüé\""},
        {"'%s'.format(['a', 'b'])", "\"a\""}, /* what nobody asks for is ignored */
        {"'%s %s'.format(['a'])", "error: out of range"},
        {"'%'.format(['a'])", "error: bad argument"},
        {"'%.'.format(['a'])", "error: bad argument"},
        {"'%.f'.format([1.0])", "error: bad argument"},
        {"'%.1001f'.format([1.0])", "error: bad argument"},
        {"'%.99999999999999999999f'.format([1.0])", "error: bad argument"},
        {"'%a'.format([1])", "error: bad argument"},
        {"'%5d'.format([1])", "error: bad argument"},
    };
    TRY(*s, rows);
}

static void whole_numbers_in_every_base(void **s)
{
    static const cel_row rows[] = {
        {"'%d %d %d'.format([-5, 7u, 0])", "\"-5 7 0\""},
        {"'%d'.format([-9223372036854775808])", "\"-9223372036854775808\""},
        {"'%x'.format([-9223372036854775808])", "\"-8000000000000000\""},
        {"'%d'.format([18446744073709551615u])", "\"18446744073709551615\""},
        {"'%b'.format([18446744073709551615u])",
         "\"1111111111111111111111111111111111111111111111111111111111111111\""},
        {"'%b %b %b %b'.format([5, -5, true, false])", "\"101 -101 1 0\""},
        {"'%o %o'.format([8, 64u])", "\"10 100\""},
        {"'%x %X %x'.format([255, 255u, -255])", "\"ff FF -ff\""},
        {"'%x %X'.format(['é\\u0001', b'\\x0f\\xf0'])", "\"c3a901 0FF0\""},
        {"'%d'.format(['1'])", "error: no such overload"},
        {"'%d'.format([true])", "error: no such overload"},
        {"'%x'.format([true])", "error: no such overload"},
        {"'%o'.format([1.0])", "error: no such overload"},
        {"'%b'.format([1.0])", "error: no such overload"},
        {"'%d %d'.format([3.25, double('-inf')])", "\"3.25 -Infinity\""},
    };
    TRY(*s, rows);
}

static void reals_are_rounded_to_even(void **s)
{
    static const cel_row rows[] = {
        {"'%f %f %f'.format([2.5, 2, 3u])", "\"2.500000 2.000000 3.000000\""},
        {"'%.0f %.0f %.0f'.format([0.5, 1.5, 2.5])", "\"0 2 2\""},
        {"'%.3f'.format([-123.4999])", "\"-123.500\""},
        {"'%e %.1e %.0e'.format([1052.032911275, -3.14, 1])", "\"1.052033e+03 -3.1e+00 1e+00\""},
        {"'%e'.format([1e-300])", "\"1.000000e-300\""},
        {"'%f %e %.2f'.format([double('nan'), double('inf'), double('-inf')])",
         "\"NaN Infinity -Infinity\""},
        {"size('%.1000f'.format([1e308]))", "1310"},
        {"'%f'.format(['1'])", "error: no such overload"},
        {"'%e'.format([null])", "error: no such overload"},
        {"'%E'.format([1.0])", "error: bad argument"},
    };
    TRY(*s, rows);
}

static void everything_has_a_text(void **s)
{
    static const cel_row rows[] = {
        {"'%s'.format([[1, 2u, 1.5, true, null, 'x', b'y', int]])",
         "\"[1, 2, 1.5, true, null, x, y, int]\""},
        {"'%s'.format([{'b': 1, 'a': [2], 3: {}, true: duration('90s')}])",
         "\"{3: {}, a: [2], b: 1, true: 90s}\""},
        {"'%s'.format([timestamp('2023-02-03T23:31:20.5+01:00')])", "\"2023-02-03T22:31:20.5Z\""},
        {"'%s %s %s'.format([double('nan'), double('inf'), -0.5])", "\"NaN Infinity -0.5\""},
        {"'%s %s'.format([1e21, 1e-7])", "\"1000000000000000000000 0.0000001\""},
        {"'%s'.format([b'a\\xff\\xfeb\\xc3'])", "\"a\xEF\xBF\xBD"
                                                "b\xEF\xBF\xBD\""},
        {"'%s'.format([optional.of(1)])", "error: no such overload"},
        {"'%.3s'.format(['abcdef'])", "\"abcdef\""}, /* a precision is for reals */
    };
    TRY(*s, rows);
}

static void what_is_not_known_stays_so(void **s)
{
    cel_world *w = *s;
    world_put(w, "u", CEL_T_DYN, cel_unknown(0));
    cel_entry entries[] = {{cel_string(S("k")), cel_unknown(0)}};
    world_put(w, "m", CEL_T_DYN, cel_fields(w->a, entries, 1));
    world_json(w, "l", "[1, 2]");
    static const cel_row rows[] = {
        {"'%s'.format([u])", "unknown u"},
        {"u.format([1])", "unknown u"},
        {"'%s'.format([m])", "unknown u"},
        {"'%s %s'.format(l)", "\"1 2\""},
        {"'%s'.format([1 / 0])", "error: division by zero"},
    };
    TRY(w, rows);
}

static void what_is_written_is_paid_for(void **s)
{
    static const cel_row rows[] = {
        {"cel.bind(a, ['xxxxxxxx', 'xxxxxxxx'], cel.bind(b, [a, a, a, a, a, a, a, a, a, a], "
         "cel.bind(c, [b, b, b, b, b, b, b, b, b, b], cel.bind(d, [c, c, c, c, c, c, c, c, c, c], "
         "cel.bind(e, [d, d, d, d, d, d, d, d, d, d], cel.bind(f, [e, e, e, e, e, e, e, e, e, e], "
         "size('%s'.format([f])) > 0))))))",
         "error: the expression costs too much"},
        {"lists.range(20000).all(i, '%.1000f'.format([1e300]) != '')",
         "error: the expression costs too much"},
    };
    TRY(*s, rows);
}

/* The shortest that reads back the same; an exponent from a million up and below 1e-4. */
static void a_double_has_one_text(void **s)
{
    static const cel_row rows[] = {
        {"string(1.0) + ' ' + string(-0.0) + ' ' + string(1.5)", "\"1 -0 1.5\""},
        {"string(123.456)", "\"123.456\""},
        {"string(-4.5e-3)", "\"-0.0045\""},
        {"string(0.1 + 0.2)", "\"0.30000000000000004\""},
        {"string(999999.0) + ' ' + string(1000000.0)", "\"999999 1e+06\""},
        {"string(1234567.0) + ' ' + string(123456.75)", "\"1.234567e+06 123456.75\""},
        {"string(0.0001) + ' ' + string(0.00001)", "\"0.0001 1e-05\""},
        {"string(1e21) + ' ' + string(1e100)", "\"1e+21 1e+100\""},
        {"string(1.7976931348623157e308)", "\"1.7976931348623157e+308\""},
        {"string(5e-324)", "\"5e-324\""},
        {"string(2.2250738585072014e-308)", "\"2.2250738585072014e-308\""},
        {"string(double('nan')) + string(double('inf')) + string(double('-inf'))",
         "\"NaN+Inf-Inf\""},
        {"size('%s'.format([5e-324]))", "326"},
        {"size('%s'.format([1.7976931348623157e308]))", "309"},
    };
    TRY(*s, rows);
}

static void base64_goes_both_ways(void **s)
{
    static const cel_row rows[] = {
        {"base64.encode(b'') + base64.encode(b'f') + base64.encode(b'fo') + base64.encode(b'foo')",
         "\"Zg==Zm8=Zm9v\""},
        {"base64.encode(b'\\xff\\xfe\\xfd\\x00')", "\"//79AA==\""},
        {"base64.decode('//79AA==') == b'\\xff\\xfe\\xfd\\x00'", "true"},
        {"base64.decode('//79AA') == b'\\xff\\xfe\\xfd\\x00'", "true"},
        {"base64.decode('') == b''", "true"},
        {"base64.decode('Zm9v') == b'foo'", "true"},
        {"base64.decode(base64.encode(b'hello')) == b'hello'", "true"},
        {"base64.decode('Z')", "error: bad argument"},
        {"base64.decode('Zg=')", "error: bad argument"},
        {"base64.decode('Zg===')", "error: bad argument"},
        {"base64.decode('=')", "error: bad argument"},
        {"base64.decode('Zh==')", "error: bad argument"}, /* bits nobody wrote */
        {"base64.decode('Zg==Zg==')", "error: bad argument"},
        {"base64.decode('Zm 9v')", "error: bad argument"},
        {"base64.decode('-_79')", "error: bad argument"},
        {"base64.encode('x')",
         "E003 0+13 no overload of base64.encode for (string) | it takes (bytes)"},
    };
    TRY(*s, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(clauses_are_filled_in_order), CEL_TEST(whole_numbers_in_every_base),
        CEL_TEST(reals_are_rounded_to_even),   CEL_TEST(everything_has_a_text),
        CEL_TEST(what_is_not_known_stays_so),  CEL_TEST(what_is_written_is_paid_for),
        CEL_TEST(a_double_has_one_text),       CEL_TEST(base64_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
