/* SPDX-License-Identifier: Apache-2.0 */
/* library.c - the table, and the functions that only pass their argument on.
 *
 * To add a function: write what runs in the file of its subject, declare it in library.h, add a
 * row per overload here. The checker, the evaluator and the guesses at misspelled names all
 * read this table. */
#include "library.h"
#include "convert.h"
#include "network.h"
#include "times.h"

/* clang-format off */
const cel_function cel_functions[] = {
    {"size",       CEL_BOTH,   "s>i",   cel_fn_size, 0},
    {"size",       CEL_BOTH,   "y>i",   cel_fn_size, 0},
    {"size",       CEL_BOTH,   "lA>i",  cel_fn_size, 0},
    {"size",       CEL_BOTH,   "mAB>i", cel_fn_size, 0},
    {"startsWith", CEL_METHOD, "ss>b",  cel_fn_starts_with, 0},
    {"endsWith",   CEL_METHOD, "ss>b",  cel_fn_ends_with, 0},
    {"contains",   CEL_METHOD, "ss>b",  cel_fn_contains, 0},
    {"matches",    CEL_BOTH,   "ss>b",  cel_fn_matches, 0},

    {"type",   CEL_GLOBAL, "A>T", cel_fn_type, 0},
    {"dyn",    CEL_GLOBAL, "A>*", cel_fn_dyn, 0},
    {"int",    CEL_GLOBAL, "i>i", cel_fn_to_int, 0},
    {"int",    CEL_GLOBAL, "u>i", cel_fn_to_int, 0},
    {"int",    CEL_GLOBAL, "d>i", cel_fn_to_int, 0},
    {"int",    CEL_GLOBAL, "s>i", cel_fn_to_int, 0},
    {"int",    CEL_GLOBAL, "t>i", cel_fn_to_int, 0},
    {"int",    CEL_GLOBAL, "D>i", cel_fn_to_int, 0},
    {"uint",   CEL_GLOBAL, "u>u", cel_fn_to_uint, 0},
    {"uint",   CEL_GLOBAL, "i>u", cel_fn_to_uint, 0},
    {"uint",   CEL_GLOBAL, "d>u", cel_fn_to_uint, 0},
    {"uint",   CEL_GLOBAL, "s>u", cel_fn_to_uint, 0},
    {"double", CEL_GLOBAL, "d>d", cel_fn_to_double, 0},
    {"double", CEL_GLOBAL, "i>d", cel_fn_to_double, 0},
    {"double", CEL_GLOBAL, "u>d", cel_fn_to_double, 0},
    {"double", CEL_GLOBAL, "s>d", cel_fn_to_double, 0},
    {"string", CEL_GLOBAL, "s>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "b>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "i>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "u>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "d>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "y>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "t>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "D>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "p>s", cel_fn_to_string, 0},
    {"string", CEL_GLOBAL, "c>s", cel_fn_to_string, 0},
    {"bool",   CEL_GLOBAL, "b>b", cel_fn_to_bool, 0},
    {"bool",   CEL_GLOBAL, "s>b", cel_fn_to_bool, 0},
    {"bytes",  CEL_GLOBAL, "y>y", cel_fn_to_bytes, 0},
    {"bytes",  CEL_GLOBAL, "s>y", cel_fn_to_bytes, 0},
    {"timestamp", CEL_GLOBAL, "t>t", cel_fn_to_timestamp, 0},
    {"timestamp", CEL_GLOBAL, "s>t", cel_fn_to_timestamp, 0},
    {"timestamp", CEL_GLOBAL, "i>t", cel_fn_to_timestamp, 0},
    {"duration",  CEL_GLOBAL, "D>D", cel_fn_to_duration, 0},
    {"duration",  CEL_GLOBAL, "s>D", cel_fn_to_duration, 0},
    {"duration",  CEL_GLOBAL, "i>D", cel_fn_to_duration, 0},

    {"getFullYear",     CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_YEAR},
    {"getFullYear",     CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_YEAR},
    {"getMonth",        CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_MONTH},
    {"getMonth",        CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_MONTH},
    {"getDate",         CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_DATE},
    {"getDate",         CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_DATE},
    {"getDayOfMonth",   CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_DAY_OF_MONTH},
    {"getDayOfMonth",   CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_DAY_OF_MONTH},
    {"getDayOfYear",    CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_DAY_OF_YEAR},
    {"getDayOfYear",    CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_DAY_OF_YEAR},
    {"getDayOfWeek",    CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_DAY_OF_WEEK},
    {"getDayOfWeek",    CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_DAY_OF_WEEK},
    {"getHours",        CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_HOURS},
    {"getHours",        CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_HOURS},
    {"getHours",        CEL_METHOD, "D>i",  cel_fn_duration_part,  TIME_HOURS},
    {"getMinutes",      CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_MINUTES},
    {"getMinutes",      CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_MINUTES},
    {"getMinutes",      CEL_METHOD, "D>i",  cel_fn_duration_part,  TIME_MINUTES},
    {"getSeconds",      CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_SECONDS},
    {"getSeconds",      CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_SECONDS},
    {"getSeconds",      CEL_METHOD, "D>i",  cel_fn_duration_part,  TIME_SECONDS},
    {"getMilliseconds", CEL_METHOD, "t>i",  cel_fn_time_part,      TIME_MILLISECONDS},
    {"getMilliseconds", CEL_METHOD, "ts>i", cel_fn_time_part_zone, TIME_MILLISECONDS},
    {"getMilliseconds", CEL_METHOD, "D>i",  cel_fn_duration_part,  TIME_MILLISECONDS},

    {"charAt",      CEL_METHOD, "si>s",   cel_fn_char_at, 0},
    {"indexOf",     CEL_METHOD, "ss>i",   cel_fn_index_of, 2},
    {"indexOf",     CEL_METHOD, "ssi>i",  cel_fn_index_of, 3},
    {"lastIndexOf", CEL_METHOD, "ss>i",   cel_fn_last_index_of, 2},
    {"lastIndexOf", CEL_METHOD, "ssi>i",  cel_fn_last_index_of, 3},
    {"substring",   CEL_METHOD, "si>s",   cel_fn_substring, 2},
    {"substring",   CEL_METHOD, "sii>s",  cel_fn_substring, 3},
    {"lowerAscii",  CEL_METHOD, "s>s",    cel_fn_lower_ascii, 0},
    {"upperAscii",  CEL_METHOD, "s>s",    cel_fn_upper_ascii, 0},
    {"trim",        CEL_METHOD, "s>s",    cel_fn_trim, 0},
    {"reverse",     CEL_METHOD, "s>s",    cel_fn_reverse, 0},
    {"reverse",     CEL_METHOD, "lA>lA",  cel_fn_list_reverse, 0},
    {"replace",     CEL_METHOD, "sss>s",  cel_fn_replace, 3},
    {"replace",     CEL_METHOD, "sssi>s", cel_fn_replace, 4},
    {"split",       CEL_METHOD, "ss>ls",  cel_fn_split, 2},
    {"split",       CEL_METHOD, "ssi>ls", cel_fn_split, 3},
    {"join",        CEL_METHOD, "ls>s",   cel_fn_join, 1},
    {"join",        CEL_METHOD, "lss>s",  cel_fn_join, 2},
    {"strings.quote", CEL_GLOBAL, "s>s",  cel_fn_quote, 0},

    {"format",        CEL_METHOD, "sl*>s", cel_fn_format, 0},
    {"base64.encode", CEL_GLOBAL, "y>s",   cel_fn_base64_encode, 0},
    {"base64.decode", CEL_GLOBAL, "s>y",   cel_fn_base64_decode, 0},

    {"ip",             CEL_GLOBAL, "s>p", cel_fn_ip, 0},
    {"ip",             CEL_METHOD, "c>p", cel_fn_cidr_ip, 0},
    {"isIP",           CEL_GLOBAL, "s>b", cel_fn_is_ip, 0},
    {"ip.isCanonical", CEL_GLOBAL, "s>b", cel_fn_ip_canonical, 0},
    {"family",         CEL_METHOD, "p>i", cel_fn_ip_family, 0},
    {"isUnspecified",        CEL_METHOD, "p>b", cel_fn_ip_is, NET_UNSPECIFIED},
    {"isLoopback",           CEL_METHOD, "p>b", cel_fn_ip_is, NET_LOOPBACK},
    {"isGlobalUnicast",      CEL_METHOD, "p>b", cel_fn_ip_is, NET_GLOBAL_UNICAST},
    {"isLinkLocalMulticast", CEL_METHOD, "p>b", cel_fn_ip_is, NET_LINK_LOCAL_MULTICAST},
    {"isLinkLocalUnicast",   CEL_METHOD, "p>b", cel_fn_ip_is, NET_LINK_LOCAL_UNICAST},
    {"cidr",         CEL_GLOBAL, "s>c",  cel_fn_cidr, 0},
    {"isCIDR",       CEL_GLOBAL, "s>b",  cel_fn_is_cidr, 0},
    {"containsIP",   CEL_METHOD, "cp>b", cel_fn_contains_ip, 0},
    {"containsIP",   CEL_METHOD, "cs>b", cel_fn_contains_ip, 0},
    {"containsCIDR", CEL_METHOD, "cc>b", cel_fn_contains_cidr, 0},
    {"containsCIDR", CEL_METHOD, "cs>b", cel_fn_contains_cidr, 0},
    {"masked",       CEL_METHOD, "c>c",  cel_fn_masked, 0},
    {"prefixLength", CEL_METHOD, "c>i",  cel_fn_prefix_length, 0},

    {"math.greatest", CEL_GLOBAL, "lA>*", cel_fn_greatest, 0},
    {"math.greatest", CEL_GLOBAL, "*+>*", cel_fn_greatest, 1},
    {"math.least", CEL_GLOBAL, "lA>*", cel_fn_least, 0},
    {"math.least", CEL_GLOBAL, "*+>*", cel_fn_least, 1},
    {"math.ceil", CEL_GLOBAL, "d>d", cel_fn_rounding, MATH_CEIL},
    {"math.floor", CEL_GLOBAL, "d>d", cel_fn_rounding, MATH_FLOOR},
    {"math.round", CEL_GLOBAL, "d>d", cel_fn_rounding, MATH_ROUND},
    {"math.trunc", CEL_GLOBAL, "d>d", cel_fn_rounding, MATH_TRUNC},
    {"math.sqrt", CEL_GLOBAL, "d>d", cel_fn_rounding, MATH_SQRT},
    {"math.sqrt", CEL_GLOBAL, "i>d", cel_fn_rounding, MATH_SQRT},
    {"math.sqrt", CEL_GLOBAL, "u>d", cel_fn_rounding, MATH_SQRT},
    {"math.isNaN", CEL_GLOBAL, "d>b", cel_fn_rounding, MATH_IS_NAN},
    {"math.isInf", CEL_GLOBAL, "d>b", cel_fn_rounding, MATH_IS_INF},
    {"math.isFinite", CEL_GLOBAL, "d>b", cel_fn_rounding, MATH_IS_FINITE},
    {"math.abs", CEL_GLOBAL, "i>i", cel_fn_abs, 0},
    {"math.abs", CEL_GLOBAL, "u>u", cel_fn_abs, 0},
    {"math.abs", CEL_GLOBAL, "d>d", cel_fn_abs, 0},
    {"math.sign", CEL_GLOBAL, "i>i", cel_fn_sign, 0},
    {"math.sign", CEL_GLOBAL, "u>u", cel_fn_sign, 0},
    {"math.sign", CEL_GLOBAL, "d>d", cel_fn_sign, 0},
    {"math.bitAnd", CEL_GLOBAL, "ii>i", cel_fn_bits, MATH_AND},
    {"math.bitAnd", CEL_GLOBAL, "uu>u", cel_fn_bits, MATH_AND},
    {"math.bitOr", CEL_GLOBAL, "ii>i", cel_fn_bits, MATH_OR},
    {"math.bitOr", CEL_GLOBAL, "uu>u", cel_fn_bits, MATH_OR},
    {"math.bitXor", CEL_GLOBAL, "ii>i", cel_fn_bits, MATH_XOR},
    {"math.bitXor", CEL_GLOBAL, "uu>u", cel_fn_bits, MATH_XOR},
    {"math.bitNot", CEL_GLOBAL, "i>i", cel_fn_bits, MATH_NOT},
    {"math.bitNot", CEL_GLOBAL, "u>u", cel_fn_bits, MATH_NOT},
    {"math.bitShiftLeft", CEL_GLOBAL, "ii>i", cel_fn_bits, MATH_LEFT},
    {"math.bitShiftLeft", CEL_GLOBAL, "ui>u", cel_fn_bits, MATH_LEFT},
    {"math.bitShiftRight", CEL_GLOBAL, "ii>i", cel_fn_bits, MATH_RIGHT},
    {"math.bitShiftRight", CEL_GLOBAL, "ui>u", cel_fn_bits, MATH_RIGHT},

    {"distinct",    CEL_METHOD, "lA>lA",   cel_fn_distinct, 0},
    {"slice",       CEL_METHOD, "lAii>lA", cel_fn_slice, 0},
    {"flatten",     CEL_METHOD, "l*>l*",   cel_fn_flatten, 1},
    {"flatten",     CEL_METHOD, "l*i>l*",  cel_fn_flatten, 2},
    {"sort",        CEL_METHOD, "lA>lA",   cel_fn_sort, 0},
    {"first",       CEL_METHOD, "lA>oA",   cel_fn_list_end, 0},
    {"last",        CEL_METHOD, "lA>oA",   cel_fn_list_end, 1},
    {"lists.range", CEL_GLOBAL, "i>li",    cel_fn_range, 0},
    {"sets.contains",   CEL_GLOBAL, "lAlA>b", cel_fn_sets_contains, 0},
    {"sets.equivalent", CEL_GLOBAL, "lAlA>b", cel_fn_sets_equivalent, 0},
    {"sets.intersects", CEL_GLOBAL, "lAlA>b", cel_fn_sets_intersects, 0},

    {"optional.of",             CEL_GLOBAL, "A>oA",    cel_fn_optional_of, 0},
    {"optional.none",           CEL_GLOBAL, ">oA",     cel_fn_optional_none, 0},
    {"optional.ofNonZeroValue", CEL_GLOBAL, "A>oA",    cel_fn_optional_non_zero, 0},
    {"hasValue",                CEL_METHOD, "oA>b",    cel_fn_has_value, 0},
    {"value",                   CEL_METHOD, "oA>A",    cel_fn_optional_value, 0},
    {"or",                      CEL_METHOD, "oAoA>oA", cel_fn_optional_or, 0},
    {"orValue",                 CEL_METHOD, "oAA>A",   cel_fn_optional_or_value, 0},
};
/* clang-format on */
const size_t cel_function_count = sizeof cel_functions / sizeof *cel_functions;

const cel_function *cel_function_find(str name, uint16_t *count)
{
    *count = 0;
    for (size_t i = 0; i < cel_function_count; i++) {
        const cel_function *f = &cel_functions[i];
        if (!name.n || f->name[0] != name.p[0] || strlen(f->name) != name.n) continue;
        if (memcmp(f->name, name.p, name.n) != 0) continue;
        while (i + *count < cel_function_count && strcmp(f[*count].name, f->name) == 0) ++*count;
        return f;
    }
    return NULL;
}

const cel_function *cel_function_for(const cel_node *call, const cel_value *args)
{
    uint8_t style = call->flags & NODE_RECEIVER ? CEL_METHOD : CEL_GLOBAL;
    for (uint16_t i = 0; i < call->rows; i++) {
        const cel_function *f = &call->x.function[i];
        if ((f->styles & style) && cel_signature_takes(f->signature, args, call->count)) return f;
    }
    return NULL;
}

cel_value cel_fn_declared(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f, (void)args;
    return cel_failed(CEL_NO_SUCH_OVERLOAD);
}

cel_value cel_fn_to_int(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_convert_int(args[0]);
}

cel_value cel_fn_to_uint(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_convert_uint(args[0]);
}

cel_value cel_fn_to_double(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    return cel_convert_double(s->scratch, args[0]);
}

cel_value cel_fn_to_string(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    if (!cel_spend(s, args[0].tag == CEL_BYTES ? args[0].n : 0))
        return cel_failed(CEL_COST_EXCEEDED);
    return cel_convert_string(s->scratch, args[0]);
}

cel_value cel_fn_to_bool(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_convert_bool(args[0]);
}

cel_value cel_fn_to_bytes(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_convert_bytes(args[0]);
}

cel_value cel_fn_to_timestamp(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    if (args[0].tag == CEL_STRING) return cel_time_parse(cel_text(args[0]));
    return args[0].tag == CEL_INT ? cel_time_of(args[0].u.i, 0) : args[0];
}

cel_value cel_fn_to_duration(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    if (args[0].tag == CEL_STRING) return cel_duration_parse(cel_text(args[0]));
    int64_t nanos;
    if (args[0].tag != CEL_INT) return args[0];
    if (__builtin_mul_overflow(args[0].u.i, 1000000000, &nanos))
        return cel_failed(CEL_OUT_OF_RANGE);
    return cel_duration_of(nanos);
}

cel_value cel_fn_type(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return (cel_value){.tag = CEL_TYPE, .u.type = cel_type_of_value(args[0])};
}

cel_value cel_fn_dyn(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return args[0];
}

cel_value cel_fn_time_part(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s;
    return cel_time_part_of(args[0], (cel_time_part)f->op, 0);
}

cel_value cel_fn_duration_part(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s;
    return cel_duration_part_of(args[0], (cel_time_part)f->op);
}
