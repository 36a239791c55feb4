/* SPDX-License-Identifier: Apache-2.0 */
/* link_param.c - finding x-mcp-header in a schema, and saying an argument in a header.
 *
 * An annotation counts only where the call's argument can be found without understanding the
 * schema: on a property reached from the root through `properties` alone. Anywhere else in a
 * schema it is an error, and inside plain data (enum, const, default, examples) it is nothing.
 * Recursion is bounded: the text's nesting was when it was checked. */
#include "link_param.h"
#include "../authz/digest.h"

#define ANNOTATION "x-mcp-header"
enum { REVIEW_MOST = 256 * 1024 }; /* each level of nesting is read again */

typedef struct {
    arena *a;
    str names[LINK_PARAMS_MOST];
    size_t count;
    const char *problem;
} review;

static bool is_token(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) return false;
    }
    return s.n > 0 && s.n <= 128;
}

static bool mentions(js_value schema)
{
    return schema.kind == JS_OBJECT &&
           memmem(schema.raw.p, schema.raw.n, ANNOTATION, sizeof ANNOTATION - 1);
}

static void review_annotation(review *r, js_value property, js_value name, bool direct)
{
    js_value type = js_get(property, S("type"));
    str text = js_text(r->a, name);
    if (!direct)
        r->problem = "x-mcp-header on something that is no plain argument";
    else if (!is_token(text))
        r->problem = "x-mcp-header is no header name";
    else if (!js_text_is(type, S("string")) && !js_text_is(type, S("integer")) &&
             !js_text_is(type, S("boolean")))
        r->problem = "x-mcp-header on a type that is not integer, string or boolean";
    else if (r->count == LINK_PARAMS_MOST)
        r->problem = "too many x-mcp-header";
    for (size_t i = 0; i < r->count && !r->problem; i++) {
        if (header_name_is(r->names[i], text)) r->problem = "x-mcp-header named twice";
    }
    if (!r->problem) r->names[r->count++] = text;
}

static bool key_among(const js_iter *it, const str *names)
{
    for (; names->p; names++) {
        if (js_key_is(it, *names)) return true;
    }
    return false;
}

/* `direct`: its value can be found in the arguments; the root is, but is no argument itself. */
static void review_schema(review *r, js_value schema, bool direct, bool root)
{
    static const str data[] = {S("enum"), S("const"), S("default"), S("examples"), {0}};
    static const str named[] = {S("patternProperties"),
                                S("$defs"),
                                S("definitions"),
                                S("dependentSchemas"),
                                {0}};
    for (js_iter it = js_iterate(schema); !r->problem && js_next(&it);) {
        bool object = schema.kind == JS_OBJECT;
        if (object && js_key_is(&it, S(ANNOTATION))) {
            review_annotation(r, schema, it.value, direct && !root);
        } else if (object && key_among(&it, data)) {
            continue;
        } else if (object && (js_key_is(&it, S("properties")) || key_among(&it, named))) {
            bool found = direct && js_key_is(&it, S("properties"));
            for (js_iter sub = js_iterate(it.value); !r->problem && js_next(&sub);) {
                review_schema(r, sub.value, found, false);
            }
        } else {
            review_schema(r, it.value, false, false); /* nothing happens to what is no container */
        }
    }
}

const char *link_param_problem(arena *a, js_value schema)
{
    if (!mentions(schema)) return NULL;
    if (schema.raw.n > REVIEW_MOST) return "x-mcp-header in too large a schema";
    review r = {.a = a};
    review_schema(&r, schema, true, true);
    return r.problem;
}

static bool survives(str s)
{
    if (!s.n) return true;
    if (strchr(" \t", s.p[0]) || strchr(" \t", s.p[s.n - 1])) return false;
    if (str_starts(s, S("=?base64?")) && s.n >= 11 && str_eq(str_drop(s, s.n - 2), S("?=")))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\t' && (s.p[i] < 0x20 || s.p[i] > 0x7E)) return false;
    }
    return true;
}

str link_param_encode(arena *a, str text)
{
    if (survives(text)) return text.p ? text : S("");
    str coded = digest_base64(a, text);
    return arena_fmt(a, "=?base64?" STR_FMT "?=", STR_ARG(coded));
}

/* {0}: no header for this argument. */
static str value_of(arena *a, js_value argument)
{
    switch (argument.kind) {
    case JS_TRUE: return S("true");
    case JS_FALSE: return S("false");
    case JS_NUMBER: return argument.raw;
    case JS_STRING: return link_param_encode(a, js_text(a, argument));
    default: return (str){0};
    }
}

static void collect(arena *a, js_value schema, js_value arguments, header *out, size_t *n)
{
    for (js_iter it = js_iterate(js_get(schema, S("properties"))); js_next(&it);) {
        if (!mentions(it.value)) continue;
        js_value argument = js_get(arguments, js_key_text(a, &it));
        js_value name = js_get(it.value, S(ANNOTATION));
        str value = value_of(a, argument);
        if (name.kind == JS_STRING && value.p && *n < LINK_PARAMS_MOST) {
            str text = js_text(a, name);
            out[(*n)++] = (header){arena_fmt(a, "Mcp-Param-" STR_FMT, STR_ARG(text)), value};
        }
        collect(a, it.value, argument, out, n);
    }
}

void link_param_headers(arena *a, js_value schema, js_value arguments, header *out, size_t *n)
{
    if (!mentions(schema)) return;
    size_t found = 0;
    header row[LINK_PARAMS_MOST];
    collect(a, schema, arguments, row, &found);
    for (size_t i = 0; i < found; i++) out[(*n)++] = row[i];
}
