/* SPDX-License-Identifier: Apache-2.0 */
/* convert.c - int(), uint(), double(), string(), bool(), bytes().
 *
 * A double becomes an int only strictly inside (-2^63, 2^63): both ends are refused, by the
 * conformance cases. Text of a double has the fewest digits that read back the same. string()
 * gives it an exponent below 1e-4 and from 1e+06 on (0.0001, 999999, 1e+06, 1.234567e+06), as the
 * first implementation of the language does; format() and its %s never do. */
#include "convert.h"
#include "../../base/utf8.h"
#include "network.h"
#include "times.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char zeros[] = /* as many as a double can need, 323 */
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000";
static const double two63 = 9223372036854775808.0, two64 = 18446744073709551616.0;

static cel_value error(cel_error code)
{
    return (cel_value){.tag = CEL_ERROR, .code = (uint16_t)code};
}

static cel_value of_uint(uint64_t u)
{
    return (cel_value){.tag = CEL_UINT, .u.u = u};
}

/* Decimal digits alone, as many as fit. */
static bool digits(str s, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        if (__builtin_mul_overflow(*value, 10U, value)) return false;
        if (__builtin_add_overflow(*value, (uint64_t)(s.p[i] - '0'), value)) return false;
    }
    return s.n > 0;
}

static cel_value int_of_text(str s)
{
    bool negative = s.n && *s.p == '-';
    if (negative || (s.n && *s.p == '+')) s = str_drop(s, 1);
    uint64_t v;
    if (!digits(s, &v) || v > (uint64_t)INT64_MAX + negative) return error(CEL_BAD_ARGUMENT);
    return cel_int(negative ? (int64_t)(0 - v) : (int64_t)v);
}

cel_value cel_convert_int(cel_value v)
{
    switch (v.tag) {
    case CEL_INT: return v;
    case CEL_UINT: return v.u.u <= INT64_MAX ? cel_int((int64_t)v.u.u) : error(CEL_OUT_OF_RANGE);
    case CEL_DOUBLE:
        if (!(v.u.d > -two63 && v.u.d < two63)) return error(CEL_OUT_OF_RANGE);
        return cel_int((int64_t)v.u.d);
    case CEL_STRING: return int_of_text(cel_text(v));
    case CEL_TIMESTAMP: return cel_int(v.u.i);
    case CEL_DURATION: return cel_int(v.u.i / 1000000000);
    default: return error(CEL_NO_SUCH_OVERLOAD);
    }
}

cel_value cel_convert_uint(cel_value v)
{
    uint64_t u;
    switch (v.tag) {
    case CEL_UINT: return v;
    case CEL_INT: return v.u.i >= 0 ? of_uint((uint64_t)v.u.i) : error(CEL_OUT_OF_RANGE);
    case CEL_DOUBLE:
        if (!(v.u.d >= 0 && v.u.d < two64)) return error(CEL_OUT_OF_RANGE);
        return of_uint((uint64_t)v.u.d);
    case CEL_STRING: return digits(cel_text(v), &u) ? of_uint(u) : error(CEL_BAD_ARGUMENT);
    default: return error(CEL_NO_SUCH_OVERLOAD);
    }
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c + 32);
    return c;
}

static bool is_word(str s, const char *word)
{
    if (s.n != strlen(word)) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (lower(s.p[i]) != word[i]) return false;
    }
    return true;
}

/* strtod's language without blanks in front, hexadecimal and nan(...). */
static cel_value double_of_text(arena *a, str s)
{
    str unsigned_part = s.n && (*s.p == '-' || *s.p == '+') ? str_drop(s, 1) : s;
    bool negative = s.n && *s.p == '-';
    if (is_word(unsigned_part, "inf") || is_word(unsigned_part, "infinity")) {
        return (cel_value){.tag = CEL_DOUBLE, .u.d = negative ? -INFINITY : INFINITY};
    }
    if (is_word(s, "nan")) return (cel_value){.tag = CEL_DOUBLE, .u.d = NAN};
    for (size_t i = 0; i < s.n; i++) {
        if (!s.p[i] || !strchr("0123456789+-.eE", s.p[i])) return error(CEL_BAD_ARGUMENT);
    }
    char small[64], *end;
    const char *text = small;
    if (s.n < sizeof small) {
        for (size_t i = 0; i < s.n; i++) small[i] = s.p[i];
        small[s.n] = '\0';
    } else {
        text = arena_dup(a, s).p;
    }
    double d = strtod(text, &end);
    if (!s.n || (size_t)(end - text) != s.n) return error(CEL_BAD_ARGUMENT);
    return isinf(d) ? error(CEL_OUT_OF_RANGE) : (cel_value){.tag = CEL_DOUBLE, .u.d = d};
}

cel_value cel_convert_double(arena *a, cel_value v)
{
    switch (v.tag) {
    case CEL_DOUBLE: return v;
    case CEL_INT: return (cel_value){.tag = CEL_DOUBLE, .u.d = (double)v.u.i};
    case CEL_UINT: return (cel_value){.tag = CEL_DOUBLE, .u.d = (double)v.u.u};
    case CEL_STRING: return double_of_text(a, cel_text(v));
    default: return error(CEL_NO_SUCH_OVERLOAD);
    }
}

cel_value cel_convert_bool(cel_value v)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    if (v.tag == CEL_BOOL) return v;
    if (v.tag != CEL_STRING) return error(CEL_NO_SUCH_OVERLOAD);
    for (size_t i = 0; i < 6; i++) {
        if (str_eq(cel_text(v), (str){yes[i], strlen(yes[i])})) return cel_bool(true);
        if (str_eq(cel_text(v), (str){no[i], strlen(no[i])})) return cel_bool(false);
    }
    return error(CEL_BAD_ARGUMENT);
}

/* The shortest digits of a finite double: d[.ddd]e±dd. Any decimal of 15 digits survives being a
 * double, so fewer need no trying, but among the smallest doubles. */
typedef struct {
    bool negative;
    char digits[20];
    int count, exponent;
} decimal;

static decimal decimal_of(double d)
{
    char text[40];
    decimal out = {.negative = signbit(d) != 0};
    for (int more = fabs(d) < DBL_MIN ? 0 : 14; more <= 16; more++) {
        (void)snprintf(text, sizeof text, "%.*e", more, fabs(d));
        double back = strtod(text, NULL);
        if (!(back < fabs(d)) && !(back > fabs(d))) break;
    }
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.') out.digits[out.count++] = *at;
    }
    while (out.count > 1 && out.digits[out.count - 1] == '0') out.count--;
    out.exponent = (int)strtol(at + 1, NULL, 10);
    return out;
}

static str double_text(arena *a, double d)
{
    if (isnan(d)) return S("NaN");
    if (isinf(d)) return d > 0 ? S("+Inf") : S("-Inf");
    decimal n = decimal_of(d);
    if (n.exponent >= -4 && n.exponent < 6) return cel_convert_decimal(a, d);
    return arena_fmt(a, "%s%c%s%.*se%+03d", n.negative ? "-" : "", n.digits[0],
                     n.count > 1 ? "." : "", n.count - 1, n.digits + 1, n.exponent);
}

str cel_convert_decimal(arena *a, double d)
{
    if (isnan(d)) return S("NaN");
    if (isinf(d)) return d > 0 ? S("Infinity") : S("-Infinity");
    decimal n = decimal_of(d);
    const char *sign = n.negative ? "-" : "";
    int before = n.exponent + 1; /* digits before the point */
    if (before <= 0) {
        return arena_fmt(a, "%s0.%.*s%.*s", sign, -before, zeros, n.count, n.digits);
    }
    if (before >= n.count) {
        return arena_fmt(a, "%s%.*s%.*s", sign, n.count, n.digits, before - n.count, zeros);
    }
    return arena_fmt(a, "%s%.*s.%.*s", sign, before, n.digits, n.count - before, n.digits + before);
}

str cel_convert_text(arena *a, cel_value v)
{
    switch (v.tag) {
    case CEL_STRING: return cel_text(v);
    case CEL_BOOL: return v.u.b ? S("true") : S("false");
    case CEL_INT: return arena_fmt(a, "%lld", (long long)v.u.i);
    case CEL_UINT: return arena_fmt(a, "%llu", (unsigned long long)v.u.u);
    case CEL_DOUBLE: return double_text(a, v.u.d);
    case CEL_TIMESTAMP: return cel_time_text(a, v);
    case CEL_DURATION: return cel_duration_text(a, v);
    case CEL_OPAQUE: return v.code == CEL_T_OPTIONAL ? (str){0} : cel_net_text(a, v);
    default: return (str){0};
    }
}

cel_value cel_convert_string(arena *a, cel_value v)
{
    if (v.tag == CEL_STRING) return v;
    if (v.tag == CEL_BYTES) {
        return utf8_valid(cel_text(v)) ? cel_string(cel_text(v)) : error(CEL_BAD_ARGUMENT);
    }
    str s = cel_convert_text(a, v);
    return s.p ? cel_string(s) : error(CEL_NO_SUCH_OVERLOAD);
}

cel_value cel_convert_bytes(cel_value v)
{
    if (v.tag == CEL_STRING) v.tag = CEL_BYTES;
    return v.tag == CEL_BYTES ? v : error(CEL_NO_SUCH_OVERLOAD);
}
