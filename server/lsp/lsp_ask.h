/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_ask.h - one question about a document, and the functions that answer; private to the server.
 *
 * An answer is one JSON value put to `out`. Questions about broken text are answered from the tree
 * of the last text that was YAML; its offsets may be off by what was typed since. */
#ifndef SP_LSP_ASK_H
#define SP_LSP_ASK_H
#include "../../authz/policy/world.h"
#include "lsp_text.h"
#include "lsp_where.h"

typedef struct lsp_document lsp_document;
struct lsp_document {
    str uri, text;
    int64_t version;
    arena *own;         /* of this struct and the uri */
    arena *memory;      /* of the text */
    arena *tree_memory; /* of the tree and the text it was read from; may be `memory` */
    yaml_layout *tree;  /* NULL: there never was one */
    lsp_document *next;
};

typedef struct {
    arena *a;
    const policy_world *world;
    const lsp_document *doc;
    size_t offset;
    lsp_where where;
    buf *out;
} lsp_ask;

void lsp_hover(const lsp_ask *q);
void lsp_complete(const lsp_ask *q);
void lsp_define(const lsp_ask *q);
void lsp_diagnose(const lsp_ask *q);                    /* the list of diagnostics */
void lsp_fix(const lsp_ask *q, size_t from, size_t to); /* code actions for a range */
void lsp_format(const lsp_ask *q);

/* Writing */
void lsp_put_range(buf *out, str text, size_t from, size_t to);
void lsp_put_edit(buf *out, str text, size_t from, size_t to, str replacement);

/* The document */
const yaml_layout *lsp_entry(const yaml_layout *map, const char *key); /* NULL: none */
const yaml_layout *lsp_rule_at(const lsp_document *doc, size_t offset);
const yaml_layout *lsp_rule_by_id(const lsp_document *doc, str id);
const yaml_layout *lsp_var(const lsp_document *doc, str name);
/* Each var with its type; {0}: its expression is wrong. */
typedef void lsp_var_fn(void *ctx, const yaml_layout *var, str type);
void lsp_each_var(const lsp_ask *q, lsp_var_fn *fn, void *ctx);
/* Does the rule name the tool? A rule that names none names all. */
bool lsp_rule_names(arena *a, const yaml_layout *rule, const policy_tool *tool);
const char *lsp_rule_effect(const yaml_layout *rule, const yaml_layout **names);
bool lsp_is_expression(const lsp_where *w);

/* What keys, facts and their members are for; NULL: nothing is known. */
const char *lsp_key_doc(fmt_role in, str key);
const char *lsp_fact_doc(str name);
#endif
