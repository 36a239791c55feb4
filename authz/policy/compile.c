/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c - CEL's own problems moved to their place, and those only a policy has.
 *
 * The engine checks names and types. Here come: members that do not exist (`tool.nmae`), vars
 * that do not or not yet, facts that have no value in this version, and conditions that are
 * not conditions. Each is an error: at run time it would deny, and nobody would know why. */
#include "compile.h"
#include "place.h"

enum { VAR_DEPTH = 16 }; /* vars that read vars: each is a nested evaluation on the C stack */

void policy_scope_begin(policy_scope *s, policy_draft *d, const policy_source *source)
{
    *s = (policy_scope){.draft = d, .source = source, .count = FACTS + d->var_count};
    s->cap = s->count + 64;
    s->variables = NEW_N(d->a, cel_variable, s->cap);
    s->vars = NEW_N(d->a, const policy_var *, s->cap);
    for (size_t i = 0; i < FACTS; i++) s->variables[i] = policy_fact_variable(i);
}

void policy_scope_add(policy_scope *s, const policy_var *var)
{
    arena *a = s->draft->a;
    if (s->count == s->cap) {
        cel_variable *variables = NEW_N(a, cel_variable, s->cap * 2);
        const policy_var **vars = NEW_N(a, const policy_var *, s->cap * 2);
        for (size_t i = 0; i < s->count; i++) {
            variables[i] = s->variables[i];
            vars[i] = s->vars[i];
        }
        s->variables = variables;
        s->vars = vars;
        s->cap *= 2;
    }
    cel_type type = var->program ? cel_result_type(var->program) : CEL_T_DYN;
    s->vars[s->count - FACTS] = var;
    s->variables[s->count++] =
        (cel_variable){arena_fmt(a, "vars." STR_FMT, STR_ARG(var->name)), type};
}

static problem *note(policy_scope *s, const yaml_node *n, size_t offset, const char *code, str text)
{
    policy_place at = policy_place_of(s->source->text, n, offset);
    return problems_add(s->draft->out, at.line, at.column, "error %s: " STR_FMT, code,
                        STR_ARG(text));
}

/* Where `member` of `name` is written in the expression; 0 when it is not to be found. */
static size_t member_offset(str source, str name, str member)
{
    for (size_t i = 0; i + name.n < source.n; i++) {
        str rest = str_drop(source, i);
        if (!str_starts(rest, name)) continue;
        size_t skip = name.n;
        while (skip < rest.n && strchr(".?[\"' ", rest.p[skip])) skip++;
        if (str_starts(str_drop(rest, skip), member)) return i + skip;
    }
    return 0;
}

static bool is_listed(const str *names, str name)
{
    for (; names && names->p; names++)
        if (str_eq(*names, name)) return true;
    return false;
}

static str suggestion(arena *a, str word, const str *names)
{
    str near = names ? yaml_did_you_mean(word, names) : (str){0};
    return near.n ? arena_fmt(a, ", did you mean '" STR_FMT "'?", STR_ARG(near)) : S("");
}

/* NULL text: nothing wrong with reading this. */
static str wrong_read(policy_scope *s, const cel_read *r, const str *members, unsigned how)
{
    arena *a = s->draft->a;
    bool usage = policy_fact_member(VAR_USAGE, policy_fact_last(r->slot)) == r->slot;
    if (r->slot == VAR_USAGE && !r->member.n) return S("usage cannot be used as a whole");
    if (usage && !(how & EXPR_COST))
        return S("usage is known when a call is over: only the `cost` of a quota reads it");
    if (!usage && r->slot != VAR_USAGE && how & EXPR_COST)
        return S("`cost` can read usage and nothing else");
    if (r->slot == VAR_QUOTA && how & EXPR_BEFORE)
        return S("`key`, `limit` and masks cannot depend on what remains of quotas");
    if (r->slot == VAR_QUOTA && !r->member.n)
        return S("quota cannot be used as a whole: write quota.ID.remaining");
    if (r->slot == VAR_VARS) {
        if (!r->member.n) return S("vars cannot be used as a whole: write vars.NAME");
        if (is_listed(s->later, r->member))
            return arena_fmt(a, "vars." STR_FMT " must stand above, and be used as vars." STR_FMT,
                             STR_ARG(r->member), STR_ARG(r->member));
        str hint = suggestion(a, r->member, s->later);
        return arena_fmt(a, "no var '" STR_FMT "' in this file" STR_FMT, STR_ARG(r->member),
                         STR_ARG(hint));
    }
    if (!members || !r->member.n || is_listed(members, r->member)) return (str){0};
    str of = s->variables[r->slot].name, hint = suggestion(a, r->member, members);
    return arena_fmt(a, "'" STR_FMT "' has no member '" STR_FMT "'" STR_FMT, STR_ARG(of),
                     STR_ARG(r->member), STR_ARG(hint));
}

/* A var used where it could not stand itself. */
static str wrong_var(const policy_var *var, unsigned how)
{
    if (how & EXPR_COST) return S("`cost` can read usage and nothing else");
    if (how & EXPR_BEFORE && var->reads >> VAR_QUOTA & 1)
        return S("`key`, `limit` and masks cannot depend on what remains of quotas");
    return (str){0};
}

/* Notes what is wrong with the names; gathers what is read. */
static bool check_reads(policy_scope *s, const yaml_node *n, policy_expr *e, unsigned how)
{
    size_t count;
    bool good = true;
    const cel_read *reads = cel_reads(e->program, &count);
    for (size_t i = 0; i < count; i++) {
        const cel_read *r = &reads[i];
        if (r->slot >= FACTS) {
            const policy_var *var = s->vars[r->slot - FACTS];
            e->reads |= var->reads;
            if (var->depth >= e->depth) e->depth = var->depth + 1;
            str of = wrong_var(var, how);
            if (!of.n) continue;
            good = false;
            note(s, n, 0, "E109", of);
            continue;
        }
        e->reads |= (uint64_t)1 << r->slot;
        str wrong = wrong_read(s, r, policy_fact_members(s->draft->a, r->slot), how);
        if (!wrong.n) continue;
        good = false;
        note(s, n, member_offset(n->text, s->variables[r->slot].name, r->member), "E109", wrong);
    }
    return good;
}

static bool check_result(policy_scope *s, const yaml_node *n, const policy_expr *e, unsigned how,
                         const char *what)
{
    arena *a = s->draft->a;
    cel_type type = cel_result_type(e->program);
    if (how & EXPR_BOOL && type != CEL_T_BOOL && type != CEL_T_DYN) {
        str is = cel_result_type_text(a, e->program);
        note(s, n, 0, "E108",
             arena_fmt(a, "%s must be true or false, this is " STR_FMT, what, STR_ARG(is)));
        return false;
    }
    if (e->depth < VAR_DEPTH) return true;
    note(s, n, 0, "E104", arena_fmt(a, "vars that use vars, more than %d deep", VAR_DEPTH));
    return false;
}

/* What other gateways call it. */
static str our_name(arena *a, str theirs)
{
    static const struct {
        str theirs, ours;
    } names[] = {{S("claims"), S("jwt")},       {S("token"), S("jwt")},
                 {S("user"), S("caller")},      {S("subject"), S("caller")},
                 {S("principal"), S("caller")}, {S("arguments"), S("args")},
                 {S("params"), S("args")},      {S("input"), S("args")},
                 {S("request"), S("http")},     {S("headers"), S("http.headers")},
                 {S("model"), S("llm.model")},  {S("time"), S("now")},
                 {S("ip"), S("source.ip")}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(names[i].theirs, theirs))
            return arena_fmt(a, "did you mean " STR_FMT "?", STR_ARG(names[i].ours));
    return (str){0};
}

static void note_all(policy_scope *s, const yaml_node *n, const cel_problem *p)
{
    arena *a = s->draft->a;
    bool cut = policy_place_cut_by_comment(s->source->text, n);
    for (; p; p = p->next) {
        str hint = p->hint, name = str_take(str_drop(n->text, p->offset), p->length);
        if (!hint.n && strcmp(p->code, "E004") == 0) hint = our_name(a, name);
        str text = hint.n ? arena_fmt(a, STR_FMT " (" STR_FMT ")", STR_ARG(p->text), STR_ARG(hint))
                          : p->text;
        if (cut)
            text = arena_fmt(a,
                             STR_FMT
                             "; YAML takes what follows ' #' for a comment: quote the expression",
                             STR_ARG(text));
        problem *one = note(s, n, p->offset, p->code, text);
        one->hint = cut ? S("quote the expression") : hint;
        one->width = policy_place_width(s->source->text, n, p->offset, p->length);
    }
}

policy_expr policy_compile(policy_scope *s, const yaml_node *n, unsigned how, const char *what)
{
    policy_expr e = {0};
    problems *out = s->draft->out;
    if (n->kind != YAML_SCALAR) {
        problems_add(out, n->line, n->column,
                     "error E103: %s must be an expression, not a %s; quote the expression if it "
                     "begins with %s",
                     what, n->kind == YAML_LIST ? "list" : "map", n->kind == YAML_LIST ? "[" : "{");
        return e;
    }
    if (!n->text.n || yaml_is_null(n)) {
        problems_add(out, n->line, n->column, "error E104: %s is empty", what);
        return e;
    }
    cel_variable this = s->variables[FACT_THIS];
    if (!(how & EXPR_THIS)) s->variables[FACT_THIS].name = (str){0};
    const cel_env env = {s->variables, s->count};
    const cel_options options = {.zones = s->draft->zones};
    const cel_problem *wrong = cel_compile_with(s->draft->a, n->text, &env, &options, &e.program);
    s->variables[FACT_THIS] = this;
    e.source = n->text;
    if (wrong) note_all(s, n, wrong);
    if (wrong || !check_reads(s, n, &e, how) || !check_result(s, n, &e, how, what))
        e.program = NULL;
    return e;
}
