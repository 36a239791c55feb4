/* SPDX-License-Identifier: Apache-2.0 */
/* annotate.c - a list of small edits to a text that otherwise passes as it is.
 *
 * Numbers of a schema are not printed anew unless they are replaced: 1.0 and 1e3 stay what they
 * were. A keyword that is there is replaced only by a tighter one; what is not as a schema should
 * be (a description that is no text) is left alone. */
#include "annotate.h"
#include "../authz/cel/compare.h"
#include "../authz/cel/json.h"

enum { EDITS_EACH = 8, EDITS_MORE = 8 };

typedef struct {
    const char *at;
    size_t cut;
    str put;
} edit;

typedef struct {
    arena *a;
    edit *list;
    size_t count;
} editor;

static void change(editor *e, str old, str put)
{
    size_t i = e->count++;
    for (; i > 0 && e->list[i - 1].at > old.p; i--) e->list[i] = e->list[i - 1];
    e->list[i] = (edit){old.p, old.n, put};
}

static str applied(const editor *e, str text)
{
    buf b = buf_new(e->a, SIZE_MAX / 2);
    const char *from = text.p, *end = text.p + text.n;
    for (size_t i = 0; i < e->count; i++) {
        buf_put(&b, (str){from, (size_t)(e->list[i].at - from)});
        buf_put(&b, e->list[i].put);
        from = e->list[i].at + e->list[i].cut;
    }
    buf_put(&b, (str){from, (size_t)(end - from)});
    return buf_str(&b);
}

/* Before the last byte of a container or of a string. */
static void insert(editor *e, js_value into, str put)
{
    change(e, (str){into.raw.p + into.raw.n - 1, 0}, put);
}

static str quoted(arena *a, str text)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    buf_json(&b, text);
    return buf_str(&b);
}

static str number(arena *a, cel_value v)
{
    return js_dump(a, cel_to_json(a, v));
}

/* Members that an object did not have, each with a comma before it. */
static void put_member(buf *added, const char *key, str value)
{
    (void)buf_fmt(added, ",\"%s\":", key);
    buf_put(added, value);
}

static void insert_members(editor *e, js_value object, const buf *added)
{
    js_iter it = js_iterate(object);
    if (added->n) insert(e, object, str_drop(buf_str(added), js_next(&it) ? 0 : 1));
}

/* Descriptions */

static void describe(editor *e, js_value object, str text, buf *added)
{
    js_value old = js_get(object, S("description"));
    str json = quoted(e->a, text), inside = str_take(str_drop(json, 1), json.n - 2);
    if (old.kind == JS_ABSENT)
        put_member(added, "description", json);
    else if (old.kind == JS_STRING)
        insert(e, old, arena_fmt(e->a, "%s" STR_FMT, old.raw.n > 2 ? " " : "", STR_ARG(inside)));
}

static str joined(arena *a, const char *head, const str *parts, const char *between)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    (void)buf_fmt(&b, "%s", head);
    for (size_t i = 0; parts[i].p; i++) {
        if (i) (void)buf_fmt(&b, "%s", between);
        buf_put(&b, parts[i]);
    }
    return buf_str(&b);
}

/* Properties */

static bool allowed(const policy_narrowing *n, cel_value v)
{
    for (size_t i = 0; i < n->value_count; i++)
        if (cel_equal(n->values[i], v)) return true;
    return false;
}

static void cut_enum(editor *e, js_value old, const policy_narrowing *n)
{
    buf b = buf_new(e->a, SIZE_MAX / 2);
    size_t kept = 0, dropped = 0;
    for (js_iter it = js_iterate(old); js_next(&it);) {
        if (!allowed(n, cel_read_json(e->a, it.value))) {
            dropped++;
            continue;
        }
        (void)buf_put(&b, kept++ ? S(",") : S("["));
        buf_put(&b, it.value.raw);
    }
    buf_put(&b, S("]"));
    if (kept && dropped) change(e, old.raw, buf_str(&b));
}

static void narrow_values(editor *e, js_value property, const policy_narrowing *n, buf *added)
{
    js_value old = js_get(property, S("enum"));
    if (!n->value_count) return;
    if (old.kind == JS_ARRAY) cut_enum(e, old, n);
    if (old.kind != JS_ABSENT || js_get(property, S("const")).kind != JS_ABSENT) return;
    if (n->value_count == 1) {
        put_member(added, "const", number(e->a, n->values[0]));
        return;
    }
    buf b = buf_new(e->a, SIZE_MAX / 2);
    for (size_t i = 0; i < n->value_count; i++) {
        buf_put(&b, i ? S(",") : S("["));
        buf_put(&b, number(e->a, n->values[i]));
    }
    buf_put(&b, S("]"));
    put_member(added, "enum", buf_str(&b));
}

static void narrow_bound(editor *e, js_value property, const char *key, cel_value v,
                         cel_ordering tighter, buf *added)
{
    js_value old = js_get(property, (str){key, strlen(key)});
    if (old.kind == JS_ABSENT)
        put_member(added, key, number(e->a, v));
    else if (old.kind == JS_NUMBER && cel_order(v, cel_read_json(e->a, old)) == tighter)
        change(e, old.raw, number(e->a, v));
}

static void narrow_property(editor *e, js_value property, const policy_narrowing *n)
{
    buf added = buf_new(e->a, SIZE_MAX / 2);
    if (property.kind != JS_OBJECT) return;
    if (n->has_values) narrow_values(e, property, n, &added);
    if (n->least.tag)
        narrow_bound(e, property, n->above ? "exclusiveMinimum" : "minimum", n->least, CEL_MORE,
                     &added);
    if (n->most.tag)
        narrow_bound(e, property, n->below ? "exclusiveMaximum" : "maximum", n->most, CEL_LESS,
                     &added);
    if (n->sentences[0].p)
        describe(e, property, joined(e->a, "Gateway: ", n->sentences, "; "), &added);
    insert_members(e, property, &added);
}

/* The root */

static bool has_text(js_value list, str text)
{
    for (js_iter it = js_iterate(list); js_next(&it);)
        if (js_text_is(it.value, text)) return true;
    return false;
}

static void demand_arguments(editor *e, js_value schema, const policy_overlay *o, buf *added)
{
    js_value old = js_get(schema, S("required"));
    buf names = buf_new(e->a, SIZE_MAX / 2);
    js_iter it = js_iterate(old);
    bool any = old.kind == JS_ARRAY && js_next(&it);
    for (size_t i = 0; i < o->count; i++) {
        if (!o->arguments[i].there || has_text(old, o->arguments[i].argument)) continue;
        if (any) buf_put(&names, S(","));
        any = true;
        buf_json(&names, o->arguments[i].argument);
    }
    if (!names.n) return;
    if (old.kind == JS_ARRAY)
        insert(e, old, buf_str(&names));
    else if (old.kind == JS_ABSENT)
        put_member(added, "required", arena_fmt(e->a, "[" STR_FMT "]", STR_ARG(buf_str(&names))));
}

/* Only where the schema knows all that may be given: else it would refuse what is permitted. */
static void close(editor *e, js_value schema, const policy_overlay *o, buf *added)
{
    js_value old = js_get(schema, S("additionalProperties"));
    for (const str *name = o->named; name->p; name++)
        if (js_get(js_get(schema, S("properties")), *name).kind == JS_ABSENT) return;
    if (old.kind == JS_ABSENT)
        put_member(added, "additionalProperties", S("false"));
    else if (old.kind != JS_FALSE)
        change(e, old.raw, S("false"));
}

static void say_named(editor *e, js_value tool, const policy_overlay *o)
{
    buf added = buf_new(e->a, SIZE_MAX / 2);
    str text = o->named->p ? joined(e->a, "Gateway: no arguments but ", o->named, ", ")
                           : S("Gateway: no arguments");
    describe(e, tool, text, &added);
    insert_members(e, tool, &added);
}

/* Since draft 6 the keywords written here mean the same; the oldest are left alone, and so is a
 * root that is elsewhere. Most servers of today name draft 7. */
static bool can_be_narrowed(arena *a, js_value schema)
{
    static const str dialects[] = {S("//json-schema.org/draft-06/schema"),
                                   S("//json-schema.org/draft-07/schema"),
                                   S("//json-schema.org/draft/2019-09/schema"),
                                   S("//json-schema.org/draft/2020-12/schema")};
    js_value named = js_get(schema, S("$schema"));
    if (schema.kind != JS_OBJECT || js_get(schema, S("$ref")).kind != JS_ABSENT) return false;
    if (named.kind == JS_ABSENT) return true;
    str_pair cut = str_cut(js_text(a, named), ':');
    str name = cut.ok ? cut.tail : S("");
    if (name.n && name.p[name.n - 1] == '#') name.n--;
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (str_eq(name, dialects[i])) return true;
    return false;
}

str annotate_tool(arena *a, str item, const policy_overlay *o)
{
    js_value tool = js_view(JS_OBJECT, item), schema = js_get(tool, S("inputSchema"));
    editor e = {.a = a, .list = NEW_N(a, edit, o->count * EDITS_EACH + EDITS_MORE)};
    buf added = buf_new(a, SIZE_MAX / 2);
    if (!can_be_narrowed(a, schema)) return item;
    js_value properties = js_get(schema, S("properties"));
    for (size_t i = 0; i < o->count; i++)
        narrow_property(&e, js_get(properties, o->arguments[i].argument), &o->arguments[i]);
    demand_arguments(&e, schema, o, &added);
    if (o->only_named) close(&e, schema, o, &added);
    insert_members(&e, schema, &added);
    if (o->only_named) say_named(&e, tool, o);
    return e.count ? applied(&e, item) : item;
}
