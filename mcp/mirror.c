/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.c - reading back what link_param.c's kind of client writes.
 *
 * Only what the schema announces is looked at: an unknown Mcp-Param-* is somebody else's. The
 * schema was found valid when the catalog was read, so every annotation hangs on a property
 * reached through `properties` alone. */
#include "mirror.h"
#include "../authz/digest.h"
#include "dialect.h"
#include <stdlib.h>

#define ANNOTATION "x-mcp-header"
enum { HEADER_NAME_MOST = 256, NUMBER_MOST = 64 };

bool mirror_decode(arena *a, str value, str *out)
{
    str v = dialect_trim(value), open = S("=?base64?"), close = S("?=");
    bool coded =
        v.n >= open.n + close.n && str_starts(v, open) && str_eq(str_drop(v, v.n - close.n), close);
    *out = v;
    if (!coded) return true;
    return digest_from_base64(a, str_take(str_drop(v, open.n), v.n - open.n - close.n), out);
}

/* Numbers compare by value: 42.0 is 42. */
static bool number_value(str s, double *out)
{
    char text[NUMBER_MOST + 1] = {0}, *end = NULL;
    if (!s.n || s.n > NUMBER_MOST) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr("0123456789+-.eE", s.p[i]) || !s.p[i]) return false;
        text[i] = s.p[i];
    }
    *out = strtod(text, &end);
    return end == text + s.n;
}

static bool same_number(str sent, str body)
{
    int64_t a, b;
    js_value h = js_view(JS_NUMBER, sent), v = js_view(JS_NUMBER, body);
    if (str_eq(sent, body)) return true;
    double x, y;
    if (!number_value(sent, &x) || !number_value(body, &y)) return false;
    if (js_int(h, &a) && js_int(v, &b)) return a == b;
    return !(x < y) && !(x > y);
}

static bool same(arena *a, str sent, js_value argument)
{
    switch (argument.kind) {
    case JS_TRUE: return str_eq(sent, S("true"));
    case JS_FALSE: return str_eq(sent, S("false"));
    case JS_NUMBER: return same_number(sent, argument.raw);
    case JS_STRING: return str_eq(sent, js_text(a, argument));
    default: return false;
    }
}

static str param_header(const header *headers, str name)
{
    for (const header *h = headers; h && h->name.p; h++) {
        if (h->name.n != name.n + 10) continue;
        if (header_name_is(str_take(h->name, 10), S("mcp-param-")) &&
            header_name_is(str_drop(h->name, 10), name))
            return h->value;
    }
    return (str){0};
}

static const char *check_one(arena *a, const header *headers, str name, js_value argument)
{
    str sent = param_header(headers, name), text;
    bool in_body = argument.kind != JS_ABSENT && argument.kind != JS_NULL;
    bool can_be_said = argument.kind != JS_OBJECT && argument.kind != JS_ARRAY;
    if (!sent.p) return in_body && can_be_said ? "a Mcp-Param header is missing" : NULL;
    if (!mirror_decode(a, sent, &text)) return "a Mcp-Param header is badly encoded";
    return same(a, text, argument) ? NULL : "a Mcp-Param header differs from the body";
}

static bool mentions(js_value schema)
{
    return schema.kind == JS_OBJECT &&
           memmem(schema.raw.p, schema.raw.n, ANNOTATION, sizeof ANNOTATION - 1);
}

/* Recursion is bounded by the depth the schema was checked for. */
const char *mirror_params(arena *a, const header *headers, js_value schema, js_value arguments)
{
    if (!mentions(schema)) return NULL;
    for (js_iter it = js_iterate(js_get(schema, S("properties"))); js_next(&it);) {
        if (!mentions(it.value)) continue;
        js_value argument = js_get(arguments, js_key_text(a, &it));
        js_value name = js_get(it.value, S(ANNOTATION));
        const char *wrong = NULL;
        if (name.kind == JS_STRING) wrong = check_one(a, headers, js_text(a, name), argument);
        if (!wrong) wrong = mirror_params(a, headers, it.value, argument);
        if (wrong) return wrong;
    }
    return NULL;
}
