/* SPDX-License-Identifier: Apache-2.0 */
/* lint_walk.c - one visit per node, for what is wrong with a part whatever stands around it.
 *
 * The sense says which way a part leans: 1 when its being true lets a call through, -1 when it
 * keeps it out, 0 when that cannot be told. A pattern that matches too much is a hole in one and
 * caution in the other. Vars are walked where they are read, each once in a round and sense. */
#include "lint_domain.h"

typedef struct {
    lint_expr e;
    uint64_t *seen; /* bit per (var, sense) */
    unsigned depth;
} walk;

enum { WALK_DEEP = 16 };

static void visit(walk *w, const cel_node *n, int sense);

/* Members */

static str quoted(arena *a, const char *before, str name, const char *behind)
{
    return arena_fmt(a, "%s'" STR_FMT "'%s", before, STR_ARG(name), behind);
}

static str nearest(arena *a, str name, const str *names)
{
    str near = yaml_did_you_mean(name, names);
    return near.n ? quoted(a, "did you mean ", near, "?") : (str){0};
}

static const str *field_names(arena *a, const cel_ctype *type)
{
    size_t n = 0;
    while (type->fields[n].type) n++;
    str *out = NEW_N(a, str, n + 1);
    for (size_t i = 0; i < n; i++) out[i] = type->fields[i].name;
    return out;
}

static str listed(arena *a, const str *names)
{
    buf b = buf_new(a, 512);
    size_t n = 0;
    for (; names[n].p && n < 8; n++)
        (void)buf_fmt(&b, "%s" STR_FMT, n ? ", " : "", STR_ARG(names[n]));
    if (names[n].p) (void)buf_put(&b, S(" …"));
    return buf_str(&b);
}

static void say_member(const lint_expr *e, const cel_node *n, const char *code, str text, str name,
                       const str *names)
{
    bool by_name = n->kind != NODE_INDEX;
    bool forbids = e->rule && e->rule->rule.effect == RULE_FORBID;
    lint_said s = {.code = code, .text = text, .hint = nearest(e->l->a, name, names)};
    s.offset = by_name ? n->at : n->kids[1]->offset;
    s.length = by_name ? name.n : n->kids[1]->length;
    s.fix = by_name ? yaml_did_you_mean(name, names) : (str){0};
    s.always = forbids; /* one tool without it is one whose calls are all denied */
    lint_say(e, s);
}

static void unknown_argument(const lint_expr *e, const cel_node *n, const cel_ctype *of, str name)
{
    arena *a = e->l->a;
    const str *names = field_names(a, of);
    str has = listed(a, names);
    bool top = n->kids[0]->kind == NODE_VAR && n->kids[0]->slot == VAR_ARGS;
    str text = top ? arena_fmt(a,
                               "tool " STR_FMT "/" STR_FMT " has no argument '" STR_FMT
                               "' (it has %s" STR_FMT ")",
                               STR_ARG(e->tool->server), STR_ARG(e->tool->name), STR_ARG(name),
                               has.n ? "" : "none", STR_ARG(has))
                   : arena_fmt(a, STR_FMT " has no member '" STR_FMT "' (it has " STR_FMT ")",
                               STR_ARG(lint_source(e, n->kids[0])), STR_ARG(name), STR_ARG(has));
    say_member(e, n, "error E201", text, name, names);
}

static void unknown_claim(const lint_expr *e, const cel_node *n, const cel_ctype *of, str name)
{
    arena *a = e->l->a;
    const policy_world *w = e->l->w;
    static const str always[] = {S("aud"), S("scope"), S("scp"), S("client_id"), S("azp"), {0}};
    for (const str *one = always; one->p; one++)
        if (str_eq(*one, name)) return;
    if (!w->claim_count || w->claims_open) return;
    say_member(e, n, "warning W301",
               arena_fmt(a, "no issuer declares the claim '" STR_FMT "'", STR_ARG(name)), name,
               field_names(a, of));
}

static void unknown_hint(const lint_expr *e, const cel_node *n, str name)
{
    static const str names[] = {S("title"),          S("readOnlyHint"),  S("destructiveHint"),
                                S("idempotentHint"), S("openWorldHint"), {0}};
    for (const str *one = names; one->p; one++)
        if (str_eq(*one, name)) return;
    say_member(e, n, "warning W302", quoted(e->l->a, "MCP knows no annotation ", name, ""), name,
               names);
}

static void header_name(const lint_expr *e, const cel_node *at, str name)
{
    arena *a = e->l->a;
    char *lower = NEW_N(a, char, name.n + 1);
    for (size_t i = 0; i < name.n; i++)
        lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    if (str_eq(name, (str){lower, name.n})) return;
    lint_say_node(e, at, "warning W303",
                  S("names of headers are in lower case here: this one is never there"),
                  arena_fmt(a, "write \"" STR_FMT "\"", (int)name.n, lower));
}

static bool is_headers(const cel_node *n)
{
    return n->kind == NODE_VAR && n->slot == FACT_HTTP_HEADERS;
}

static void look_at_member(const lint_expr *e, const cel_node *n)
{
    bool by_key = n->kind == NODE_INDEX;
    if (by_key && !lint_is_text(n->kids[1])) return;
    str name = by_key ? cel_text(n->kids[1]->value) : n->name;
    const cel_node *on = n->kids[0];
    const cel_ctype *of = cel_type_seen(on->type);
    if (of->kind == CEL_T_OPTIONAL) of = cel_type_seen(of->a);
    if (is_headers(on)) header_name(e, by_key ? n->kids[1] : n, name);
    if (on->kind == NODE_VAR && on->slot == FACT_TOOL_ANNOTATIONS) unknown_hint(e, n, name);
    if (!of->fields || cel_field_type(of, name)) return;
    js_value schema = policy_shape_schema(of);
    if (of == e->l->claims) unknown_claim(e, n, of, name);
    if (e->tool && policy_schema_lists(schema)) unknown_argument(e, n, of, name);
}

/* Comparing */

static bool is_null(const cel_node *n)
{
    return n->kind == NODE_CONST && n->value.tag == CEL_NULL;
}

static bool is_flag(const cel_node *n)
{
    return n->kind == NODE_CONST && n->value.tag == CEL_BOOL;
}

static bool is_member(const cel_node *n)
{
    return n->kind == NODE_SELECT || (n->kind == NODE_INDEX && lint_is_text(n->kids[1]));
}

static void compare_null(const lint_expr *e, const cel_node *n, const cel_node *other)
{
    if (!is_member(other) || (other->flags & NODE_MAYBE)) return;
    str what = lint_source(e, other);
    arena *a = e->l->a;
    const char *no = n->op == OP_EQ ? "!" : "";
    str hint = other->kind == NODE_SELECT
                   ? arena_fmt(a, "write %shas(" STR_FMT ")", no, STR_ARG(what))
                   : arena_fmt(a, "write %s(" STR_FMT " in " STR_FMT ")", no,
                               STR_ARG(lint_source(e, other->kids[1])),
                               STR_ARG(lint_source(e, other->kids[0])));
    str whole = lint_source(e, n);
    lint_say(e, (lint_said){"warning W304", (size_t)(whole.p - e->n->text.p), whole.n,
                            S("what is absent is not null: this is an error then, not true"), hint,
                            str_drop(hint, 6), false});
}

static void compare_flag(const lint_expr *e, const cel_node *n, const cel_node *flag,
                         const cel_node *other)
{
    if (cel_type_seen(other->type)->kind != CEL_T_BOOL) return;
    bool plain = flag->value.u.b == (n->op == OP_EQ);
    str what = lint_source(e, other);
    bool tight = other->kind == NODE_HAS || other->kind == NODE_CALL || is_member(other) ||
                 other->kind == NODE_VAR;
    str fix = plain   ? what
              : tight ? arena_fmt(e->l->a, "!" STR_FMT, STR_ARG(what))
                      : arena_fmt(e->l->a, "!(" STR_FMT ")", STR_ARG(what));
    str whole = lint_source(e, n);
    lint_say(e, (lint_said){"warning W305", (size_t)(whole.p - e->n->text.p), whole.n,
                            S("this compares what is true or false already"),
                            arena_fmt(e->l->a, "write " STR_FMT, STR_ARG(fix)), fix, false});
}

static void never_value(const lint_expr *e, const cel_node *constant, cel_value v,
                        const cel_node *other)
{
    lint_domain d;
    if (v.tag == CEL_NULL || !lint_domain_of(e, other, &d) || lint_domain_has(&d, v)) return;
    str text =
        arena_fmt(e->l->a, "never this value: " STR_FMT, STR_ARG(lint_domain_text(e->l->a, &d)));
    lint_say_node(e, constant, "warning W306", text, lint_domain_near(e->l->a, &d, v));
}

static void look_at_equal(const lint_expr *e, const cel_node *n)
{
    for (size_t i = 0; i < 2; i++) {
        const cel_node *one = n->kids[i], *other = n->kids[1 - i];
        if (is_null(one)) compare_null(e, n, other);
        if (is_flag(one)) compare_flag(e, n, one, other);
        if (one->kind == NODE_CONST) never_value(e, one, one->value, other);
    }
    bool names = n->kids[0]->kind != NODE_CONST;
    if (names && str_eq(lint_spell(e, n->kids[0]), lint_spell(e, n->kids[1])))
        lint_say_node(e, n, n->op == OP_EQ ? "warning W308" : "warning W307",
                      S("both sides are the same"), (str){0});
}

static void look_at_in(const lint_expr *e, const cel_node *n)
{
    const cel_node *list = n->kids[1];
    if (is_headers(list) && lint_is_text(n->kids[0]))
        header_name(e, n->kids[0], cel_text(n->kids[0]->value));
    for (uint32_t i = 0; list->kind == NODE_LIST && i < list->count; i++)
        if (list->kids[i]->kind == NODE_CONST)
            never_value(e, list->kids[i], list->kids[i]->value, n->kids[0]);
}

static void look_at_list(const lint_expr *e, const cel_node *n)
{
    enum { LONG = 200 };
    for (uint32_t i = 1; i < n->count && i < LONG; i++)
        for (uint32_t k = 0; k < i; k++) {
            const cel_node *x = n->kids[i], *y = n->kids[k];
            if (x->kind != NODE_CONST || y->kind != NODE_CONST || !cel_equal(x->value, y->value))
                continue;
            lint_say_node(e, x, "warning W309", S("this stands in the list already"), (str){0});
            break;
        }
}

/* && and || */

static void look_at_terms(const lint_expr *e, const cel_node *n)
{
    enum { LONG = 40 };
    arena *a = e->l->a;
    lint_terms t = {0};
    str why, hint;
    bool any = n->kind == NODE_OR;
    for (uint32_t i = 0; i < n->count && i < LONG; i++) lint_terms_of_node(e, n->kids[i], any, &t);
    for (size_t i = 1; i < t.count; i++)
        for (size_t k = 0; k < i; k++)
            if (t.list[i].e.n == e->n && str_eq(t.list[i].spelled, t.list[k].spelled)) {
                lint_say_node(e, t.list[i].node, "warning W310", S("this was said before"),
                              (str){0});
                return;
            }
    const lint_term *odd = any ? lint_contradiction(a, &t, &why, &hint) : NULL;
    if (odd && odd->e.n == e->n && !lint_odd_alone(a, odd))
        lint_say_node(e, odd->node, "warning W308",
                      arena_fmt(a, "one of these is always true: " STR_FMT, STR_ARG(why)),
                      S("write && if both are meant"));
}

/* Calls */

static bool is_scope_claim(const cel_node *n)
{
    return n->kind == NODE_SELECT && n->kids[0]->kind == NODE_VAR && n->kids[0]->slot == VAR_JWT &&
           (str_eq(n->name, S("scope")) || str_eq(n->name, S("scp")));
}

static void look_at_call(const lint_expr *e, const cel_node *n, int sense)
{
    if (lint_is_call(n, "matches", 2)) lint_pattern(e, n, sense);
    bool text = lint_is_call(n, "startsWith", 2) || lint_is_call(n, "endsWith", 2) ||
                lint_is_call(n, "contains", 2);
    if (!text || !lint_is_text(n->kids[1])) return;
    if (is_scope_claim(n->kids[0]) && lint_is_call(n, "contains", 2)) {
        str hint = arena_fmt(e->l->a, "write " STR_FMT " in caller.scopes",
                             STR_ARG(lint_source(e, n->kids[1])));
        lint_say(e, (lint_said){"warning W311", n->offset, n->length,
                                S("this is also true of a scope that only contains the word"), hint,
                                str_drop(hint, 6), false});
        return;
    }
    lint_text_test(e, n, sense);
}

static bool names_server(const rule_node *r, str server)
{
    const str *pattern = r->rule.names[SUBJECT_TOOL];
    for (; pattern && pattern->p; pattern++) {
        str_pair cut = str_cut(*pattern, '/');
        if (policy_glob(cut.head, server)) return true;
    }
    return false;
}

/* The first server of the rule that is configured and not trusted; {0}: none is. */
static str untrusted(const lint_expr *e)
{
    const policy_world *w = e->l->w;
    for (size_t i = 0; i < w->server_count; i++) {
        str name = w->servers[i].name;
        bool meant = e->tool ? str_eq(e->tool->server, name) : names_server(e->rule, name);
        if (meant && !w->servers[i].trusted) return name;
    }
    return (str){0};
}

static void look_at_variable(const lint_expr *e, const cel_node *n)
{
    if (n->slot != FACT_TOOL_ANNOTATIONS || !e->rule) return;
    str server = e->rule->rule.effect == RULE_PERMIT ? untrusted(e) : (str){0};
    if (!server.n) return;
    str text = arena_fmt(e->l->a,
                         "this permit believes what server '" STR_FMT
                         "' says of itself, and it is not trusted",
                         STR_ARG(server));
    str hint = arena_fmt(e->l->a,
                         "write the names of its tools instead, or `trusted: true` at "
                         "mcp.servers." STR_FMT,
                         STR_ARG(server));
    lint_say(e, (lint_said){"warning W323", n->offset, n->length, text, hint, {0}, true});
}

/* The visit */

static void visit_var(walk *w, uint32_t slot, int sense)
{
    size_t at = ((size_t)slot - FACTS) * 3 + (size_t)(sense + 1);
    lint_expr before = w->e, var;
    if (slot < FACTS || w->depth == WALK_DEEP) return;
    if (w->seen[at / 64] & (uint64_t)1 << (at % 64)) return;
    w->seen[at / 64] |= (uint64_t)1 << (at % 64);
    if (!lint_open_var(&w->e, slot, &var)) return;
    w->e = var;
    w->depth++;
    visit(w, var.root, sense);
    w->depth--;
    w->e = before;
}

static void look_at_local(const lint_expr *e, const cel_node *n)
{
    for (size_t slot = 0; slot < FACTS; slot++) {
        str fact = str_cut(policy_fact_variable(slot).name, '.').head;
        if (!str_eq(fact, n->name) && !str_eq(fact, n->name2)) continue;
        str text =
            arena_fmt(e->l->a, "a variable of this macro hides the fact " STR_FMT, STR_ARG(fact));
        lint_say(e, (lint_said){"warning W330",
                                n->at,
                                n->at_length,
                                text,
                                S("write another name"),
                                {0},
                                false});
        return;
    }
}

static void look_at(const lint_expr *e, const cel_node *n, int sense)
{
    switch ((cel_node_kind)n->kind) {
    case NODE_SELECT:
    case NODE_HAS:
    case NODE_INDEX: look_at_member(e, n); return;
    case NODE_EQUAL: look_at_equal(e, n); return;
    case NODE_IN: look_at_in(e, n); return;
    case NODE_LIST: look_at_list(e, n); return;
    case NODE_VAR: look_at_variable(e, n); return;
    case NODE_AND:
    case NODE_OR: look_at_terms(e, n); return;
    case NODE_CALL: look_at_call(e, n, sense); return;
    case NODE_FOLD:
    case NODE_BIND: look_at_local(e, n); return;
    default: return;
    }
}

/* Which way the kid leans, of a node that leans that way. */
static int sense_of_kid(const cel_node *n, uint32_t i, int sense)
{
    switch ((cel_node_kind)n->kind) {
    case NODE_AND:
    case NODE_OR: return sense;
    case NODE_NOT: return -sense;
    case NODE_IF:
    case NODE_BIND: return i ? sense : 0;
    case NODE_FOLD: return i == 1 && (n->op == FOLD_ALL || n->op == FOLD_EXISTS) ? sense : 0;
    default: return 0;
    }
}

static void visit(walk *w, const cel_node *n, int sense)
{
    look_at(&w->e, n, sense);
    if (n->kind == NODE_VAR) visit_var(w, n->slot, sense);
    if (n->kind == NODE_LOCAL) return; /* its initialiser is walked where it stands */
    for (uint32_t i = 0; i < n->count; i++) visit(w, n->kids[i], sense_of_kid(n, i, sense));
}

void lint_walk(const lint_expr *e, int sense)
{
    size_t words = (e->scope->count - FACTS) * 3 / 64 + 1;
    walk w = {.e = *e, .seen = NEW_N(e->l->a, uint64_t, words)};
    visit(&w, e->root, sense);
}
