/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - making values, and showing them.
 *
 * Showing (as JSON, as text) is for people and tests; its size is bounded, since a value can
 * share parts of itself and be small in memory yet endless on paper. */
#include "value.h"
#include "compare.h"
#include "convert.h"
#include "types.h"
#include <math.h>
#include <stdio.h>

cel_value cel_bool(bool b)
{
    return (cel_value){.tag = CEL_BOOL, .u.b = b};
}

cel_value cel_int(int64_t i)
{
    return (cel_value){.tag = CEL_INT, .u.i = i};
}

cel_value cel_string(str s)
{
    if (s.n > UINT32_MAX) return (cel_value){.tag = CEL_ERROR, .code = CEL_OUT_OF_RANGE};
    return (cel_value){.tag = CEL_STRING, .n = (uint32_t)s.n, .u.s = s.p ? s.p : ""};
}

cel_value cel_of_json(const json_t *j)
{
    switch (j ? json_typeof(j) : JSON_NULL) {
    case JSON_OBJECT: return (cel_value){.tag = CEL_MAP, .json = 1, .u.json = j};
    case JSON_ARRAY: return (cel_value){.tag = CEL_LIST, .json = 1, .u.json = j};
    case JSON_STRING: return cel_string((str){json_string_value(j), json_string_length(j)});
    case JSON_INTEGER: return cel_int(json_integer_value(j));
    case JSON_REAL: return (cel_value){.tag = CEL_DOUBLE, .u.d = json_real_value(j)};
    case JSON_TRUE: return cel_bool(true);
    case JSON_FALSE: return cel_bool(false);
    case JSON_NULL: break;
    }
    return (cel_value){.tag = CEL_NULL};
}

/* Slots past the 63rd share the last bit. */
cel_value cel_unknown(size_t slot)
{
    return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = (uint64_t)1 << (slot < 63 ? slot : 63)};
}

cel_value cel_fields(arena *a, const cel_entry *entries, size_t count)
{
    cel_map *m = NEW(a, cel_map);
    *m = (cel_map){.count = count, .entries = entries};
    return (cel_value){.tag = CEL_MAP, .u.map = m};
}

cel_value cel_strings(arena *a, const str *items, size_t count)
{
    cel_value *values = NEW_N(a, cel_value, count);
    for (size_t i = 0; i < count; i++) values[i] = cel_string(items[i]);
    cel_list *l = NEW(a, cel_list);
    *l = (cel_list){count, values};
    return (cel_value){.tag = CEL_LIST, .u.list = l};
}

str cel_text(cel_value v)
{
    return v.tag == CEL_STRING || v.tag == CEL_BYTES ? (str){v.u.s, v.n} : (str){0};
}

bool cel_is_true(cel_value v)
{
    return v.tag == CEL_BOOL && v.u.b;
}

static bool name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name an error points at: `x` of .x, or what stands between the brackets of [x]. */
static str pointed_at(str source, uint32_t at)
{
    str rest = str_drop(source, at);
    size_t n = 0;
    if (rest.n && *rest.p == '[') {
        str_pair cut = str_cut(str_drop(rest, 1), ']');
        return str_take(cut.head, 40);
    }
    while (n < rest.n && n < 40 && name_byte(rest.p[n])) n++;
    return str_take(rest, n);
}

str cel_error_text(arena *a, cel_value v, str source)
{
    static const char *const texts[] = {
        [CEL_NO_ERROR] = "no error",
        [CEL_NO_SUCH_KEY] = "no such key",
        [CEL_NO_SUCH_OVERLOAD] = "no such overload",
        [CEL_OVERFLOW] = "overflow",
        [CEL_DIVIDE_BY_ZERO] = "division by zero",
        [CEL_OUT_OF_RANGE] = "out of range",
        [CEL_BAD_ARGUMENT] = "bad argument",
        [CEL_UNBOUND_VARIABLE] = "no value for",
        [CEL_COST_EXCEEDED] = "the expression costs too much",
    };
    if (v.tag == CEL_UNKNOWN) return S("unknown");
    if (v.tag != CEL_ERROR || v.code >= sizeof texts / sizeof *texts) return S("no error");
    str what = pointed_at(source, v.n);
    if (!what.n || v.code == CEL_COST_EXCEEDED) return arena_fmt(a, "%s at %u", texts[v.code], v.n);
    return arena_fmt(a, "%s '" STR_FMT "' at %u", texts[v.code], STR_ARG(what), v.n);
}

static json_t *to_json(arena *a, cel_value v, unsigned depth, size_t *left);

static json_t *list_json(arena *a, cel_value v, unsigned depth, size_t *left)
{
    json_t *out = json_array();
    cel_walk w = cel_walk_new(v);
    cel_value key, item;
    while (cel_walk_next(&w, &key, &item) && *left) {
        (void)json_array_append_new(out, to_json(a, item, depth + 1, left));
    }
    return out;
}

static json_t *map_json(arena *a, cel_value v, unsigned depth, size_t *left)
{
    json_t *out = json_object();
    cel_walk w = cel_walk_new(v);
    cel_value key, item;
    while (cel_walk_next(&w, &key, &item) && *left) {
        str name = key.tag == CEL_STRING ? cel_text(key) : cel_convert_text(a, key);
        (void)json_object_setn_new(out, name.p ? name.p : "", name.n,
                                   to_json(a, item, depth + 1, left));
    }
    return out;
}

static json_t *double_json(double d)
{
    if (isnan(d)) return json_string("NaN");
    if (isinf(d)) return json_string(d > 0 ? "Infinity" : "-Infinity");
    return json_real(d);
}

static json_t *text_json(str s)
{
    json_t *j = json_stringn(s.p ? s.p : "", s.n);
    return j ? j : json_string("(bytes)"); /* not UTF-8 */
}

static json_t *error_json(arena *a, cel_value v)
{
    str text = cel_error_text(a, v, (str){0});
    return json_pack("{s:s%}", v.tag == CEL_UNKNOWN ? "unknown" : "error", text.p, text.n);
}

static json_t *to_json(arena *a, cel_value v, unsigned depth, size_t *left)
{
    if (depth > 200 || !*left) return json_string("…");
    --*left;
    switch (v.tag) {
    case CEL_BOOL: return json_boolean(v.u.b);
    case CEL_INT: return json_integer(v.u.i);
    case CEL_UINT:
        return v.u.u <= INT64_MAX ? json_integer((json_int_t)v.u.u) : json_real((double)v.u.u);
    case CEL_DOUBLE: return double_json(v.u.d);
    case CEL_LIST: return list_json(a, v, depth, left);
    case CEL_MAP: return map_json(a, v, depth, left);
    case CEL_OPAQUE:
        if (v.code != CEL_T_OPTIONAL) return text_json(cel_convert_text(a, v));
        return v.u.inner ? to_json(a, *v.u.inner, depth + 1, left) : json_null();
    case CEL_TYPE: return json_string(cel_type_name(v.u.type));
    case CEL_STRING:
    case CEL_BYTES: return text_json(cel_text(v));
    case CEL_TIMESTAMP:
    case CEL_DURATION: return text_json(cel_convert_text(a, v));
    case CEL_ERROR:
    case CEL_UNKNOWN: return error_json(a, v);
    default: return json_null();
    }
}

static void drop_json(void *j)
{
    json_decref(j);
}

json_t *cel_to_json(arena *a, cel_value v)
{
    size_t left = 1000000;
    json_t *j = to_json(a, v, 0, &left);
    if (j) arena_own(a, drop_json, j);
    return j;
}
