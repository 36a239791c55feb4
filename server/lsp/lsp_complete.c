/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_complete.c - what may stand at a place: keys, values of keys, names in expressions.
 *
 * The editor filters by what was typed; so all that is possible is given, up to a bound, and each
 * item replaces the word around the place. */
#include "../../authz/cel/docs.h"
#include "../../authz/cel/types.h"
#include "../../authz/policy/facts.h"
#include "lsp_ask.h"

enum { ITEMS_MOST = 500 };

/* The protocol's CompletionItemKind. */
typedef enum {
    ITEM_METHOD = 2,
    ITEM_FUNCTION = 3,
    ITEM_FIELD = 5,
    ITEM_VARIABLE = 6,
    ITEM_PROPERTY = 10,
    ITEM_VALUE = 12,
    ITEM_KEYWORD = 14,
    ITEM_REFERENCE = 18
} item_kind;

typedef struct {
    const lsp_ask *q;
    size_t from, to; /* what an item replaces */
    str range;       /* the same, as JSON */
    size_t count;
} list;

static void offer(list *l, item_kind kind, str label, str insert, str detail, const char *doc)
{
    buf *out = l->q->out;
    if (l->count >= ITEMS_MOST) return;
    (void)buf_put(out, l->count++ ? S(",{\"label\":") : S("{\"label\":"));
    (void)buf_json(out, label);
    (void)buf_fmt(out, ",\"kind\":%d,\"textEdit\":{\"range\":" STR_FMT ",\"newText\":", (int)kind,
                  STR_ARG(l->range));
    (void)buf_json(out, insert);
    (void)buf_put(out, S("}"));
    if (detail.n) {
        (void)buf_put(out, S(",\"detail\":"));
        (void)buf_json(out, detail);
    }
    if (doc) {
        (void)buf_put(out, S(",\"documentation\":"));
        (void)buf_json(out, (str){doc, strlen(doc)});
    }
    (void)buf_put(out, S("}"));
}

static str view(const char *s)
{
    return (str){s, strlen(s)};
}

/* Names in expressions */

/* Members of the fact or group of facts: "tool", or {0} for the roots. */
static void offer_facts(list *l, str of)
{
    for (size_t i = 0; i < FACTS; i++) {
        cel_variable v = policy_fact_variable(i);
        str rest = v.name;
        if (of.n) {
            bool member = str_starts(rest, of) && rest.n > of.n && rest.p[of.n] == '.';
            if (!member) continue;
            rest = str_drop(rest, of.n + 1);
        }
        if (str_cut(rest, '.').ok) continue;
        str label = arena_dup(l->q->a, rest);
        offer(l, of.n ? ITEM_FIELD : ITEM_VARIABLE, label, label, view(cel_type_name(v.type)),
              lsp_fact_doc(v.name));
    }
}

static void offer_var(void *ctx, const yaml_layout *var, str type)
{
    list *l = ctx;
    offer(l, ITEM_VARIABLE, var->key->text, var->key->text, type, arena_dup(l->q->a, var->text).p);
}

static void offer_claims(list *l)
{
    for (size_t i = 0; i < l->q->world->claim_count; i++) {
        const policy_claim *c = &l->q->world->claims[i];
        offer(l, ITEM_FIELD, c->name, c->name, c->type, NULL);
    }
}

/* Arguments of the tools the rule names; as keys they get a colon. */
static void offer_arguments(list *l, bool as_keys)
{
    const lsp_ask *q = l->q;
    const yaml_layout *rule = lsp_rule_at(q->doc, q->offset);
    for (size_t i = 0; i < q->world->tool_count; i++) {
        const policy_tool *t = &q->world->tools[i];
        if (!lsp_rule_names(q->a, rule, t)) continue;
        for (js_iter it = js_iterate(t->properties); js_next(&it);) {
            str name = it.key, insert = name;
            if (as_keys) insert = arena_fmt(q->a, STR_FMT ": ", STR_ARG(name));
            str what = policy_schema_text(q->a, it.value);
            offer(l, ITEM_PROPERTY, name, insert,
                  arena_fmt(q->a, STR_FMT "/" STR_FMT, STR_ARG(t->server), STR_ARG(t->name)),
                  arena_dup(q->a, what).p);
        }
    }
}

static bool is_global(const cel_doc *d)
{
    uint16_t rows = 0;
    const cel_function *f = cel_function_find(view(d->name), &rows);
    bool global = d->shape && !d->receiver;
    for (uint16_t i = 0; f && i < rows; i++) global |= (f[i].styles & CEL_GLOBAL) != 0;
    return global;
}

/* What is called on a value. */
static void offer_methods(list *l)
{
    for (const cel_doc *d = cel_docs; d->name; d++)
        if (d->receiver)
            offer(l, ITEM_METHOD, view(d->name), view(d->name), cel_doc_shape(l->q->a, d), d->text);
}

/* Of the namespace ("math"), or {0}: those that stand alone. */
static void offer_functions(list *l, str of)
{
    for (const cel_doc *d = cel_docs; d->name; d++) {
        str_pair cut = str_cut(view(d->name), '.');
        bool fits = cut.ok ? of.n && str_eq(cut.head, of) : !of.n;
        if (!fits || !is_global(d)) continue;
        str label = cut.ok ? cut.tail : cut.head;
        offer(l, ITEM_FUNCTION, label, label, cel_doc_shape(l->q->a, d), d->text);
    }
}

static void offer_namespaces(list *l)
{
    static const char *const names[] = {"math",   "optional", "lists", "sets",
                                        "base64", "strings",  "cel"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        offer(l, ITEM_KEYWORD, view(names[i]), view(names[i]), S("functions"), NULL);
}

static void complete_expression(list *l)
{
    const lsp_ask *q = l->q;
    lsp_chain c = lsp_chain_at(q->doc->text, q->where.value_at, q->offset);
    if (!c.before.n && !c.after_value) {
        offer_facts(l, (str){0});
        offer_functions(l, (str){0});
        offer_namespaces(l);
        offer(l, ITEM_KEYWORD, S("true"), S("true"), (str){0}, NULL);
        offer(l, ITEM_KEYWORD, S("false"), S("false"), (str){0}, NULL);
        return;
    }
    if (str_eq(c.before, S("vars"))) lsp_each_var(q, offer_var, l);
    if (str_eq(c.before, S("args"))) offer_arguments(l, false);
    if (str_eq(c.before, S("jwt"))) offer_claims(l);
    if (c.before.n) {
        offer_facts(l, c.before);
        offer_functions(l, c.before);
    }
    offer_methods(l);
}

/* Keys and values */

static void complete_key(list *l)
{
    const lsp_ask *q = l->q;
    static const char *const all[] = {"policy",      "name",        "description", "default",
                                      "vars",        "rules",       "tests",       "id",
                                      "permit",      "forbid",      "require",     "when",
                                      "scopes",      "args",        "other_args",  "message",
                                      "note",        "in",          "is",          "optional",
                                      "as",          "call",        "list",        "llm",
                                      "read",        "prompt",      "endpoint",    "headers",
                                      "annotations", "now",         "ip",          "expect",
                                      "because",     "expect_tools"};
    if (q->where.role == FMT_ARGS) offer_arguments(l, true);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *doc = lsp_key_doc(q->where.role, view(all[i]));
        if (doc)
            offer(l, ITEM_PROPERTY, view(all[i]), arena_fmt(q->a, "%s: ", all[i]), (str){0}, doc);
    }
    if (!lsp_where_ends(&q->where, "permit", false) &&
        !lsp_where_ends(&q->where, "forbid", false) && !lsp_where_ends(&q->where, "require", false))
        return;
    static const char *const kinds[] = {"tools", "resources", "prompts", "models", "endpoints"};
    for (size_t i = 0; i < 5; i++)
        offer(l, ITEM_PROPERTY, view(kinds[i]), arena_fmt(q->a, "%s: ", kinds[i]), (str){0}, NULL);
}

static void offer_tools(list *l, bool globs)
{
    const policy_world *w = l->q->world;
    for (size_t i = 0; i < w->tool_count; i++) {
        const policy_tool *t = &w->tools[i];
        bool first = !i || !str_eq(w->tools[i - 1].server, t->server);
        if (globs && first) {
            str all = arena_fmt(l->q->a, STR_FMT "/*", STR_ARG(t->server));
            offer(l, ITEM_VALUE, all, all, S("all tools of the server"), NULL);
        }
        str name = arena_fmt(l->q->a, STR_FMT "/" STR_FMT, STR_ARG(t->server), STR_ARG(t->name));
        offer(l, ITEM_VALUE, name, name, (str){0},
              t->description.n ? arena_dup(l->q->a, t->description).p : NULL);
    }
}

static void offer_servers(list *l)
{
    const policy_world *w = l->q->world;
    for (size_t i = 0; i < w->tool_count; i++)
        if (!i || !str_eq(w->tools[i - 1].server, w->tools[i].server))
            offer(l, ITEM_VALUE, w->tools[i].server, w->tools[i].server, S("a server"), NULL);
}

static void offer_rules(list *l)
{
    const yaml_layout *rules = lsp_entry(l->q->doc->tree, "rules");
    for (const yaml_layout *r = rules ? rules->first : NULL; r; r = r->next) {
        const yaml_layout *id = lsp_entry(r, "id"), *names;
        const char *effect = lsp_rule_effect(r, &names);
        if (id && id->text.n)
            offer(l, ITEM_REFERENCE, id->text, id->text, effect ? view(effect) : (str){0}, NULL);
    }
}

static void complete_value(list *l)
{
    static const struct {
        const char *key, *values[3];
    } fixed[] = {{"expect", {"permit", "deny"}},
                 {"default", {"deny"}},
                 {"policy", {"v1"}},
                 {"other_args", {"deny", "allow"}},
                 {"optional", {"true", "false"}}};
    const lsp_where *w = &l->q->where;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        for (size_t k = 0; lsp_where_ends(w, fixed[i].key, false) && fixed[i].values[k]; k++)
            offer(l, ITEM_VALUE, view(fixed[i].values[k]), view(fixed[i].values[k]), (str){0},
                  NULL);
    bool names = lsp_where_ends(w, "permit", true) || lsp_where_ends(w, "forbid", true) ||
                 lsp_where_ends(w, "require", true) || lsp_where_ends(w, "tools", true);
    if (names) offer_tools(l, true);
    if (lsp_where_ends(w, "call", false)) offer_tools(l, false);
    if (lsp_where_ends(w, "list", false)) offer_servers(l);
    if (lsp_where_ends(w, "because", true)) offer_rules(l);
}

static bool is_item(char c)
{
    return lsp_is_word(c) || c == '-' || c == '/' || c == '*' || c == '?' || c == '.';
}

void lsp_complete(const lsp_ask *q)
{
    str text = q->doc->text;
    bool expression = lsp_is_expression(&q->where);
    list l = {.q = q, .from = q->offset, .to = q->offset};
    while (l.from > 0 && (expression || q->where.in_key ? lsp_is_word(text.p[l.from - 1])
                                                        : is_item(text.p[l.from - 1])))
        l.from--;
    if (!q->where.in_key && l.from < q->where.value_at) l.from = q->where.value_at;
    buf range = buf_new(q->a, 256);
    lsp_put_range(&range, text, l.from, l.to);
    l.range = buf_str(&range);
    (void)buf_put(q->out, S("{\"isIncomplete\":false,\"items\":["));
    if (q->where.in_key)
        complete_key(&l);
    else if (expression)
        complete_expression(&l);
    else
        complete_value(&l);
    (void)buf_put(q->out, S("]}"));
}
