/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_hover.c - what the thing under the pointer is: a key, a fact, a function, a var, a rule. */
#include "../../authz/cel/docs.h"
#include "../../authz/cel/types.h"
#include "../../authz/policy/facts.h"
#include "lsp_ask.h"

enum { TEXT_MOST = 1 << 16 };

static void put_code(buf *text, str code)
{
    (void)buf_fmt(text, "```cel\n" STR_FMT "\n```\n", STR_ARG(code));
}

static str type_of_fact(str name)
{
    for (size_t i = 0; i < FACTS; i++) {
        cel_variable v = policy_fact_variable(i);
        const char *type = cel_type_name(v.type);
        if (str_eq(v.name, name)) return (str){type, strlen(type)};
    }
    return (str){0};
}

typedef struct {
    const yaml_layout *var;
    str type;
} wanted_var;

static void take_type(void *ctx, const yaml_layout *var, str type)
{
    wanted_var *w = ctx;
    if (var == w->var) w->type = type;
}

static bool put_var(const lsp_ask *q, buf *text, str name)
{
    wanted_var w = {.var = lsp_var(q->doc, name)};
    if (!w.var) return false;
    lsp_each_var(q, take_type, &w);
    put_code(text, arena_fmt(q->a, "vars." STR_FMT ": " STR_FMT "\n= " STR_FMT, STR_ARG(name),
                             STR_ARG(w.type), STR_ARG(w.var->text)));
    return true;
}

/* The argument as each tool the rule names describes it. */
static bool put_argument(const lsp_ask *q, buf *text, str name)
{
    const yaml_layout *rule = lsp_rule_at(q->doc, q->offset);
    bool found = false;
    for (size_t i = 0; i < q->world->tool_count; i++) {
        const policy_tool *t = &q->world->tools[i];
        js_value schema = js_get(t->properties, name);
        if (schema.kind != JS_OBJECT || !lsp_rule_names(q->a, rule, t)) continue;
        str what = policy_schema_text(q->a, schema);
        (void)buf_fmt(text, "`" STR_FMT "` of " STR_FMT "/" STR_FMT ": " STR_FMT "\n\n",
                      STR_ARG(name), STR_ARG(t->server), STR_ARG(t->name), STR_ARG(what));
        found = true;
    }
    return found;
}

static bool put_claim(const lsp_ask *q, buf *text, str name)
{
    for (size_t i = 0; i < q->world->claim_count; i++) {
        const policy_claim *c = &q->world->claims[i];
        if (!str_eq(c->name, name)) continue;
        put_code(text,
                 arena_fmt(q->a, "jwt." STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(c->type)));
        (void)buf_put(text, S("A claim of the token, as the configuration types it."));
        return true;
    }
    return false;
}

static bool put_function(const lsp_ask *q, buf *text, str name)
{
    const cel_doc *doc = cel_doc_find(name);
    if (!doc) return false;
    put_code(text, cel_doc_shape(q->a, doc));
    (void)buf_fmt(text, "%s", doc->text);
    return true;
}

static bool put_fact(const lsp_ask *q, buf *text, str name)
{
    const char *doc = lsp_fact_doc(name);
    if (!doc) return false;
    put_code(text,
             arena_fmt(q->a, STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(type_of_fact(name))));
    (void)buf_fmt(text, "%s", doc);
    return true;
}

static bool put_name(const lsp_ask *q, buf *text, const lsp_chain *c)
{
    str full = c->before.n
                   ? arena_fmt(q->a, STR_FMT "." STR_FMT, STR_ARG(c->before), STR_ARG(c->word))
                   : c->word;
    if (c->after_value) return put_function(q, text, c->word);
    if (str_eq(c->before, S("vars")) && put_var(q, text, c->word)) return true;
    if (str_eq(c->before, S("args")) && put_argument(q, text, c->word)) return true;
    if (str_eq(c->before, S("jwt")) && put_claim(q, text, c->word)) return true;
    if (str_eq(full, S("this")) && q->where.depth &&
        put_argument(q, text, q->where.path[q->where.depth - 1]))
        return true;
    return put_fact(q, text, full) || put_function(q, text, full) ||
           (c->before.n && put_function(q, text, c->word));
}

static bool put_rule(const lsp_ask *q, buf *text, str id)
{
    const yaml_layout *rule = lsp_rule_by_id(q->doc, id), *names;
    const char *effect = rule ? lsp_rule_effect(rule, &names) : NULL;
    if (!effect) return false;
    const yaml_layout *when = lsp_entry(rule, "when"), *message = lsp_entry(rule, "message");
    str what = names->kind == YAML_SCALAR ? names->text : S("…");
    if (names->kind != YAML_SCALAR && names->end > names->at && names->flow)
        what = str_take(str_drop(q->doc->text, names->at), names->end - names->at);
    put_code(text, arena_fmt(q->a, "%s " STR_FMT "%s" STR_FMT, effect, STR_ARG(what),
                             when ? "\nwhen " : "", STR_ARG(when ? when->text : (str){0})));
    if (message) (void)buf_put(text, message->text);
    return true;
}

static bool put_key(const lsp_ask *q, buf *text, str key)
{
    const char *doc = lsp_key_doc(q->where.role, key);
    if (doc) (void)buf_fmt(text, "`" STR_FMT "`: %s", STR_ARG(key), doc);
    return doc || (q->where.role == FMT_ARGS && put_argument(q, text, key)) ||
           (q->where.role == FMT_VARS && put_var(q, text, key));
}

/* A scalar of YAML: from a blank or bracket to the next. */
static str item_at(str text, size_t offset)
{
    static const char ends[] = " \t\r\n,[]{}'\"";
    size_t from = offset, to = offset;
    while (from && !strchr(ends, text.p[from - 1])) from--;
    while (to < text.n && !strchr(ends, text.p[to])) to++;
    return (str){text.p + from, to - from};
}

void lsp_hover(const lsp_ask *q)
{
    buf text = buf_new(q->a, TEXT_MOST);
    lsp_chain c = lsp_chain_at(q->doc->text, q->where.value_at, q->offset);
    bool found = false;
    if (q->where.in_key)
        found = put_key(q, &text,
                        (str){q->doc->text.p + lsp_word_start(q->doc->text, q->offset),
                              lsp_word_end(q->doc->text, q->offset) -
                                  lsp_word_start(q->doc->text, q->offset)});
    else if (lsp_is_expression(&q->where))
        found = c.word.n && put_name(q, &text, &c);
    else if (lsp_where_ends(&q->where, "because", true))
        found = put_rule(q, &text, item_at(q->doc->text, q->offset));
    if (!found || !text.n) {
        (void)buf_put(q->out, S("null"));
        return;
    }
    (void)buf_put(q->out, S("{\"contents\":{\"kind\":\"markdown\",\"value\":"));
    (void)buf_json(q->out, buf_str(&text));
    (void)buf_put(q->out, S("}}"));
}
