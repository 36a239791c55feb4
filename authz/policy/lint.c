/* SPDX-License-Identifier: Apache-2.0 */
/* lint.c - expressions opened with the types of a round, and what is said of them. */
#include "lint.h"
#include "../cel/trace.h"
#include "place.h"

enum { SPELL_MOST = 4096, VARS_DEEP = 16 };

struct lint_note {
    lint_said s;
    const policy_source *source;
    const yaml_node *n;
    unsigned rounds, last;
    lint_note *next;
};

/* Saying */

static void tell(lint *l, const policy_source *source, const yaml_node *n, const lint_said *s)
{
    policy_place at = policy_place_of(source->text, n, s->offset);
    bool whole = !s->offset && !s->length;
    if (whole) at = (policy_place){n->line, n->column};
    const char *joint = str_starts(s->hint, S("did you mean")) ? ", " : "; ";
    str before = l->out->file;
    l->out->file = source->name;
    problem *p = problems_add(l->out, at.line, at.column, "%s: " STR_FMT "%s" STR_FMT, s->code,
                              STR_ARG(s->text), s->hint.n ? joint : "", STR_ARG(s->hint));
    l->out->file = before;
    p->hint = arena_dup(l->out->a, s->hint);
    p->fix = arena_dup(l->out->a, s->fix);
    size_t length = whole && n->kind == YAML_SCALAR ? n->text.n : s->length;
    p->width = policy_place_width(source->text, n, s->offset, length);
}

const yaml_node *lint_key(lint *l, const yaml_node *n)
{
    yaml_node *key = NEW(l->a, yaml_node);
    *key = (yaml_node){.kind = YAML_SCALAR,
                       .text = n->key,
                       .line = n->key_line,
                       .column = n->key_column};
    return key;
}

void lint_tell(lint *l, const policy_source *source, const yaml_node *n, const char *code, str text,
               str hint)
{
    tell(l, source, n, &(lint_said){.code = code, .text = text, .hint = hint});
}

void lint_say(const lint_expr *e, lint_said s)
{
    lint *l = e->l;
    for (lint_note *one = l->notes; one; one = one->next) {
        if (one->n != e->n || one->s.offset != s.offset || strcmp(one->s.code, s.code) != 0)
            continue;
        one->rounds += one->last != l->round;
        one->last = l->round;
        return;
    }
    lint_note *one = NEW(l->a, lint_note);
    *one = (lint_note){s, e->scope->source, e->n, 1, l->round, l->notes};
    l->notes = one;
}

void lint_say_node(const lint_expr *e, const cel_node *n, const char *code, str text, str hint)
{
    str s = lint_source(e, n);
    lint_say(e, (lint_said){.code = code,
                            .offset = (size_t)(s.p - e->n->text.p),
                            .length = s.n,
                            .text = text,
                            .hint = hint});
}

void lint_flush(lint *l)
{
    for (const lint_note *one = l->notes; one; one = one->next)
        if (one->s.always || one->rounds == l->round) tell(l, one->source, one->n, &one->s);
    l->notes = NULL;
    l->round = 0;
}

/* Opening */

/* What the facts are beyond their kind. */
static void shape_facts(lint *l, const cel_ctype **shapes)
{
    shapes[VAR_JWT] = l->claims;
    shapes[FACT_CALLER_SCOPES] = policy_shape_named(l->a, S("list(string)"));
    cel_types t = {.a = l->a};
    const cel_ctype *text = cel_type_plain(CEL_T_STRING);
    shapes[FACT_HTTP_HEADERS] = cel_type_of2(&t, CEL_T_MAP, text, text);
}

void lint_enter(lint *l, const policy_scope *scope)
{
    if (l->scope == scope) return;
    l->scope = scope;
    l->shapes = NEW_N(l->a, const cel_ctype *, scope->count);
    shape_facts(l, l->shapes);
    for (size_t slot = FACTS; slot < scope->count; slot++) {
        lint_expr e = {.l = l, .scope = scope}, var;
        if (lint_open_var(&e, slot, &var)) l->shapes[slot] = cel_type_seen(var.root->type);
    }
    l->notes = NULL; /* what is wrong with a var is told where it is looked at for itself */
}

static const cel_ctype *this_type(const lint_expr *e)
{
    const cel_ctype *known = e->args ? cel_field_type(e->args, e->argument) : NULL;
    return known ? known : cel_type_plain(CEL_T_DYN);
}

bool lint_open(lint_expr *e, const yaml_node *n, bool is_argument)
{
    lint *l = e->l;
    e->n = n;
    if (!l->budget || n->kind != YAML_SCALAR) return false;
    l->budget--;
    cel_variable *variables = e->scope->variables, this = variables[FACT_THIS];
    if (!is_argument) variables[FACT_THIS].name = (str){0};
    l->shapes[VAR_ARGS] = e->args;
    l->shapes[FACT_THIS] = this_type(e);
    const cel_env env = {variables, e->scope->count};
    const cel_options options = {.zones = l->d->zones, .shapes = l->shapes};
    cel_node *root = NULL;
    const cel_problem *wrong = cel_checked_tree(l->a, n->text, &env, &options, &root);
    variables[FACT_THIS] = this;
    bool forbids = e->rule && e->rule->rule.effect == RULE_FORBID;
    for (const cel_problem *p = wrong; p; p = p->next) {
        bool with_null = memmem(p->text.p, p->text.n, "null_type", 9) != NULL;
        if (with_null) continue; /* told better: absence is not null */
        str code = arena_fmt(l->a, "error %s", p->code);
        lint_say(e, (lint_said){code.p, p->offset, p->length, p->text, p->hint, {0}, forbids});
    }
    e->root = root;
    return root != NULL;
}

bool lint_open_var(const lint_expr *e, size_t slot, lint_expr *var)
{
    const policy_var *v = slot < FACTS ? NULL : e->scope->vars[slot - FACTS];
    if (!v || !v->program) return false;
    *var = *e;
    var->argument = (str){0};
    return lint_open(var, v->written, false);
}

/* Reading trees */

/* A has() is the member it asks for, and begins there. */
str lint_source(const lint_expr *e, const cel_node *n)
{
    str all = e->n->text, s = cel_source_of(all, n);
    size_t from = (size_t)(s.p - all.p), to = from + s.n;
    const cel_node *first = n;
    while (first->count && first->kind != NODE_HAS && first->kids[0]->offset == n->offset)
        first = first->kids[0];
    if (first->kind != NODE_HAS) return s;
    while (from && all.p[from - 1] == ' ') from--;
    if (from && all.p[from - 1] == '(' && all.p[from] != '(') from--;
    if (from >= 3 && str_starts(str_drop(all, from - 3), S("has"))) from -= 3;
    if (n == first)
        while (to < all.n && all.p[to] == ' ') to++;
    if (n == first && to < all.n && all.p[to] == ')') to++;
    return str_take(str_drop(all, from), to - from);
}

bool lint_is_call(const cel_node *n, const char *name, uint32_t args)
{
    return n->kind == NODE_CALL && n->count == args && str_eq(n->name, (str){name, strlen(name)});
}

bool lint_is_text(const cel_node *n)
{
    return n->kind == NODE_CONST && n->value.tag == CEL_STRING;
}

static void spell(const lint_expr *e, const cel_node *n, unsigned vars, buf *b);

static void spell_constant(cel_value v, buf *b)
{
    switch (v.tag) {
    case CEL_STRING: (void)buf_json(b, cel_text(v)); return;
    case CEL_BYTES: (void)buf_put(b, S("b")), (void)buf_json(b, cel_text(v)); return;
    case CEL_BOOL: (void)buf_put(b, v.u.b ? S("true") : S("false")); return;
    case CEL_INT: (void)buf_int(b, v.u.i); return;
    case CEL_UINT: (void)buf_fmt(b, "%lluu", (unsigned long long)v.u.u); return;
    case CEL_DOUBLE: (void)buf_fmt(b, "%.17g", v.u.d); return;
    case CEL_NULL: (void)buf_put(b, S("null")); return;
    default: (void)buf_fmt(b, "<%u>", v.tag); return;
    }
}

static void spell_variable(const lint_expr *e, uint32_t slot, unsigned vars, buf *b)
{
    lint_expr var;
    if (slot == FACT_THIS)
        (void)buf_fmt(b, "args." STR_FMT, STR_ARG(e->argument));
    else if (vars < VARS_DEEP && lint_open_var(e, slot, &var))
        spell(&var, var.root, vars + 1, b);
    else
        (void)buf_put(b, e->scope->variables[slot].name);
}

static bool spell_member(const lint_expr *e, const cel_node *n, unsigned vars, buf *b)
{
    bool by_name = n->kind == NODE_SELECT || n->kind == NODE_HAS;
    bool by_key = n->kind == NODE_INDEX && lint_is_text(n->kids[1]);
    if (!by_name && !by_key) return false;
    if (n->kind == NODE_HAS) (void)buf_put(b, S("has "));
    spell(e, n->kids[0], vars, b);
    str name = by_name ? n->name : cel_text(n->kids[1]->value);
    (void)buf_fmt(b, "%s" STR_FMT, n->flags & NODE_MAYBE ? ".?" : ".", STR_ARG(name));
    return true;
}

static void spell(const lint_expr *e, const cel_node *n, unsigned vars, buf *b)
{
    if (!buf_ok(b) || spell_member(e, n, vars, b)) return;
    if (n->kind == NODE_CONST) spell_constant(n->value, b);
    if (n->kind == NODE_VAR) spell_variable(e, n->slot, vars, b);
    if (n->kind == NODE_LOCAL) (void)buf_fmt(b, "local%u", n->slot);
    if (n->kind == NODE_CONST || n->kind == NODE_VAR || n->kind == NODE_LOCAL) return;
    (void)buf_fmt(b, "(%u.%u.%u " STR_FMT, n->kind, n->op, n->flags, STR_ARG(n->name));
    for (uint32_t i = 0; i < n->count; i++) {
        (void)buf_put(b, S(" "));
        spell(e, n->kids[i], vars, b);
    }
    (void)buf_put(b, S(")"));
}

/* What is too long to be spelled is like nothing else: its own place. */
str lint_spell(const lint_expr *e, const cel_node *n)
{
    buf b = buf_new(e->l->a, SPELL_MOST);
    spell(e, n, 0, &b);
    if (buf_ok(&b)) return buf_str(&b);
    return arena_fmt(e->l->a, "%p.%u", (const void *)e->n, n->offset);
}
