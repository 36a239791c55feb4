/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_ask.c - what the answers share: ranges in JSON, and the way about the document's tree. */
#include "lsp_ask.h"
#include "../../authz/policy/facts.h"
#include "../../authz/policy/policy.h"

enum { VARS_MOST = 1000 };

void lsp_put_range(buf *out, str text, size_t from, size_t to)
{
    lsp_position a = lsp_text_position(text, from), b = lsp_text_position(text, to);
    (void)
        buf_fmt(out,
                "{\"start\":{\"line\":%u,\"character\":%u},\"end\":{\"line\":%u,\"character\":%u}}",
                a.line, a.character, b.line, b.character);
}

void lsp_put_edit(buf *out, str text, size_t from, size_t to, str replacement)
{
    (void)buf_put(out, S("{\"range\":"));
    lsp_put_range(out, text, from, to);
    (void)buf_put(out, S(",\"newText\":"));
    (void)buf_json(out, replacement);
    (void)buf_put(out, S("}"));
}

const yaml_layout *lsp_entry(const yaml_layout *map, const char *key)
{
    if (!map || map->kind != YAML_MAP) return NULL;
    for (const yaml_layout *c = map->first; c; c = c->next)
        if (str_eq(c->key->text, (str){key, strlen(key)})) return c;
    return NULL;
}

static const yaml_layout *first_rule(const lsp_document *doc)
{
    const yaml_layout *rules = lsp_entry(doc->tree, "rules");
    return rules && rules->kind == YAML_LIST ? rules->first : NULL;
}

const yaml_layout *lsp_rule_at(const lsp_document *doc, size_t offset)
{
    const yaml_layout *found = NULL;
    for (const yaml_layout *r = first_rule(doc); r && r->at <= offset; r = r->next) found = r;
    return found;
}

const yaml_layout *lsp_rule_by_id(const lsp_document *doc, str id)
{
    for (const yaml_layout *r = first_rule(doc); r; r = r->next) {
        const yaml_layout *n = lsp_entry(r, "id");
        if (n && str_eq(n->text, id)) return r;
    }
    return NULL;
}

const yaml_layout *lsp_var(const lsp_document *doc, str name)
{
    const yaml_layout *vars = lsp_entry(doc->tree, "vars");
    if (!vars || vars->kind != YAML_MAP) return NULL;
    for (const yaml_layout *c = vars->first; c; c = c->next)
        if (str_eq(c->key->text, name)) return c;
    return NULL;
}

/* A var may use those above it, so they are compiled in their order. */
void lsp_each_var(const lsp_ask *q, lsp_var_fn *fn, void *ctx)
{
    arena *a = q->a;
    const cel_options options = {.zones = q->world->zones ? *q->world->zones : (cel_zones){0}};
    cel_variable *names = NEW_N(a, cel_variable, FACTS + VARS_MOST);
    size_t count = FACTS;
    for (size_t i = 0; i < FACTS; i++) names[i] = policy_fact_variable(i);
    names[FACT_THIS].name = (str){0};
    const yaml_layout *vars = lsp_entry(q->doc->tree, "vars");
    if (!vars || vars->kind != YAML_MAP) return;
    for (const yaml_layout *v = vars->first; v && count < FACTS + VARS_MOST; v = v->next) {
        cel_program *program = NULL;
        const cel_env env = {names, count};
        const cel_problem *wrong = cel_compile_with(a, v->text, &env, &options, &program);
        fn(ctx, v, wrong ? (str){0} : cel_result_type_text(a, program));
        names[count++] = (cel_variable){arena_fmt(a, "vars." STR_FMT, STR_ARG(v->key->text)),
                                        wrong ? CEL_T_DYN : cel_result_type(program)};
    }
}

const char *lsp_rule_effect(const yaml_layout *rule, const yaml_layout **names)
{
    static const char *const effects[] = {"permit", "forbid", "require"};
    for (size_t i = 0; i < 3; i++) {
        *names = lsp_entry(rule, effects[i]);
        if (*names) return effects[i];
    }
    return NULL;
}

bool lsp_rule_names(arena *a, const yaml_layout *rule, const policy_tool *tool)
{
    const yaml_layout *names = NULL;
    if (!rule || !lsp_rule_effect(rule, &names)) return true;
    if (names->kind == YAML_MAP) names = lsp_entry(names, "tools");
    if (!names) return false;
    str full = arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(tool->server), STR_ARG(tool->name));
    if (names->kind == YAML_SCALAR) return policy_glob(names->text, full);
    for (const yaml_layout *c = names->first; c; c = c->next)
        if (policy_glob(c->text, full)) return true;
    return false;
}

bool lsp_is_expression(const lsp_where *w)
{
    return !w->in_key && (w->role == FMT_EXPR || w->role == FMT_ARG);
}
