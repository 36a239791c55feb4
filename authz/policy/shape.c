/* SPDX-License-Identifier: Apache-2.0 */
/* shape.c - JSON Schema, as much of it as says what type a value has. */
#include "shape.h"

enum { DEPTH = 8, FIELDS_MOST = 1000 };

static const struct {
    const char *name;
    cel_type type;
} plain_types[] = {{"string", CEL_T_STRING}, {"int", CEL_T_INT},      {"integer", CEL_T_INT},
                   {"bool", CEL_T_BOOL},     {"boolean", CEL_T_BOOL}, {"double", CEL_T_DOUBLE},
                   {"list", CEL_T_LIST},     {"array", CEL_T_LIST},   {"map", CEL_T_MAP},
                   {"object", CEL_T_MAP}};

static cel_type plain_type(str name)
{
    for (size_t i = 0; i < sizeof plain_types / sizeof *plain_types; i++)
        if (str_eq(name, (str){plain_types[i].name, strlen(plain_types[i].name)}))
            return plain_types[i].type;
    return CEL_T_DYN;
}

static cel_ctype *type_new(arena *a, cel_type kind, js_value schema)
{
    cel_ctype *type = NEW(a, cel_ctype);
    *type = *cel_type_plain(kind);
    if (kind == CEL_T_MAP) type->a = cel_type_plain(CEL_T_STRING);
    if (schema.kind == JS_ABSENT) return type;
    js_value *about = NEW(a, js_value);
    *about = schema;
    type->about = about;
    return type;
}

/* Of an enum without a type: that of its values, when they are of one. */
static cel_type type_of_values(js_value list)
{
    cel_type type = CEL_T_DYN;
    if (list.kind != JS_ARRAY) return type;
    for (js_iter it = js_iterate(list); js_next(&it);) {
        bool flag = it.value.kind == JS_TRUE || it.value.kind == JS_FALSE;
        cel_type one = it.value.kind == JS_STRING ? CEL_T_STRING : flag ? CEL_T_BOOL : CEL_T_DYN;
        if (one == CEL_T_DYN || (type != CEL_T_DYN && one != type)) return CEL_T_DYN;
        type = one;
    }
    return type;
}

static cel_type type_of_schema(js_value schema)
{
    js_value type = js_get(schema, S("type"));
    if (js_get(schema, S("$ref")).kind != JS_ABSENT) return CEL_T_DYN;
    if (js_bool(js_get(schema, S("nullable")), false)) return CEL_T_DYN;
    if (type.kind != JS_STRING) return type_of_values(js_get(schema, S("enum")));
    for (size_t i = 0; i < sizeof plain_types / sizeof *plain_types; i++)
        if (js_text_is(type, (str){plain_types[i].name, strlen(plain_types[i].name)}))
            return plain_types[i].type;
    return CEL_T_DYN;
}

static const cel_ctype *shape_of(arena *a, js_value schema, unsigned depth);

static const cel_field *fields_of(arena *a, js_value properties, unsigned depth)
{
    size_t count = 0, n = 0;
    for (js_iter it = js_iterate(properties); js_next(&it);) count++;
    if (count > FIELDS_MOST) count = FIELDS_MOST;
    cel_field *list = NEW_N(a, cel_field, count + 1);
    for (js_iter it = js_iterate(properties); n < count && js_next(&it);)
        list[n++] = (cel_field){js_key_text(a, &it), shape_of(a, it.value, depth + 1)};
    return list;
}

static const cel_ctype *shape_of(arena *a, js_value schema, unsigned depth)
{
    if (schema.kind != JS_OBJECT || depth > DEPTH) return cel_type_plain(CEL_T_DYN);
    cel_type kind = type_of_schema(schema);
    cel_ctype *type = type_new(a, kind, schema);
    js_value properties = js_get(schema, S("properties"));
    if (kind == CEL_T_MAP && properties.kind == JS_OBJECT)
        type->fields = fields_of(a, properties, depth);
    if (kind == CEL_T_LIST) type->a = shape_of(a, js_get(schema, S("items")), depth + 1);
    return type;
}

const cel_ctype *policy_shape_of_tool(arena *a, const policy_tool *t)
{
    cel_ctype *type = type_new(a, CEL_T_MAP, t->schema);
    if (t->properties.kind == JS_OBJECT) type->fields = fields_of(a, t->properties, 0);
    return type;
}

const cel_ctype *policy_shape_named(arena *a, str type)
{
    js_value none = {0};
    bool list = str_starts(type, S("list(")) && type.p[type.n - 1] == ')';
    if (!list) return type_new(a, plain_type(type), none);
    cel_ctype *made = type_new(a, CEL_T_LIST, none);
    made->a = cel_type_plain(plain_type(str_take(str_drop(type, 5), type.n - 6)));
    return made;
}

const cel_ctype *policy_shape_of_claims(arena *a, const policy_world *w)
{
    static const policy_claim usual[] = {
        {S("iss"), S("string")}, {S("sub"), S("string")}, {S("jti"), S("string")},
        {S("exp"), S("dyn")},    {S("nbf"), S("dyn")},    {S("iat"), S("dyn")},
    };
    enum { USUAL = sizeof usual / sizeof *usual };
    cel_field *fields = NEW_N(a, cel_field, w->claim_count + USUAL + 1);
    size_t n = 0;
    for (; n < w->claim_count; n++)
        fields[n] = (cel_field){w->claims[n].name, policy_shape_named(a, w->claims[n].type)};
    for (size_t i = 0; i < USUAL; i++) /* the first of a name counts */
        fields[n++] = (cel_field){usual[i].name, policy_shape_named(a, usual[i].type)};
    cel_ctype *type = type_new(a, CEL_T_MAP, (js_value){0});
    type->fields = fields;
    return type;
}

js_value policy_shape_schema(const cel_ctype *type)
{
    const js_value *about = type ? cel_type_seen(type)->about : NULL;
    return about ? *about : (js_value){0};
}

bool policy_schema_requires(js_value schema, str property)
{
    js_value required = js_get(schema, S("required"));
    if (required.kind != JS_ARRAY) return false;
    for (js_iter it = js_iterate(required); js_next(&it);)
        if (js_text_is(it.value, property)) return true;
    return false;
}

bool policy_schema_lists(js_value schema)
{
    js_value more = js_get(schema, S("additionalProperties"));
    bool open = more.kind == JS_TRUE || more.kind == JS_OBJECT;
    bool elsewhere = js_get(schema, S("patternProperties")).kind != JS_ABSENT ||
                     js_get(schema, S("$ref")).kind != JS_ABSENT ||
                     js_get(schema, S("allOf")).kind != JS_ABSENT ||
                     js_get(schema, S("anyOf")).kind != JS_ABSENT ||
                     js_get(schema, S("oneOf")).kind != JS_ABSENT;
    return js_get(schema, S("properties")).kind == JS_OBJECT && !open && !elsewhere;
}
