/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - JSON Schema, as little of it as decides something.
 *
 * Keywords beside those read here (allOf, if, pattern …) can only allow less: what is said stays
 * true. A reference at the root, or another dialect, could mean anything, and says nothing. */
#include "schema.h"
#include "../cel/compare.h"
#include "../cel/json.h"
#include "../question.h"

static bool is_text(js_value v, const char *text)
{
    return js_text_is(v, (str){text, strlen(text)});
}

static bool refers(js_value schema)
{
    return js_get(schema, S("$ref")).kind != JS_ABSENT ||
           js_get(schema, S("$dynamicRef")).kind != JS_ABSENT;
}

static bool is_readable(js_value schema)
{
    js_value dialect = js_get(schema, S("$schema"));
    bool known = dialect.kind == JS_ABSENT ||
                 is_text(dialect, "https://json-schema.org/draft/2020-12/schema") ||
                 is_text(dialect, "https://json-schema.org/draft/2020-12/schema#");
    return schema.kind == JS_OBJECT && known && !refers(schema);
}

/* Values */

static bool is_scalar(js_value v)
{
    return v.kind != JS_ARRAY && v.kind != JS_OBJECT && v.kind != JS_ABSENT;
}

/* A whole number may also be written 1.0, which rules can tell from 1: it is two values. */
static size_t add_value(arena *a, js_value v, cel_value *out)
{
    static const int64_t most = (int64_t)1 << 53;
    out[0] = cel_read_json(a, v);
    if (out[0].tag == CEL_INT && out[0].u.i < most && out[0].u.i > -most) {
        out[1] = (cel_value){.tag = CEL_DOUBLE, .u.d = (double)out[0].u.i};
        return 2;
    }
    bool whole =
        out[0].tag == CEL_DOUBLE && out[0].u.d < (double)most && out[0].u.d > -(double)most &&
        !((double)(int64_t)out[0].u.d < out[0].u.d || (double)(int64_t)out[0].u.d > out[0].u.d);
    if (whole) out[1] = cel_int((int64_t)out[0].u.d);
    return whole ? 2 : 1;
}

static policy_values values_of(arena *a, js_value property)
{
    js_value only = js_get(property, S("const")), list = js_get(property, S("enum"));
    policy_values none = {0};
    cel_value found[2 * SCHEMA_VALUES];
    size_t count = 0, given = 0;
    if (is_scalar(only)) {
        count = add_value(a, only, found);
    } else if (list.kind == JS_ARRAY) {
        for (js_iter it = js_iterate(list); js_next(&it);) {
            if (!is_scalar(it.value) || given++ == SCHEMA_VALUES) return none;
            count += add_value(a, it.value, &found[count]);
        }
    }
    if (!count) return none;
    cel_value *kept = NEW_N(a, cel_value, count);
    for (size_t i = 0; i < count; i++) kept[i] = found[i];
    return (policy_values){kept, count};
}

/* Bounds */

static cel_value number(arena *a, js_value property, str keyword)
{
    js_value v = js_get(property, keyword);
    return v.kind == JS_NUMBER ? cel_read_json(a, v) : (cel_value){0};
}

/* The tighter of a bound that is reached and one that is not. */
static cel_value bound(cel_value reached, cel_value open, cel_ordering tighter, bool *is_open)
{
    *is_open = open.tag != CEL_UNBOUND &&
               (reached.tag == CEL_UNBOUND || cel_order(open, reached) == tighter ||
                cel_order(open, reached) == CEL_SAME);
    return *is_open ? open : reached;
}

static void read_bounds(arena *a, js_value property, cel_hint *h)
{
    h->least = bound(number(a, property, S("minimum")), number(a, property, S("exclusiveMinimum")),
                     CEL_MORE, &h->above);
    h->most = bound(number(a, property, S("maximum")), number(a, property, S("exclusiveMaximum")),
                    CEL_LESS, &h->below);
}

/* The root */

typedef struct {
    arena *a;
    cel_hint hints[SCHEMA_PROPERTIES];
    policy_values values[SCHEMA_PROPERTIES];
    size_t count;
    bool overflown;
} reader;

static void take(reader *r, str name, js_value property, bool closed)
{
    cel_hint h = {.name = name};
    policy_values v = {0};
    if (property.kind == JS_FALSE) h.presence = CEL_ABSENT;
    if (property.kind == JS_OBJECT && !refers(property)) {
        v = values_of(r->a, property);
        read_bounds(r->a, property, &h);
    }
    if (v.count == 1) h.value = v.values[0];
    bool says = closed || v.count || h.least.tag || h.most.tag || h.presence == CEL_ABSENT;
    if (!says) return;
    if (r->count == SCHEMA_PROPERTIES) {
        r->overflown = true;
        return;
    }
    r->values[r->count] = v;
    r->hints[r->count++] = h;
}

static void require(reader *r, str name)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!str_eq(r->hints[i].name, name)) continue;
        if (r->hints[i].presence == CEL_MAYBE) r->hints[i].presence = CEL_PRESENT;
        return;
    }
    if (r->count == SCHEMA_PROPERTIES) return;
    r->values[r->count] = (policy_values){0};
    r->hints[r->count++] = (cel_hint){.name = name, .presence = CEL_PRESENT};
}

static const policy_schema *made(const reader *r, bool closed)
{
    policy_schema *s = NEW(r->a, policy_schema);
    cel_hint *hints = NEW_N(r->a, cel_hint, r->count ? r->count : 1);
    policy_values *values = NEW_N(r->a, policy_values, r->count ? r->count : 1);
    for (size_t i = 0; i < r->count; i++) {
        hints[i] = r->hints[i];
        values[i] = r->values[i];
    }
    s->known = (cel_known){.slot = VAR_ARGS, .members = hints, .count = r->count, .closed = closed};
    s->values = values;
    return s;
}

const policy_schema *policy_schema_read(arena *a, js_value schema)
{
    if (!is_readable(schema)) return NULL;
    reader r = {.a = a};
    js_value properties = js_get(schema, S("properties")), required = js_get(schema, S("required"));
    bool closed = js_get(schema, S("additionalProperties")).kind == JS_FALSE &&
                  js_get(schema, S("patternProperties")).kind == JS_ABSENT;
    if (properties.kind == JS_OBJECT)
        for (js_iter it = js_iterate(properties); js_next(&it);)
            take(&r, js_key_text(a, &it), it.value, closed);
    /* a closed schema allows no argument that it only requires */
    if (required.kind == JS_ARRAY)
        for (js_iter it = js_iterate(required); js_next(&it);)
            if (it.value.kind == JS_STRING) require(&r, js_text(a, it.value));
    closed = closed && !r.overflown;
    return r.count || closed ? made(&r, closed) : NULL;
}
