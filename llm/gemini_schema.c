/* SPDX-License-Identifier: Apache-2.0 */
/* gemini_schema.c - JSON Schema for models before 2.5, which read a subset of OpenAPI's.
 *
 * References are inlined, since that subset has none: so the depth is bounded (a cycle) and so is
 * the number of schemas made (two references to the next, a hundred times, would be 2^100).
 * What the subset has no word for is left out and named as a loss. */
#include "gemini.h"

enum { DEPTH_MOST = 100, SCHEMAS_MOST = 20000, KEY_MOST = 64 };

typedef struct {
    arena *a;
    llm_loss *l;
    js_value root;
    size_t made;
} conversion;

static const err *convert(conversion *k, js_value schema, unsigned depth, jnode *out);

static bool is_one_of(str key, const char *const *names)
{
    for (; *names; names++)
        if (str_eq(key, (str){*names, strlen(*names)})) return true;
    return false;
}

/* "#/$defs/User" */
static js_value resolve(conversion *k, str ref)
{
    js_value at = k->root;
    if (!str_starts(ref, S("#/"))) return (js_value){0};
    str rest = str_drop(ref, 2);
    bool more = true;
    while (more) {
        str_pair cut = str_cut(rest, '/');
        at = js_get(at, cut.head);
        rest = cut.tail;
        more = cut.ok;
    }
    return at;
}

static const err *put_inner(conversion *k, const char *key, js_value schema, unsigned depth,
                            jnode *out)
{
    jnode *inner = jn_object(k->a);
    jn_set(out, key, inner);
    return convert(k, schema, depth + 1, inner);
}

static const err *put_properties(conversion *k, js_value properties, unsigned depth, jnode *out)
{
    jnode *all = jn_object(k->a);
    jn_set(out, "properties", all);
    for (js_iter it = js_iterate(properties); js_next(&it);) {
        jnode *one = jn_object(k->a);
        jn_set_key(all, js_key_text(k->a, &it), one);
        const err *e = convert(k, it.value, depth + 1, one);
        if (e) return e;
    }
    return NULL;
}

static bool is_null_type(js_value schema)
{
    return js_text_is(js_get(schema, S("type")), S("null"));
}

/* A null among the alternatives is what `nullable` says. */
static const err *put_alternatives(conversion *k, js_value list, unsigned depth, jnode *out)
{
    jnode *all = jn_array(k->a);
    for (js_iter it = js_elements(list); js_next(&it);) {
        if (is_null_type(it.value)) {
            jn_set(out, "nullable", jn_bool(k->a, true));
            continue;
        }
        jnode *one = jn_object(k->a);
        jn_add(all, one);
        const err *e = convert(k, it.value, depth + 1, one);
        if (e) return e;
    }
    jn_set(out, "anyOf", all);
    return NULL;
}

/* "string", or ["string", "null"] */
static const err *put_type(conversion *k, js_value type, jnode *out)
{
    js_value only = type;
    size_t others = 0;
    for (js_iter it = js_iterate(type); js_next(&it);) {
        if (js_text_is(it.value, S("null"))) {
            jn_set(out, "nullable", jn_bool(k->a, true));
            continue;
        }
        only = it.value;
        others++;
    }
    if (only.kind != JS_STRING || others > 1)
        return err_new(k->a, ERR_UNSUPPORTED,
                       "this model takes no schema whose `type` is a list of several");
    jn_set(out, "type", jn_raw(k->a, only.raw));
    return NULL;
}

static const err *put_all_of(conversion *k, js_value list, unsigned depth, jnode *out)
{
    js_iter it = js_elements(list), rest;
    if (!js_next(&it)) return NULL;
    rest = it;
    if (js_next(&rest))
        return err_new(k->a, ERR_UNSUPPORTED, "this model takes no schema with `allOf` of several");
    return convert(k, it.value, depth + 1, out);
}

static const err *put_keyword(conversion *k, const js_iter *it, unsigned depth, jnode *out)
{
    static const char *const kept[] =
        {"default",       "description",      "enum",      "example",
         "format",        "maxItems",         "maxLength", "maxProperties",
         "maximum",       "minItems",         "minLength", "minimum",
         "minProperties", "nullable",         "pattern",   "required",
         "title",         "propertyOrdering", NULL};
    static const char *const silent[] = {"$schema",     "$id",      "$defs",
                                         "definitions", "$comment", NULL};
    str key = it->key;
    if (str_eq(key, S("properties"))) return put_properties(k, it->value, depth, out);
    if (str_eq(key, S("items"))) return put_inner(k, "items", it->value, depth, out);
    if (str_eq(key, S("type"))) return put_type(k, it->value, out);
    if (str_eq(key, S("allOf"))) return put_all_of(k, it->value, depth, out);
    if (str_eq(key, S("anyOf")) || str_eq(key, S("oneOf")))
        return put_alternatives(k, it->value, depth, out);
    if (str_eq(key, S("const"))) {
        jnode *only = jn_array(k->a);
        jn_add(only, jn_raw(k->a, it->value.raw));
        jn_set(out, "enum", only);
    } else if (is_one_of(key, kept)) {
        jn_set_key(out, key, jn_raw(k->a, it->value.raw));
    } else if (!is_one_of(key, silent)) {
        loss_add(k->l, arena_fmt(k->a, "schema." STR_FMT, STR_ARG(str_take(key, KEY_MOST))).p);
    }
    return NULL;
}

static const err *convert(conversion *k, js_value schema, unsigned depth, jnode *out)
{
    if (depth > DEPTH_MOST || ++k->made > SCHEMAS_MOST)
        return err_new(k->a, ERR_UNSUPPORTED,
                       "the schema is too deep or refers to itself, which this model cannot read");
    if (schema.kind != JS_OBJECT)
        return err_new(k->a, ERR_MALFORMED, "a schema must be a JSON object");
    js_value ref = js_get(schema, S("$ref"));
    if (ref.kind == JS_STRING) {
        js_value found = resolve(k, js_text(k->a, ref));
        if (found.kind == JS_ABSENT)
            return err_new(k->a, ERR_MALFORMED,
                           "the schema refers to '" STR_FMT "', which is not there",
                           STR_ARG(str_take(js_text(k->a, ref), 200)));
        return convert(k, found, depth + 1, out);
    }
    for (js_iter it = js_iterate(schema); js_next(&it);) {
        const err *e = put_keyword(k, &it, depth, out);
        if (e) return e;
    }
    return NULL;
}

const err *gemini_schema(arena *a, js_value schema, llm_loss *l, jnode **out)
{
    conversion k = {.a = a, .l = l, .root = schema};
    *out = jn_object(a);
    return convert(&k, schema, 0, *out);
}
