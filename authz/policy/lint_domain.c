/* SPDX-License-Identifier: Apache-2.0 */
/* lint_domain.c - which values a part of an expression can have at all. */
#include "lint_domain.h"
#include "../cel/json.h"

enum { VALUES_MOST = 200 };

static bool enumerate(lint_domain *d, arena *a, const str *list, const char *what)
{
    size_t n = 0;
    while (list[n].p) n++;
    cel_value *values = NEW_N(a, cel_value, n + 1);
    for (size_t i = 0; i < n; i++) values[i] = cel_string(list[i]);
    *d = (lint_domain){.values = values, .count = n, .what = what};
    return n > 0;
}

static bool domain_of_fact(const lint_expr *e, uint32_t slot, lint_domain *d)
{
    static const str kinds[] = {S("jwt"), S("key"), S("cert"), S("anonymous"), {0}};
    static const str verbs[] = {S("GET"), S("POST"), S("DELETE"), S("OPTIONS"), {0}};
    static const str acting[] = {S("tools/call"),
                                 S("resources/read"),
                                 S("resources/subscribe"),
                                 S("prompts/get"),
                                 S("tasks/get"),
                                 S("completion/complete"),
                                 {0}};
    arena *a = e->l->a;
    if (slot == FACT_MCP_METHOD)
        return enumerate(d, a, acting, "mcp.method, which in a list is that of the call,");
    if (slot == FACT_CALLER_KIND) return enumerate(d, a, kinds, "caller.kind");
    if (slot == FACT_HTTP_METHOD) return enumerate(d, a, verbs, "http.method");
    if (!e->tool) return false;
    const str name[] = {e->tool->name, {0}}, server[] = {e->tool->server, {0}};
    if (slot == FACT_TOOL_NAME) return enumerate(d, a, name, "the name of a tool of this rule");
    if (slot == FACT_TOOL_SERVER)
        return enumerate(d, a, server, "the server of a tool of this rule");
    return false;
}

static bool domain_of_call(const cel_node *n, lint_domain *d)
{
    static const struct {
        const char *name;
        double min, max;
    } ranges[] = {{"getHours", 0, 23},         {"getMinutes", 0, 59},
                  {"getSeconds", 0, 59},       {"getMonth", 0, 11},
                  {"getDayOfWeek", 0, 6},      {"getDate", 1, 31},
                  {"getDayOfMonth", 0, 30},    {"getDayOfYear", 0, 365},
                  {"getMilliseconds", 0, 999}, {"size", 0, 9007199254740992.0}};
    for (size_t i = 0; n->kind == NODE_CALL && i < sizeof ranges / sizeof *ranges; i++) {
        if (!str_eq(n->name, (str){ranges[i].name, strlen(ranges[i].name)})) continue;
        bool span = n->count && cel_type_seen(n->kids[0]->type)->kind == CEL_T_DURATION;
        if (span) return false;
        *d = (lint_domain){.has_min = true,
                           .has_max = i + 1 < sizeof ranges / sizeof *ranges,
                           .min = ranges[i].min,
                           .max = ranges[i].max,
                           .what = ranges[i].name};
        return true;
    }
    return false;
}

static bool number_of(js_value v, double *out)
{
    if (v.kind != JS_NUMBER) return false;
    *out = js_double(v);
    return true;
}

static bool domain_of_schema(arena *a, js_value schema, lint_domain *d)
{
    js_value list = js_get(schema, S("enum")), one = js_get(schema, S("const"));
    *d = (lint_domain){.what = "by the schema it"};
    if (list.kind == JS_ARRAY) {
        cel_value *values = NEW_N(a, cel_value, VALUES_MOST);
        for (js_iter it = js_iterate(list); js_next(&it);) {
            if (d->count == VALUES_MOST) return false;
            values[d->count++] = cel_read_json(a, it.value);
        }
        d->values = values;
        return d->count > 0;
    }
    if (one.kind != JS_ABSENT) {
        cel_value *value = NEW(a, cel_value);
        *value = cel_read_json(a, one);
        d->values = value;
        d->count = 1;
        return true;
    }
    d->has_min = number_of(js_get(schema, S("minimum")), &d->min);
    d->has_max = number_of(js_get(schema, S("maximum")), &d->max);
    return d->has_min || d->has_max;
}

bool lint_domain_of(const lint_expr *e, const cel_node *n, lint_domain *d)
{
    if (n->kind == NODE_VAR && n->slot < FACTS && domain_of_fact(e, n->slot, d)) return true;
    if (n->kind == NODE_CALL) return domain_of_call(n, d);
    bool member = n->kind == NODE_SELECT || n->kind == NODE_VAR || n->kind == NODE_LOCAL;
    if (!member || !n->type) return false;
    js_value schema = policy_shape_schema(n->type);
    return schema.kind == JS_OBJECT && domain_of_schema(e->l->a, schema, d);
}

bool lint_number(cel_value v, double *out)
{
    if (v.tag == CEL_INT) *out = (double)v.u.i;
    if (v.tag == CEL_UINT) *out = (double)v.u.u;
    if (v.tag == CEL_DOUBLE) *out = v.u.d;
    return v.tag == CEL_INT || v.tag == CEL_UINT || v.tag == CEL_DOUBLE;
}

bool lint_domain_has(const lint_domain *d, cel_value v)
{
    double x;
    for (size_t i = 0; i < d->count; i++)
        if (cel_equal(d->values[i], v)) return true;
    if (d->values || !lint_number(v, &x)) return !d->values;
    return !(d->has_min && x < d->min) && !(d->has_max && x > d->max);
}

static str text_of(arena *a, cel_value v)
{
    buf b = buf_new(a, 4096);
    json_t *j = cel_to_json(a, v);
    return j ? js_dump(a, j) : buf_str(&b);
}

str lint_domain_text(arena *a, const lint_domain *d)
{
    buf b = buf_new(a, 1024);
    (void)buf_fmt(&b, "%s ", d->what);
    if (d->values) (void)buf_put(&b, d->count > 1 ? S("can be ") : S("can only be "));
    for (size_t i = 0; d->values && i < d->count && i < 6; i++)
        (void)buf_fmt(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(text_of(a, d->values[i])));
    if (d->count > 6) (void)buf_put(&b, S(" …"));
    if (d->values) return buf_str(&b);
    if (d->has_min) (void)buf_fmt(&b, "is at least %.15g", d->min);
    if (d->has_max) (void)buf_fmt(&b, "%s at most %.15g", d->has_min ? " and" : "is", d->max);
    return buf_str(&b);
}

str lint_domain_near(arena *a, const lint_domain *d, cel_value v)
{
    if (v.tag != CEL_STRING) return (str){0};
    str *names = NEW_N(a, str, d->count + 1);
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++)
        if (d->values[i].tag == CEL_STRING && cel_text(d->values[i]).n)
            names[n++] = cel_text(d->values[i]);
    str near = yaml_did_you_mean(cel_text(v), names);
    return near.n ? arena_fmt(a, "did you mean \"" STR_FMT "\"?", STR_ARG(near)) : (str){0};
}
