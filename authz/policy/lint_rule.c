/* SPDX-License-Identifier: Apache-2.0 */
/* lint_rule.c - one rule: its expressions and arguments, in a round for each tool it names. */
#include "lint_domain.h"
#include <stdlib.h>

enum { ROUNDS_MOST = 200 };

const str *lint_tool_names(const lint *l, const policy_tool *t)
{
    const cel_ctype *shape = l->tools[t - l->w->tools];
    size_t n = 0;
    while (shape->fields && shape->fields[n].type) n++;
    str *out = NEW_N(l->a, str, n + 1);
    for (size_t i = 0; i < n; i++) out[i] = shape->fields[i].name;
    return out;
}

static str tool_text(const lint_expr *e)
{
    return arena_fmt(e->l->a, STR_FMT "/" STR_FMT, STR_ARG(e->tool->server),
                     STR_ARG(e->tool->name));
}

/* Arguments by name */

static void say_key(const lint_expr *e, const yaml_node *key, const char *code, str text, str hint,
                    bool always)
{
    lint_expr at = *e;
    at.n = key;
    lint_say(&at, (lint_said){code, 0, key->text.n, text, hint, {0}, always});
}

static void unknown_argument(const lint_expr *e, const yaml_node *key)
{
    arena *a = e->l->a;
    str near = yaml_did_you_mean(key->text, lint_tool_names(e->l, e->tool));
    str text = arena_fmt(a, "tool " STR_FMT " has no argument '" STR_FMT "'", STR_ARG(tool_text(e)),
                         STR_ARG(key->text));
    str hint = near.n ? arena_fmt(a, "did you mean '" STR_FMT "'?", STR_ARG(near)) : (str){0};
    lint_expr at = *e;
    at.n = key;
    bool forbids = e->rule->rule.effect == RULE_FORBID;
    lint_say(&at, (lint_said){"error E201", 0, key->text.n, text, hint, near, forbids});
}

static const char *const type_names[CEL_T_KINDS] = {[CEL_T_STRING] = "text",
                                                    [CEL_T_INT] = "an integer",
                                                    [CEL_T_BOOL] = "true or false",
                                                    [CEL_T_LIST] = "a list",
                                                    [CEL_T_MAP] = "an object"};

static void look_at_value(const lint_expr *e, const yaml_node *n, cel_value v,
                          const cel_ctype *type)
{
    arena *a = e->l->a;
    lint_domain d;
    lint_expr at = *e;
    at.n = n;
    int kind = cel_type_seen(type)->kind;
    const cel_node thing = {.kind = NODE_SELECT, .type = type};
    bool known = kind < CEL_T_KINDS && type_names[kind];
    if (known && (int)cel_type_of_value(v) != kind) {
        str text = arena_fmt(a, "the argument is %s, this is %s: they are never equal",
                             type_names[kind], v.tag == CEL_STRING ? "text" : "not");
        str hint = kind == CEL_T_STRING
                       ? arena_fmt(a, "write \"" STR_FMT "\" with quotes", STR_ARG(n->text))
                   : n->style == YAML_QUOTED && kind != CEL_T_LIST && kind != CEL_T_MAP
                       ? arena_fmt(a, "write " STR_FMT " without quotes", STR_ARG(n->text))
                       : (str){0};
        lint_say(&at, (lint_said){"error E203", 0, n->text.n, text, hint, {0}, false});
    } else if (lint_domain_of(e, &thing, &d) && !lint_domain_has(&d, v)) {
        str text = arena_fmt(a, "never this value: " STR_FMT, STR_ARG(lint_domain_text(a, &d)));
        lint_say(&at, (lint_said){"warning W306",
                                  0,
                                  n->text.n,
                                  text,
                                  lint_domain_near(a, &d, v),
                                  {0},
                                  false});
    }
}

static void look_at_values(const lint_expr *e, const rule_constraint *c, const yaml_node *n,
                           const cel_ctype *type)
{
    const yaml_node *in = yaml_get(n, S("in")), *at = in ? in->first : yaml_get(n, S("is"));
    for (size_t i = 0; at && i < c->count; at = in ? at->next : NULL) {
        if (at->kind != YAML_SCALAR) continue;
        cel_value v = c->values[i++];
        if (type) look_at_value(e, at, v, type);
        lint_expr here = *e;
        here.n = at;
        for (size_t k = 0; k + 1 < i; k++)
            if (cel_equal(c->values[k], v)) {
                lint_say(&here, (lint_said){"warning W309",
                                            0,
                                            at->text.n,
                                            S("this stands in the list already"),
                                            {0},
                                            {0},
                                            false});
                break;
            }
    }
}

static void look_at_absence(const lint_expr *e, const rule_constraint *c, const yaml_node *key)
{
    if (e->rule->rule.effect != RULE_FORBID || c->optional || !e->tool) return;
    if (policy_schema_requires(e->tool->schema, c->name)) return;
    str text = arena_fmt(e->l->a,
                         "this forbid cannot be evaluated when '" STR_FMT
                         "' is absent (it is optional in " STR_FMT "), and denies every such call",
                         STR_ARG(c->name), STR_ARG(tool_text(e)));
    str hint = c->program ? arena_fmt(e->l->a, "write { when: '" STR_FMT "', optional: true }",
                                      STR_ARG(c->source))
                          : S("write `optional: true` beside it");
    say_key(e, key, "error E202", text, hint, true);
}

static void look_at_constraint(lint_expr *e, const rule_constraint *c, const yaml_node *n,
                               const yaml_node *key, int sense)
{
    const cel_ctype *type = e->args ? cel_field_type(e->args, c->name) : NULL;
    if (e->tool && !type && policy_schema_lists(e->tool->schema)) {
        unknown_argument(e, key);
        return;
    }
    if (type) look_at_absence(e, c, key);
    if (!c->program) look_at_values(e, c, n, type);
    if (n->kind == YAML_MAP) n = yaml_get(n, S("when"));
    if (!c->program || !n) return;
    e->argument = c->name;
    if (lint_open(e, n, true)) {
        lint_walk(e, sense);
        lint_cost(e);
        if (e->rule->rule.effect == RULE_FORBID) lint_failing(e);
    }
    e->argument = (str){0};
}

/* With other_args: deny, a required argument that is not named can never be given. */
static void look_at_others(const lint_expr *e, const yaml_node *key)
{
    js_value required = js_get(e->tool->schema, S("required"));
    if (!e->rule->rule.only_named_args || required.kind != JS_ARRAY) return;
    for (js_iter it = js_iterate(required); js_next(&it);) {
        str name = js_text(e->l->a, it.value);
        bool named = !name.n;
        for (size_t i = 0; i < e->rule->rule.constraint_count; i++)
            named |= str_eq(e->rule->rule.constraints[i].name, name);
        if (named) continue;
        say_key(e, key, "warning W320",
                arena_fmt(e->l->a,
                          "no call fits: " STR_FMT " requires '" STR_FMT
                          "', which is not among the args named",
                          STR_ARG(tool_text(e)), STR_ARG(name)),
                arena_fmt(e->l->a, "write `" STR_FMT ": 'true'` among them if any value will do",
                          STR_ARG(name)),
                false);
        return;
    }
}

/* Conditions as a whole */

static void look_at_whole(const lint_expr *e, const yaml_node *when)
{
    lint *l = e->l;
    lint_terms t = {0};
    str why, hint;
    lint_terms_of_rule(l, e->rule, e->tool, &t);
    const lint_term *odd = lint_contradiction(l->a, &t, &why, &hint);
    bool bounds = odd && odd->node && odd->node->kind == NODE_ORDER;
    bool told = odd && !bounds && lint_odd_alone(l->a, odd); /* W306 says of which value */
    if (odd && !told) {
        str text = arena_fmt(l->a, "the rule never matches: " STR_FMT, STR_ARG(why));
        lint_said s = {"warning W307", 0, odd->e.n->text.n, text, hint, {0}, false};
        if (odd->node) s.offset = odd->node->offset, s.length = odd->node->length;
        lint_say(&odd->e, s);
        return;
    }
    if (!when || !e->rule->rule.when) return;
    cel_bindings all = {.count = e->scope->count,
                        .values = NEW_N(l->a, cel_value, e->scope->count)};
    for (size_t i = 0; i < all.count; i++) all.values[i] = cel_unknown(i % 64);
    cel_value v = cel_eval(e->rule->rule.when, &all, l->a, 0);
    lint_expr at = *e;
    at.n = when;
    if (v.tag != CEL_BOOL) return;
    lint_say(&at, (lint_said){v.u.b ? "warning W308" : "warning W307",
                              0,
                              when->text.n,
                              v.u.b ? S("this is always true") : S("the rule never matches"),
                              v.u.b ? S("write no `when` if that is meant") : (str){0},
                              {0},
                              false});
}

typedef struct {
    const yaml_node *when, *args, *others;
    const yaml_node **keys; /* one an argument */
} parts;

static void run_round(lint *l, const rule_node *r, const policy_tool *tool, const parts *p)
{
    const policy_rule *rule = &r->rule;
    int sense = rule->effect == RULE_FORBID ? -1 : 1;
    lint_expr e = {.l = l, .rule = r, .scope = r->scope, .tool = tool};
    if (tool) e.args = l->tools[tool - l->w->tools];
    l->round++;
    if (p->when && rule->when && lint_open(&e, p->when, false)) {
        lint_walk(&e, sense);
        lint_cost(&e);
        if (rule->effect == RULE_FORBID) lint_failing(&e);
    }
    for (size_t i = 0; i < rule->constraint_count; i++) {
        const rule_constraint *c = &rule->constraints[i];
        const yaml_node *n = p->args ? yaml_get(p->args, c->name) : NULL;
        if (n) look_at_constraint(&e, c, n, p->keys[i], sense);
    }
    if (tool && p->others) look_at_others(&e, p->others);
    look_at_whole(&e, p->when);
}

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* In their order, each once. */
static size_t tools_of(const lint *l, const rule_node *r, size_t *list)
{
    size_t count = 0, kept = 0;
    const str *pattern = r->rule.names[SUBJECT_TOOL];
    for (; pattern && pattern->p; pattern++)
        count = lint_tools_named(l, *pattern, list, count, ROUNDS_MOST);
    qsort(list, count, sizeof *list, by_number);
    for (size_t i = 0; i < count; i++)
        if (!kept || list[kept - 1] != list[i]) list[kept++] = list[i];
    return kept;
}

/* What is true for its tools need not be for these. */
static bool names_others(const rule_node *r)
{
    for (int kind = 0; kind < SUBJECTS; kind++)
        if (kind != SUBJECT_TOOL && r->rule.names[kind] && r->rule.names[kind]->p) return true;
    return false;
}

void lint_rule(lint *l, const rule_node *r)
{
    parts p = {yaml_get(r->written, S("when")), yaml_get(r->written, S("args")),
               yaml_get(r->written, S("other_args")),
               NEW_N(l->a, const yaml_node *, r->rule.constraint_count + 1)};
    if (p.others) p.others = lint_key(l, p.others);
    for (size_t i = 0; i < r->rule.constraint_count; i++) {
        const yaml_node *n = p.args ? yaml_get(p.args, r->rule.constraints[i].name) : NULL;
        if (n) p.keys[i] = lint_key(l, n);
    }
    lint_enter(l, r->scope);
    size_t list[ROUNDS_MOST], rounds = tools_of(l, r, list);
    for (size_t i = 0; i < rounds; i++) {
        const policy_tool *t = &l->w->tools[list[i]];
        if (!l->tools[list[i]]) l->tools[list[i]] = policy_shape_of_tool(l->a, t);
        run_round(l, r, t, &p);
    }
    if (!rounds || names_others(r)) run_round(l, r, NULL, &p);
    lint_flush(l);
}
