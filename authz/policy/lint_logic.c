/* SPDX-License-Identifier: Apache-2.0 */
/* lint_logic.c - conditions as terms that must all hold, and whether they can.
 *
 * A term about one thing (x == 1, x in [1, 2], x < 5, and their negations) narrows what that thing
 * can be; when nothing is left, the whole is never true. What stands under another operator is only
 * known by its spelling: t and !t contradict each other. */
#include "../cel/compare.h"
#include "lint_domain.h"

enum { TERMS_MOST = 100, TERMS_DEEP = 16 };

/* Gathering */

static void add(lint *l, lint_terms *t, lint_term one)
{
    if (t->count == TERMS_MOST) return;
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 8;
        lint_term *list = NEW_N(l->a, lint_term, cap);
        for (size_t i = 0; i < t->count; i++) list[i] = t->list[i];
        t->list = list;
        t->cap = cap;
    }
    t->list[t->count++] = one;
}

static void gather(const lint_expr *e, const cel_node *n, bool negated, lint_terms *t,
                   unsigned depth)
{
    lint_expr var;
    while (n->kind == NODE_NOT) {
        negated = !negated;
        n = n->kids[0];
    }
    bool var_there = n->kind == NODE_VAR && n->slot >= FACTS && depth < TERMS_DEEP;
    if (var_there && lint_open_var(e, n->slot, &var)) {
        gather(&var, var.root, negated, t, depth + 1);
        return;
    }
    if (n->kind == (negated ? NODE_OR : NODE_AND)) {
        for (uint32_t i = 0; i < n->count; i++) gather(e, n->kids[i], negated, t, depth);
        return;
    }
    str spelled = lint_spell(e, n);
    if (negated) spelled = arena_fmt(e->l->a, "not " STR_FMT, STR_ARG(spelled));
    add(e->l, t, (lint_term){.e = *e, .node = n, .negated = negated, .spelled = spelled});
}

void lint_terms_of_node(const lint_expr *e, const cel_node *n, bool negated, lint_terms *t)
{
    gather(e, n, negated, t, 0);
}

static void add_values(lint *l, const rule_node *r, const rule_constraint *c, const yaml_node *n,
                       lint_terms *t)
{
    buf b = buf_new(l->a, 4096);
    (void)buf_fmt(&b, "values args." STR_FMT, STR_ARG(c->name));
    for (size_t i = 0; i < c->count; i++) {
        json_t *j = cel_to_json(l->a, c->values[i]);
        (void)buf_put(&b, S(" "));
        if (j) (void)buf_put(&b, js_dump(l->a, j));
    }
    add(l, t,
        (lint_term){.e = {.l = l, .rule = r, .scope = r->scope, .n = n},
                    .spelled = buf_str(&b),
                    .among = c,
                    .where = n});
}

void lint_terms_of_rule(lint *l, const rule_node *r, const policy_tool *tool, lint_terms *t)
{
    const yaml_node *when = yaml_get(r->written, S("when")),
                    *args = yaml_get(r->written, S("args"));
    lint_expr e = {.l = l, .rule = r, .scope = r->scope, .tool = tool};
    if (tool) e.args = l->tools[tool - l->w->tools];
    if (when && r->rule.when && lint_open(&e, when, false)) gather(&e, e.root, false, t, 0);
    for (size_t i = 0; i < r->rule.constraint_count; i++) {
        const rule_constraint *c = &r->rule.constraints[i];
        const yaml_node *n = args ? yaml_get(args, c->name) : NULL;
        if (n && !c->program) add_values(l, r, c, n, t);
        if (n && n->kind == YAML_MAP) n = yaml_get(n, S("when"));
        if (!n || !c->program) continue;
        e.argument = c->name;
        if (lint_open(&e, n, true)) gather(&e, e.root, false, t, 0);
    }
}

/* Narrowing */

typedef struct thing {
    str spelled;
    const cel_value *allowed; /* NULL: any */
    size_t allowed_count;
    cel_value refused[16];
    size_t refused_count;
    bool has_min, has_max, above_min, below_max; /* above_min: min itself is out */
    double min, max;
    lint_domain domain;
    bool has_domain;
    unsigned terms; /* that are about it */
    struct thing *next;
} thing;

typedef struct {
    arena *a;
    thing *things;
} narrowing;

static thing *thing_of(narrowing *w, const lint_expr *e, const cel_node *n, str spelled)
{
    for (thing *t = w->things; t; t = t->next)
        if (str_eq(t->spelled, spelled)) return t;
    thing *t = NEW(w->a, thing);
    *t = (thing){.spelled = spelled, .next = w->things};
    w->things = t;
    t->has_domain = n && lint_domain_of(e, n, &t->domain);
    if (t->has_domain && t->domain.values) {
        t->allowed = t->domain.values;
        t->allowed_count = t->domain.count;
    }
    t->has_min = t->has_domain && t->domain.has_min;
    t->has_max = t->has_domain && t->domain.has_max;
    t->min = t->domain.min;
    t->max = t->domain.max;
    return t;
}

static bool fits(const thing *t, cel_value v)
{
    double x;
    for (size_t i = 0; i < t->refused_count; i++)
        if (cel_equal(t->refused[i], v)) return false;
    if (!lint_number(v, &x)) return true;
    if (t->has_min && (x < t->min || (t->above_min && x <= t->min))) return false;
    return !(t->has_max && (x > t->max || (t->below_max && x >= t->max)));
}

static bool anything_left(const thing *t)
{
    bool crossed = t->has_min && t->has_max &&
                   (t->min > t->max || (t->min >= t->max && (t->above_min || t->below_max)));
    if (crossed) return false;
    if (!t->allowed) return true;
    for (size_t i = 0; i < t->allowed_count; i++)
        if (fits(t, t->allowed[i])) return true;
    return false;
}

static void allow_only(narrowing *w, thing *t, const cel_value *values, size_t count)
{
    cel_value *kept = NEW_N(w->a, cel_value, count + 1);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool there = !t->allowed;
        for (size_t k = 0; k < t->allowed_count && !there; k++)
            there = cel_equal(t->allowed[k], values[i]);
        if (there) kept[n++] = values[i];
    }
    t->allowed = kept;
    t->allowed_count = n;
}

static void refuse(thing *t, const cel_value *values, size_t count)
{
    enum { MOST = sizeof t->refused / sizeof *t->refused };
    for (size_t i = 0; i < count && t->refused_count < MOST; i++)
        t->refused[t->refused_count++] = values[i];
}

static cel_op opposite(cel_op op)
{
    switch (op) {
    case OP_LT: return OP_GE;
    case OP_LE: return OP_GT;
    case OP_GT: return OP_LE;
    case OP_GE: return OP_LT;
    default: return op;
    }
}

static void bound(thing *t, cel_op op, double x)
{
    bool low = op == OP_GT || op == OP_GE, open = op == OP_GT || op == OP_LT;
    if (low && (!t->has_min || x > t->min || (x >= t->min && open))) {
        t->has_min = true;
        t->min = x;
        t->above_min = open;
    }
    if (!low && (!t->has_max || x < t->max || (x <= t->max && open))) {
        t->has_max = true;
        t->max = x;
        t->below_max = open;
    }
}

static thing *narrow_by_order(narrowing *w, const lint_term *one)
{
    const cel_node *n = one->node;
    double x;
    bool right = n->kids[1]->kind == NODE_CONST && lint_number(n->kids[1]->value, &x);
    bool left = !right && n->kids[0]->kind == NODE_CONST && lint_number(n->kids[0]->value, &x);
    if (!right && !left) return NULL;
    const cel_node *on = n->kids[right ? 0 : 1];
    thing *t = thing_of(w, &one->e, on, lint_spell(&one->e, on));
    cel_op op = right ? (cel_op)n->op : cel_op_turned((cel_op)n->op);
    bound(t, one->negated ? opposite(op) : op, x);
    return t;
}

static thing *narrow_by_equal(narrowing *w, const lint_term *one)
{
    const cel_node *n = one->node;
    bool right = n->kids[1]->kind == NODE_CONST, left = n->kids[0]->kind == NODE_CONST;
    if (right == left) return NULL;
    const cel_node *on = n->kids[right ? 0 : 1], *constant = n->kids[right ? 1 : 0];
    if (constant->value.tag == CEL_NULL) return NULL;
    thing *t = thing_of(w, &one->e, on, lint_spell(&one->e, on));
    if ((n->op == OP_EQ) != one->negated)
        allow_only(w, t, &constant->value, 1);
    else
        refuse(t, &constant->value, 1);
    return t;
}

static thing *narrow_by_list(narrowing *w, const lint_term *one)
{
    const cel_node *list = one->node->kids[1], *on = one->node->kids[0];
    if (list->kind != NODE_LIST || on->kind == NODE_CONST) return NULL;
    cel_value *values = NEW_N(w->a, cel_value, list->count + 1);
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->kids[i]->kind != NODE_CONST) return NULL;
        values[i] = list->kids[i]->value;
    }
    thing *t = thing_of(w, &one->e, on, lint_spell(&one->e, on));
    if (one->negated)
        refuse(t, values, list->count);
    else
        allow_only(w, t, values, list->count);
    return t;
}

static thing *narrow(narrowing *w, const lint_term *one)
{
    if (one->among) {
        str name = arena_fmt(w->a, "args." STR_FMT, STR_ARG(one->among->name));
        thing *t = thing_of(w, &one->e, NULL, name);
        allow_only(w, t, one->among->values, one->among->count);
        return t;
    }
    if (one->node->kind == NODE_EQUAL) return narrow_by_equal(w, one);
    if (one->node->kind == NODE_ORDER) return narrow_by_order(w, one);
    return one->node->kind == NODE_IN ? narrow_by_list(w, one) : NULL;
}

static bool denied_before(const lint_terms *t, size_t at)
{
    str s = t->list[at].spelled, other;
    for (size_t i = 0; i < at; i++) {
        other = t->list[i].spelled;
        bool first = str_starts(other, S("not ")) && str_eq(str_drop(other, 4), s);
        if (first || (str_starts(s, S("not ")) && str_eq(str_drop(s, 4), other))) return true;
    }
    return false;
}

const lint_term *lint_contradiction(arena *a, const lint_terms *t, str *why, str *hint)
{
    narrowing w = {.a = a};
    *hint = (str){0};
    for (size_t i = 0; i < t->count; i++) {
        const lint_term *one = &t->list[i];
        *why = S("the opposite is demanded as well");
        if (denied_before(t, i)) return one;
        thing *on = narrow(&w, one);
        if (on) on->terms++;
        if (!on || anything_left(on)) continue;
        bool alone = on->terms == 1;
        *why = alone ? lint_domain_text(a, &on->domain)
                     : arena_fmt(a, "nothing is left for " STR_FMT, STR_ARG(on->spelled));
        return one;
    }
    return NULL;
}

bool lint_odd_alone(arena *a, const lint_term *one)
{
    str why, hint;
    lint_term copy = *one;
    const lint_terms t = {&copy, 1, 1};
    return lint_contradiction(a, &t, &why, &hint) != NULL;
}
