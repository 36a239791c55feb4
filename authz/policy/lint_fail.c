/* SPDX-License-Identifier: Apache-2.0 */
/* lint_fail.c - what a forbid cannot evaluate, and then denies for everybody.
 *
 * A member that may be absent is an error unless something beside it decides when it is: has(x) in
 * the same &&, !has(x) in the same ||, or before the ? . Those are guards; they are kept as the
 * spelled member. Only absence is looked for, and conversions that may not succeed: a wrong type
 * is what the types are for. */
#include "lint.h"

typedef struct guard {
    str member;
    const struct guard *next;
} guard;

typedef struct {
    lint_expr e;
    unsigned depth;
} failing;

enum { FAILING_DEEP = 16 };

static void look(failing *f, const cel_node *n, const guard *known);

/* m.k of "k" in m */
static str member_of_in(const failing *f, const cel_node *n)
{
    if (n->kind != NODE_IN || !lint_is_text(n->kids[0])) return (str){0};
    str on = lint_spell(&f->e, n->kids[1]), key = cel_text(n->kids[0]->value);
    return arena_fmt(f->e.l->a, STR_FMT "." STR_FMT, STR_ARG(on), STR_ARG(key));
}

/* What is there when the term is `holds`, added to the guards. */
static const guard *with_term(const failing *f, const cel_node *n, bool holds, const guard *known)
{
    lint_expr var;
    if (n->kind == NODE_NOT) return with_term(f, n->kids[0], !holds, known);
    if (n->kind == NODE_VAR && n->slot >= FACTS && f->depth < FAILING_DEEP &&
        lint_open_var(&f->e, n->slot, &var)) {
        failing inside = {var, f->depth + 1};
        return with_term(&inside, var.root, holds, known);
    }
    bool each = n->kind == (holds ? NODE_AND : NODE_OR);
    for (uint32_t i = 0; each && i < n->count; i++) known = with_term(f, n->kids[i], holds, known);
    if (!holds || each) return known;
    str member = n->kind == NODE_HAS ? str_drop(lint_spell(&f->e, n), 4) : member_of_in(f, n);
    if (!member.n) return known;
    guard *g = NEW(f->e.l->a, guard);
    *g = (guard){member, known};
    return g;
}

static bool is_guarded(const guard *known, str member)
{
    for (; known; known = known->next)
        if (str_eq(known->member, member)) return true;
    return false;
}

/* Which fact a chain of members begins with; FACTS: none. */
static uint32_t root_of(const cel_node *n)
{
    while (n->kind == NODE_SELECT || n->kind == NODE_INDEX) n = n->kids[0];
    return n->kind == NODE_VAR ? n->slot : FACTS;
}

static bool may_be_absent(const failing *f, const cel_node *n, str name, bool *certain)
{
    uint32_t root = root_of(n);
    const cel_node *on = n->kids[0];
    js_value schema = policy_shape_schema(on->type);
    *certain = false;
    if (root == VAR_JWT && on->kind == NODE_VAR)
        return !str_eq(name, S("iss")) && !str_eq(name, S("exp")) && !str_eq(name, S("sub"));
    if (root == VAR_ARGS && f->e.tool) {
        bool known = cel_field_type(cel_type_seen(on->type), name) != NULL;
        *certain = known;
        return schema.kind == JS_OBJECT && known && !policy_schema_requires(schema, name);
    }
    return root == VAR_ARGS || root == VAR_JWT || root == FACT_HTTP_HEADERS ||
           root == FACT_TOOL_ANNOTATIONS || root == FACT_LLM_PARAMS;
}

/* args.path as args.?path.orValue(…), with a value of its type. */
static str maybe_of(const failing *f, const cel_node *n)
{
    static const char *const nothing[CEL_T_KINDS] = {[CEL_T_STRING] = "\"\"",
                                                     [CEL_T_LIST] = "[]",
                                                     [CEL_T_MAP] = "{}",
                                                     [CEL_T_INT] = "0",
                                                     [CEL_T_BOOL] = "false"};
    int kind = cel_type_seen(n->type)->kind;
    const char *value = kind < CEL_T_KINDS ? nothing[kind] : NULL;
    str on = lint_source(&f->e, n->kids[0]);
    if (n->kind == NODE_INDEX)
        return arena_fmt(f->e.l->a, STR_FMT "[?" STR_FMT "].orValue(%s)", STR_ARG(on),
                         STR_ARG(lint_source(&f->e, n->kids[1])), value ? value : "\"\"");
    return arena_fmt(f->e.l->a, STR_FMT ".?" STR_FMT ".orValue(%s)", STR_ARG(on), STR_ARG(n->name),
                     value ? value : "\"\"");
}

static void member(failing *f, const cel_node *n, const guard *known)
{
    arena *a = f->e.l->a;
    bool by_key = n->kind == NODE_INDEX, certain;
    if (by_key && !lint_is_text(n->kids[1])) return;
    if (n->flags & NODE_MAYBE || cel_type_seen(n->kids[0]->type)->kind == CEL_T_OPTIONAL) return;
    str name = by_key ? cel_text(n->kids[1]->value) : n->name;
    if (!may_be_absent(f, n, name, &certain) || is_guarded(known, lint_spell(&f->e, n))) return;
    str fix = maybe_of(f, n), tool = {0};
    if (certain)
        tool = arena_fmt(a, " (it is optional in " STR_FMT "/" STR_FMT ")",
                         STR_ARG(f->e.tool->server), STR_ARG(f->e.tool->name));
    str text = arena_fmt(a,
                         "this forbid cannot be evaluated when '" STR_FMT "' is absent" STR_FMT
                         ", and denies every such call",
                         STR_ARG(name), STR_ARG(tool));
    lint_say(&f->e, (lint_said){certain ? "error E202" : "warning W317", n->offset, n->length, text,
                                arena_fmt(a, "write " STR_FMT, STR_ARG(fix)), fix, true});
}

static void conversion(const failing *f, const cel_node *n)
{
    static const char *const names[] = {"int",      "uint", "double", "timestamp",
                                        "duration", "ip",   "cidr"};
    if (n->kind != NODE_CALL || n->count != 1 || n->kids[0]->kind == NODE_CONST) return;
    int kind = cel_type_seen(n->kids[0]->type)->kind;
    if (kind != CEL_T_STRING && kind != CEL_T_DYN) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(n->name, (str){names[i], strlen(names[i])}))
            lint_say(&f->e,
                     (lint_said){"warning W318",
                                 n->offset,
                                 n->length,
                                 arena_fmt(f->e.l->a,
                                           "this forbid cannot be evaluated when the text is "
                                           "no %s, and denies every such call",
                                           names[i]),
                                 {0},
                                 {0},
                                 true});
}

static void look_at_var(failing *f, const cel_node *n, const guard *known)
{
    lint_expr before = f->e, var;
    if (f->depth == FAILING_DEEP || !lint_open_var(&f->e, n->slot, &var)) return;
    f->e = var;
    f->depth++;
    look(f, var.root, known);
    f->depth--;
    f->e = before;
}

static void look(failing *f, const cel_node *n, const guard *known)
{
    bool joins = n->kind == NODE_AND || n->kind == NODE_OR;
    if (n->kind == NODE_SELECT || n->kind == NODE_INDEX) member(f, n, known);
    if (n->kind == NODE_CALL) conversion(f, n);
    if (n->kind == NODE_VAR && n->slot >= FACTS) look_at_var(f, n, known);
    if (n->kind == NODE_LOCAL) return;
    if (joins)
        for (uint32_t i = 0; i < n->count; i++)
            known = with_term(f, n->kids[i], n->kind == NODE_AND, known);
    for (uint32_t i = 0; i < n->count; i++) {
        const guard *here = known;
        if (n->kind == NODE_IF && i) here = with_term(f, n->kids[0], i == 1, known);
        look(f, n->kids[i], here);
    }
}

void lint_failing(const lint_expr *e)
{
    failing f = {.e = *e};
    look(&f, e->root, NULL);
}
