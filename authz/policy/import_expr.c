/* SPDX-License-Identifier: Apache-2.0 */
/* import_expr.c - a walk over the tree that notes which bytes to replace by what.
 *
 * The text is laid out first, which takes parentheses out of chains of members: then a chain is
 * one run of bytes. Names of macros could capture what is put in; such expressions are lost
 * rather than renamed, for nobody writes them. */
#include "import_expr.h"
#include "../cel/print.h"
#include "facts.h"

enum { CHAIN_MOST = 16, EDITS_MOST = 256, TEXT_MOST = 1 << 16 };

/* a.b["c"].?d, from the root: the name of each step, and where it ends. */
typedef struct {
    str names[CHAIN_MOST];
    uint32_t ends[CHAIN_MOST];
    bool maybe[CHAIN_MOST];
    size_t count;
    uint32_t at;
} chain;

typedef struct {
    uint32_t from, to;
    str text;
} edit;

typedef struct {
    arena *a;
    const import_dialect *dialect;
    edit edits[EDITS_MOST]; /* by place */
    size_t count;
    str why;
} rewriter;

static str view(const char *s)
{
    return (str){s, strlen(s)};
}

static bool is_step(const cel_node *n)
{
    if (n->kind == NODE_SELECT || n->kind == NODE_HAS) return true;
    return n->kind == NODE_INDEX && n->kids[1]->kind == NODE_CONST &&
           n->kids[1]->value.tag == CEL_STRING;
}

/* False: not a chain from a plain name, or one of more steps than any table has. */
static bool chain_of(const cel_node *n, chain *c)
{
    const cel_node *steps[CHAIN_MOST];
    size_t depth = 0;
    for (; is_step(n) && depth < CHAIN_MOST - 1; n = n->kids[0]) steps[depth++] = n;
    if (n->kind != NODE_NAME) return false;
    *c = (chain){.count = 1, .at = n->offset};
    c->names[0] = n->name;
    c->ends[0] = n->offset + n->length;
    while (depth) {
        const cel_node *step = steps[--depth];
        str name = step->kind == NODE_INDEX ? cel_text(step->kids[1]->value) : step->name;
        c->names[c->count] = name;
        c->ends[c->count] = step->offset + step->length;
        c->maybe[c->count++] = step->flags & NODE_MAYBE;
    }
    return true;
}

/* How many steps of the chain the dotted path is; 0: it begins otherwise. */
static size_t steps_of(const chain *c, str path)
{
    for (size_t i = 0; i < c->count; i++) {
        str_pair cut = str_cut(path, '.');
        if (!str_eq(cut.head, c->names[i])) return 0;
        if (!cut.ok) return i + 1;
        path = cut.tail;
    }
    return 0;
}

static bool is_root(const import_dialect *d, str name)
{
    for (const char *const *r = d->roots; *r; r++)
        if (str_eq(view(*r), name)) return true;
    return false;
}

/* Is there a fact of ours of that name? */
static bool is_ours(str name)
{
    for (size_t i = 0; i < QUESTION_VARS; i++)
        if (str_eq(view(question_var_names[i]), name)) return true;
    return str_eq(name, S("this"));
}

static void lose(rewriter *r, str why)
{
    if (!r->why.n) r->why = why;
}

static void add_edit(rewriter *r, edit e)
{
    size_t at = r->count;
    if (r->count == EDITS_MOST) {
        lose(r, S("it is too long"));
        return;
    }
    for (; at && r->edits[at - 1].from > e.from; at--) r->edits[at] = r->edits[at - 1];
    r->edits[at] = e;
    r->count++;
}

static str chain_text(arena *a, const chain *c)
{
    str text = c->names[0];
    for (size_t i = 1; i < c->count; i++)
        text = arena_fmt(a, STR_FMT "." STR_FMT, STR_ARG(text), STR_ARG(c->names[i]));
    return text;
}

/* The facts here are always there: `.?` up to one of them says nothing, if it goes on with `.?`. */
static void replace(rewriter *r, const chain *c, size_t steps, const char *to)
{
    bool maybe = false;
    for (size_t i = 0; i < steps; i++) maybe |= c->maybe[i];
    str text = view(to);
    if (maybe && steps == c->count) text = arena_fmt(r->a, "optional.of(%s)", to);
    if (maybe && steps < c->count && !c->maybe[steps])
        lose(r, arena_fmt(r->a, "what follows .? in " STR_FMT, STR_ARG(chain_text(r->a, c))));
    add_edit(r, (edit){c->at, c->ends[steps - 1], text});
}

static void rename_chain(rewriter *r, const chain *c)
{
    size_t best = 0;
    const char *to = NULL;
    for (const import_name *n = r->dialect->names; n->from; n++) {
        size_t steps = steps_of(c, view(n->from));
        if (steps <= best) continue;
        best = steps;
        to = n->to;
    }
    if (to)
        replace(r, c, best, to);
    else
        lose(r, arena_fmt(r->a, STR_FMT " has no counterpart", STR_ARG(chain_text(r->a, c))));
}

static bool reads_argument(const rewriter *r, const cel_node *n)
{
    chain c;
    if (!chain_of(n, &c)) return false;
    for (const import_name *row = r->dialect->names; row->from; row++)
        if (str_eq(view(row->to), S("args")) && steps_of(&c, view(row->from))) return true;
    return false;
}

/* 7 / 2 is 3 for integers and 3.5 for doubles; and there is no % of doubles. */
static void check_numbers(rewriter *r, const cel_node *n)
{
    bool arithmetic = n->kind == NODE_ARITH || n->kind == NODE_NEGATE;
    bool asks_type = n->kind == NODE_CALL && str_eq(n->name, S("type"));
    if (!r->dialect->doubles || (!arithmetic && !asks_type)) return;
    bool text = false, argument = false;
    for (uint32_t i = 0; i < n->count; i++) {
        const cel_node *kid = n->kids[i];
        text |= kid->kind == NODE_CONST && kid->value.tag == CEL_STRING;
        argument |= reads_argument(r, kid);
    }
    if (argument && !(text && n->op == OP_ADD))
        lose(r, S("it computes with an argument, whose numbers are floating point there and "
                  "integers here"));
}

static void check_variable(rewriter *r, str name)
{
    if (name.n && (is_root(r->dialect, name) || is_ours(name)))
        lose(r, arena_fmt(r->a, "its macro has a variable named " STR_FMT, STR_ARG(name)));
}

static void visit(rewriter *r, const cel_node *n)
{
    chain c;
    if (chain_of(n, &c)) {
        if (is_root(r->dialect, c.names[0]))
            rename_chain(r, &c);
        else if (is_ours(c.names[0]))
            lose(r, arena_fmt(r->a, "there is no " STR_FMT " over there", STR_ARG(c.names[0])));
        return;
    }
    if (n->kind == NODE_FOLD || n->kind == NODE_BIND) {
        check_variable(r, n->name);
        check_variable(r, n->name2);
    }
    check_numbers(r, n);
    for (uint32_t i = 0; i < n->count && !r->why.n; i++) visit(r, n->kids[i]);
}

static str edited(rewriter *r, str source)
{
    buf b = buf_new(r->a, TEXT_MOST);
    uint32_t at = 0;
    for (size_t i = 0; i < r->count; i++) {
        const edit *e = &r->edits[i];
        if (e->from < at) lose(r, S("its parts overlap"));
        if (r->why.n) return source;
        (void)buf_put(&b, (str){source.p + at, e->from - at});
        (void)buf_put(&b, e->text);
        at = e->to;
    }
    (void)buf_put(&b, str_drop(source, at));
    if (!buf_ok(&b)) lose(r, S("it is too long"));
    return buf_str(&b);
}

import_fate import_compile(arena *a, str source, str *why)
{
    cel_variable variables[FACTS];
    for (size_t i = 0; i < FACTS; i++) variables[i] = policy_fact_variable(i);
    variables[FACT_THIS].name = (str){0};
    const cel_env env = {variables, FACTS};
    cel_program *program = NULL;
    const cel_problem *p = cel_compile(a, source, &env, NULL, &program);
    *why = p ? p->text : S("it is no condition: it gives no bool");
    if (p) return IMPORT_LOST;
    cel_type type = cel_result_type(program);
    return type == CEL_T_BOOL || type == CEL_T_DYN ? IMPORT_KEPT : IMPORT_NEVER;
}

import_fate import_expression(arena *a, const import_dialect *d, str source, str *out, str *why)
{
    rewriter *r = NEW(a, rewriter);
    r->a = a;
    r->dialect = d;
    cel_node *root = NULL;
    str text;
    const cel_problem *p = cel_print(a, source, 0, &text);
    if (!p) p = cel_tree(a, text, &root);
    if (p) {
        *why = p->text;
        return IMPORT_LOST;
    }
    visit(r, root);
    *out = edited(r, text);
    *why = r->why;
    return r->why.n ? IMPORT_LOST : import_compile(a, *out, why);
}

static bool finds(const cel_node *n, str path, bool within_has)
{
    chain c;
    if (chain_of(n, &c)) {
        size_t steps = steps_of(&c, path);
        return steps && (!within_has || (n->kind == NODE_HAS && steps == c.count));
    }
    for (uint32_t i = 0; i < n->count; i++)
        if (finds(n->kids[i], path, within_has)) return true;
    return false;
}

bool import_reads(arena *a, str source, const char *path, bool within_has)
{
    cel_node *root = NULL;
    return !cel_tree(a, source, &root) && finds(root, view(path), within_has);
}
