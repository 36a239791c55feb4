/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_define.c - where a var, a rule or an anchor stands. */
#include "lsp_ask.h"

static bool is_name(char c)
{
    return lsp_is_word(c) || c == '-' || c == '.' || c == '/';
}

static const yaml_layout *anchor_of(const yaml_layout *n, str name)
{
    if (!n->alias && str_eq(n->anchor, name)) return n;
    for (const yaml_layout *c = n->first; c; c = c->next) {
        const yaml_layout *found = anchor_of(c, name);
        if (found) return found;
    }
    return NULL;
}

static const yaml_layout *target(const lsp_ask *q)
{
    str text = q->doc->text;
    size_t from = q->offset, to = q->offset;
    while (from && is_name(text.p[from - 1])) from--;
    while (to < text.n && is_name(text.p[to])) to++;
    str name = {text.p + from, to - from};
    if (!q->doc->tree || !name.n) return NULL;
    if (from && text.p[from - 1] == '*' && !lsp_is_expression(&q->where))
        return anchor_of(q->doc->tree, name);
    if (lsp_where_ends(&q->where, "because", true)) {
        const yaml_layout *rule = lsp_rule_by_id(q->doc, name);
        return rule ? lsp_entry(rule, "id") : NULL;
    }
    lsp_chain c = lsp_chain_at(text, q->where.value_at, q->offset);
    if (!lsp_is_expression(&q->where) || !str_eq(c.before, S("vars"))) return NULL;
    const yaml_layout *var = lsp_var(q->doc, c.word);
    return var ? var->key : NULL;
}

void lsp_define(const lsp_ask *q)
{
    const yaml_layout *n = target(q);
    if (!n) {
        (void)buf_put(q->out, S("null"));
        return;
    }
    size_t at = lsp_text_place(q->doc->text, n->line, n->column);
    size_t end = n->end > n->at && n->kind == YAML_SCALAR ? at + (n->end - n->at) : at;
    (void)buf_put(q->out, S("{\"uri\":"));
    (void)buf_json(q->out, q->doc->uri);
    (void)buf_put(q->out, S(",\"range\":"));
    lsp_put_range(q->out, q->doc->text, at, end);
    (void)buf_put(q->out, S("}"));
}
