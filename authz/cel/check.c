/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - one visit per kind of node.
 *
 * A problem is noted where it is and the node gets type dyn, which fits everywhere: so one
 * mistake is one message, and all of them are found in one go. */
#include "check.h"

static void check(cel_checker *c, cel_node *n);

static const cel_ctype *plain(cel_type kind)
{
    return cel_type_plain(kind);
}

/* clang-format off */
static const struct {
    const char *symbol;
    const char *signatures[16];
} operators[OP_COUNT] = {
    [OP_ADD] = {"+",  {"ii>i", "uu>u", "dd>d", "ss>s", "yy>y", "lAlA>lA", "tD>t", "Dt>t", "DD>D"}},
    [OP_SUB] = {"-",  {"ii>i", "uu>u", "dd>d", "tt>D", "tD>t", "DD>D"}},
    [OP_MUL] = {"*",  {"ii>i", "uu>u", "dd>d"}},
    [OP_DIV] = {"/",  {"ii>i", "uu>u", "dd>d"}},
    [OP_MOD] = {"%",  {"ii>i", "uu>u"}},
    [OP_EQ]  = {"==", {"AA>b"}},
    [OP_NE]  = {"!=", {"AA>b"}},
    [OP_IN]  = {"in", {"AlA>b", "AmAB>b"}},
    [OP_LT]  = {"<",  {"ii>b", "uu>b", "dd>b", "ss>b", "yy>b", "bb>b", "tt>b", "DD>b", "id>b", "di>b", "iu>b", "ui>b", "ud>b", "du>b"}},
    [OP_LE]  = {"<=", {"ii>b", "uu>b", "dd>b", "ss>b", "yy>b", "bb>b", "tt>b", "DD>b", "id>b", "di>b", "iu>b", "ui>b", "ud>b", "du>b"}},
    [OP_GT]  = {">",  {"ii>b", "uu>b", "dd>b", "ss>b", "yy>b", "bb>b", "tt>b", "DD>b", "id>b", "di>b", "iu>b", "ui>b", "ud>b", "du>b"}},
    [OP_GE]  = {">=", {"ii>b", "uu>b", "dd>b", "ss>b", "yy>b", "bb>b", "tt>b", "DD>b", "id>b", "di>b", "iu>b", "ui>b", "ud>b", "du>b"}},
    [OP_AND] = {"&&", {0}},
    [OP_OR]  = {"||", {0}},
};
/* clang-format on */
static const char *const not_signatures[] = {"b>b", NULL};
static const char *const negate_signatures[] = {"i>i", "d>d", NULL};

static bool fits(cel_checker *c, const cel_ctype *to, const cel_ctype *from)
{
    const struct cel_binding *mark = c->types.trail;
    if (cel_type_fits(&c->types, to, from)) return true;
    cel_types_undo(&c->types, mark);
    return false;
}

static void want_bool(cel_checker *c, const cel_node *n, const char *who)
{
    if (fits(c, plain(CEL_T_BOOL), n->type)) return;
    str type = cel_type_text(c->notes->a, n->type);
    cel_note(c->notes, (cel_span){n->offset, n->length}, "E003",
             arena_fmt(c->notes->a, "%s takes bool, not " STR_FMT, who, STR_ARG(type)),
             n->kind == NODE_CONST ? S("compare it: x == value, or x in [values]") : (str){0});
}

static void check_condition(cel_checker *c, cel_node *n, const char *who)
{
    check(c, n);
    if (!c->options->unchecked) want_bool(c, n, who);
}

static void check_constant(cel_node *n)
{
    static const cel_type types[CEL_TAGS] = {
        [CEL_NULL] = CEL_T_NULL,   [CEL_BOOL] = CEL_T_BOOL,     [CEL_INT] = CEL_T_INT,
        [CEL_UINT] = CEL_T_UINT,   [CEL_DOUBLE] = CEL_T_DOUBLE, [CEL_STRING] = CEL_T_STRING,
        [CEL_BYTES] = CEL_T_BYTES,
    };
    n->type = plain(types[n->value.tag]);
}

/* What a member of this type has for a type; NULL when it has no members. */
static const cel_ctype *member_type(const cel_ctype *of, str name)
{
    of = cel_type_seen(of);
    const cel_ctype *known = cel_field_type(of, name);
    if (known) return known;
    if (of->kind == CEL_T_MAP) return of->b;
    return of->kind == CEL_T_DYN || of->kind == CEL_T_KINDS ? plain(CEL_T_DYN) : NULL;
}

/* A member or element of an optional, or one asked for with ?, is optional itself. */
static void set_result(cel_checker *c, cel_node *n, const cel_ctype *type, bool optional)
{
    n->type = optional && type->kind != CEL_T_OPTIONAL
                  ? cel_type_of1(&c->types, CEL_T_OPTIONAL, type)
                  : type;
}

static const cel_ctype *unwrap(const cel_ctype *type, bool *optional)
{
    type = cel_type_seen(type);
    *optional = type->kind == CEL_T_OPTIONAL;
    return *optional ? cel_type_seen(type->a) : type;
}

static void no_members(cel_checker *c, const cel_node *n, const cel_ctype *of)
{
    str type = cel_type_text(c->notes->a, of);
    str text = arena_fmt(c->notes->a, "a value of type " STR_FMT " has no member '" STR_FMT "'",
                         STR_ARG(type), STR_ARG(n->name));
    cel_complain(c, n, "E003", text, (str){0});
}

static void check_select(cel_checker *c, cel_node *n)
{
    check(c, n->kids[0]);
    bool optional;
    const cel_ctype *of = unwrap(n->kids[0]->type, &optional), *type = member_type(of, n->name);
    if (!type) {
        no_members(c, n, of);
        type = plain(CEL_T_DYN);
    }
    if (n->kind == NODE_HAS) {
        n->type = plain(CEL_T_BOOL);
    } else {
        set_result(c, n, type, optional || (n->flags & NODE_MAYBE));
    }
}

static void check_index(cel_checker *c, cel_node *n)
{
    check(c, n->kids[0]);
    check(c, n->kids[1]);
    bool optional;
    const cel_ctype *of = unwrap(n->kids[0]->type, &optional), *at = n->kids[1]->type;
    const cel_ctype *type = plain(CEL_T_DYN);
    if (of->kind == CEL_T_LIST) {
        type = of->a;
        if (!fits(c, plain(CEL_T_INT), at)) {
            str got = cel_type_text(c->notes->a, at);
            cel_complain(c, n, "E003",
                         arena_fmt(c->notes->a, "a list is indexed by int, not " STR_FMT,
                                   STR_ARG(got)),
                         (str){0});
        }
    } else if (of->kind == CEL_T_MAP) {
        const cel_node *key = n->kids[1];
        bool named = key->kind == NODE_CONST && key->value.tag == CEL_STRING;
        type = named ? member_type(of, cel_text(key->value)) : of->b;
        if (!fits(c, of->a, at)) {
            str got = cel_type_text(c->notes->a, at), want = cel_type_text(c->notes->a, of->a);
            cel_complain(c, n, "E003",
                         arena_fmt(c->notes->a, "the keys are " STR_FMT ", not " STR_FMT,
                                   STR_ARG(want), STR_ARG(got)),
                         (str){0});
        }
    } else if (of->kind != CEL_T_DYN && of->kind != CEL_T_KINDS) {
        str got = cel_type_text(c->notes->a, of);
        cel_complain(c, n, "E003",
                     arena_fmt(c->notes->a, "a value of type " STR_FMT " cannot be indexed",
                               STR_ARG(got)),
                     (str){0});
    }
    set_result(c, n, type, optional || (n->flags & NODE_MAYBE));
}

static void check_conditional(cel_checker *c, cel_node *n)
{
    check_condition(c, n->kids[0], "the condition before ?");
    check(c, n->kids[1]);
    check(c, n->kids[2]);
    n->type = cel_type_join(&c->types, n->kids[1]->type, n->kids[2]->type);
    if (n->type) return;
    n->type = plain(CEL_T_DYN);
    arena *a = c->notes->a;
    str yes = cel_type_text(a, n->kids[1]->type), no = cel_type_text(a, n->kids[2]->type);
    cel_complain(c, n, "E003",
                 arena_fmt(a, "the two sides of : are " STR_FMT " and " STR_FMT, STR_ARG(yes),
                           STR_ARG(no)),
                 S("if that is meant, write dyn(x) around one"));
}

/* The type of all elements together; dyn when they differ. An element ?e counts as what it holds.
 */
static const cel_ctype *join_element(cel_checker *c, const cel_ctype *so_far, const cel_node *n,
                                     bool maybe)
{
    const cel_ctype *type = cel_type_seen(n->type);
    if (maybe) {
        bool optional;
        type = unwrap(type, &optional);
        if (!optional && type->kind != CEL_T_DYN) {
            cel_complain(c, n, "E003", S("an element written with ? must be optional"), (str){0});
        }
        if (!optional) type = plain(CEL_T_DYN);
    }
    if (!so_far) return type;
    const cel_ctype *joined = cel_type_join(&c->types, so_far, type);
    return joined ? joined : plain(CEL_T_DYN);
}

static void check_list(cel_checker *c, cel_node *n)
{
    const cel_ctype *element = NULL;
    for (uint32_t i = 0; i < n->count; i++) {
        check(c, n->kids[i]);
        element = join_element(c, element, n->kids[i], n->kids[i]->flags & NODE_ELEMENT);
    }
    n->type = cel_type_of1(&c->types, CEL_T_LIST, element ? element : cel_type_var(&c->types));
}

/* Keys other than scalars are refused here, which also keeps types of one branch (types.c). */
static const cel_ctype *key_type(cel_checker *c, const cel_node *key, const cel_ctype *type)
{
    type = cel_type_seen(type);
    switch (type->kind) {
    case CEL_T_INT:
    case CEL_T_UINT:
    case CEL_T_BOOL:
    case CEL_T_STRING:
    case CEL_T_DYN: return type;
    case CEL_T_KINDS: return plain(CEL_T_DYN);
    default: break;
    }
    str got = cel_type_text(c->notes->a, type);
    str text =
        arena_fmt(c->notes->a, "a key is a string, int, uint or bool, not " STR_FMT, STR_ARG(got));
    cel_complain(c, key, "E003", text, (str){0});
    return plain(CEL_T_DYN);
}

static void check_map(cel_checker *c, cel_node *n)
{
    const cel_ctype *key = NULL, *value = NULL;
    for (uint32_t i = 0; i + 1 < n->count; i += 2) {
        check(c, n->kids[i]);
        check(c, n->kids[i + 1]);
        n->kids[i]->type = key_type(c, n->kids[i], n->kids[i]->type);
        key = join_element(c, key, n->kids[i], false);
        value = join_element(c, value, n->kids[i + 1], n->kids[i]->flags & NODE_ELEMENT);
    }
    if (!key) {
        key = cel_type_var(&c->types);
        value = cel_type_var(&c->types);
    }
    n->type = cel_type_of2(&c->types, CEL_T_MAP, key, value);
}

static uint32_t push_local(cel_checker *c, const cel_node *n, str name, const cel_ctype *type,
                           cel_node **init)
{
    if (c->slots >= CEL_LOCALS) {
        cel_note(c->notes, (cel_span){n->at, n->at_length}, "E008",
                 arena_fmt(c->notes->a, "more than %d variables of macros", CEL_LOCALS),
                 S("split the rule in two"));
        c->slots = CEL_LOCALS - 2;
        c->depth = c->depth > CEL_LOCALS - 2 ? CEL_LOCALS - 2 : c->depth;
    }
    c->locals[c->depth++] = (cel_local){name, c->slots, type, init};
    return c->slots++;
}

/* The types of a comprehension's variables: over a list (index,) element; over a map key (, value);
 * over an optional what it holds. */
static void range_types(cel_checker *c, const cel_node *n, const cel_ctype **first,
                        const cel_ctype **second)
{
    const cel_ctype *range = cel_type_seen(n->kids[0]->type);
    bool option = n->op == FOLD_OPTION || n->op == FOLD_OPTION_FLAT;
    *first = *second = plain(CEL_T_DYN);
    if (range->kind == CEL_T_DYN || range->cell) return;
    if (option && range->kind == CEL_T_OPTIONAL) {
        *first = range->a;
    } else if (!option && range->kind == CEL_T_LIST) {
        *first = n->two ? plain(CEL_T_INT) : range->a;
        *second = range->a;
    } else if (!option && range->kind == CEL_T_MAP) {
        *first = range->a;
        *second = range->b;
    } else {
        str got = cel_type_text(c->notes->a, range);
        cel_complain(c, n, "E003",
                     arena_fmt(c->notes->a, "it goes over %s, not " STR_FMT,
                               option ? "an optional" : "a list or a map", STR_ARG(got)),
                     (str){0});
    }
}

/* The result of optFlatMap must be optional. */
static const cel_ctype *flat_type(cel_checker *c, const cel_node *result)
{
    const cel_ctype *type = cel_type_seen(result->type);
    if (type->kind == CEL_T_OPTIONAL || type->kind == CEL_T_DYN || type->cell) return type;
    str got = cel_type_text(c->notes->a, type);
    cel_complain(c, result, "E003",
                 arena_fmt(c->notes->a, "optFlatMap takes an optional, not " STR_FMT, STR_ARG(got)),
                 S("optMap makes one of any value"));
    return plain(CEL_T_DYN);
}

static const cel_ctype *fold_type(cel_checker *c, const cel_node *n, const cel_ctype *first)
{
    if (n->count < 3) return plain(CEL_T_BOOL);
    const cel_ctype *result = n->kids[2]->type;
    switch ((cel_fold_kind)n->op) {
    case FOLD_OPTION: return cel_type_of1(&c->types, CEL_T_OPTIONAL, result);
    case FOLD_OPTION_FLAT: return flat_type(c, n->kids[2]);
    case FOLD_LIST: return cel_type_of1(&c->types, CEL_T_LIST, result);
    case FOLD_MAP: return cel_type_of2(&c->types, CEL_T_MAP, key_type(c, n, first), result);
    case FOLD_ENTRY:
        return cel_type_of2(&c->types, CEL_T_MAP, key_type(c, n->kids[3], n->kids[3]->type),
                            result);
    default: return plain(CEL_T_BOOL);
    }
}

static void check_fold(cel_checker *c, cel_node *n)
{
    check(c, n->kids[0]);
    const cel_ctype *first, *second;
    range_types(c, n, &first, &second);
    uint32_t depth = c->depth;
    n->slot = push_local(c, n, n->name, first, NULL);
    if (n->two) (void)push_local(c, n, n->name2, second, NULL);
    check_condition(c, n->kids[1], "the condition of a macro");
    for (uint32_t i = 2; i < n->count; i++) check(c, n->kids[i]);
    n->type = fold_type(c, n, first);
    c->depth = depth;
}

static void check_bind(cel_checker *c, cel_node *n)
{
    check(c, n->kids[0]);
    uint32_t depth = c->depth;
    n->slot = push_local(c, n, n->name, n->kids[0]->type, &n->kids[0]);
    check(c, n->kids[1]);
    n->type = n->kids[1]->type;
    c->depth = depth;
}

static void check_call(cel_checker *c, cel_node *n)
{
    cel_resolve_namespace(c, n);
    for (uint32_t i = 0; i < n->count; i++) check(c, n->kids[i]);
    cel_resolve_call(c, n);
}

static void check_terms(cel_checker *c, cel_node *n)
{
    for (uint32_t i = 0; i < n->count; i++) check_condition(c, n->kids[i], operators[n->op].symbol);
    n->type = plain(CEL_T_BOOL);
}

/* `!x in y` is (!x) in y, which nobody means: true when it was said so. */
static bool is_not_in(cel_checker *c, cel_node *n)
{
    if (n->kind != NODE_IN || n->kids[0]->kind != NODE_NOT || c->options->unchecked) return false;
    if (cel_type_seen(n->kids[0]->kids[0]->type)->kind == CEL_T_BOOL) return false;
    cel_complain(c, n->kids[0], "E010", S("the ! takes only what stands before `in`"),
                 S("write !(x in y)"));
    n->type = n->kids[0]->type = plain(CEL_T_BOOL);
    return true;
}

static void check_operator(cel_checker *c, cel_node *n)
{
    bool negated = n->kind == NODE_IN && n->kids[0]->kind == NODE_NOT;
    if (negated) check(c, n->kids[0]->kids[0]);
    if (negated && is_not_in(c, n)) {
        check(c, n->kids[1]);
        return;
    }
    for (uint32_t i = negated; i < n->count; i++) check(c, n->kids[i]);
    if (negated) cel_resolve_operator(c, n->kids[0], "!", not_signatures);
    if (n->kind == NODE_NOT) {
        cel_resolve_operator(c, n, "!", not_signatures);
    } else if (n->kind == NODE_NEGATE) {
        cel_resolve_operator(c, n, "-", negate_signatures);
    } else {
        cel_resolve_operator(c, n, operators[n->op].symbol, operators[n->op].signatures);
    }
}

static void check(cel_checker *c, cel_node *n)
{
    switch ((cel_node_kind)n->kind) {
    case NODE_CONST: check_constant(n); return;
    case NODE_NAME:
        if (!cel_resolve_name(c, n)) cel_unknown_name(c, n);
        return;
    case NODE_SELECT:
        if (!cel_resolve_name(c, n)) check_select(c, n);
        return;
    case NODE_HAS: check_select(c, n); return;
    case NODE_INDEX: check_index(c, n); return;
    case NODE_AND:
    case NODE_OR: check_terms(c, n); return;
    case NODE_IF: check_conditional(c, n); return;
    case NODE_CALL: check_call(c, n); return;
    case NODE_LIST: check_list(c, n); return;
    case NODE_MAP: check_map(c, n); return;
    case NODE_FOLD: check_fold(c, n); return;
    case NODE_BIND: check_bind(c, n); return;
    case NODE_ARITH:
    case NODE_EQUAL:
    case NODE_ORDER:
    case NODE_IN:
    case NODE_NOT:
    case NODE_NEGATE: check_operator(c, n); return;
    case NODE_VAR:
    case NODE_LOCAL:
    case NODE_PATH:
    case NODE_MATCHES:
    case NODE_FAIL: return; /* made by later passes */
    }
}

void cel_check(cel_notes *notes, cel_node *root, const cel_env *env, const cel_options *options)
{
    cel_checker c = {.notes = notes, .env = env, .options = options, .types = {.a = notes->a}};
    c.dotted = options->container.n > 0;
    for (size_t i = 0; i < env->count; i++) {
        str name = env->variables[i].name;
        if (name.n && memchr(name.p, '.', name.n)) c.dotted = true;
    }
    check(&c, root);
}
