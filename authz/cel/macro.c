/* SPDX-License-Identifier: Apache-2.0 */
/* macro.c - calls that are not calls: has(), the comprehensions, cel.bind(), cel.block().
 *
 * A row of the table is a name, who it is called on, how many arguments, and what it becomes. A
 * call of the same name with other arguments is an ordinary call, as the specification wants
 * (so map.all(x) may be a host's function one day). */
#include "parse.h"

typedef struct {
    const char *name;
    bool receiver;
    uint8_t args; /* the receiver not counted */
    uint8_t vars; /* how many of the first arguments are variables */
    uint8_t op;   /* cel_fold_kind */
    cel_node *(*expand)(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars);
} macro;

static cel_node *refuse(cel_notes *notes, const cel_node *n, str text, str hint)
{
    cel_note(notes, (cel_span){n->offset, n->length}, "E006", text, hint);
    return NULL;
}

static cel_node *has(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    (void)op, (void)vars;
    cel_node *inner = call->kids[0];
    if (inner->kind != NODE_SELECT || (inner->flags & NODE_MAYBE)) {
        return refuse(notes, inner, S("has() takes a member: has(x.name)"),
                      inner->kind == NODE_INDEX ? S("for a key, write 'key' in x") : (str){0});
    }
    inner->kind = NODE_HAS;
    return inner;
}

static bool variable(cel_notes *notes, const cel_node *n, str *name)
{
    *name = n->name;
    if (n->kind == NODE_NAME && !(n->flags & NODE_ROOTED)) return true;
    refuse(notes, n, S("a plain name is expected here"), (str){0});
    return false;
}

static cel_node *leaf(cel_notes *notes, const cel_node *like, cel_node_kind kind)
{
    cel_node *n = cel_node_new(notes, kind, like->offset);
    n->length = n->at_length = like->length;
    n->height = 1;
    return n;
}

/* What stands for a predicate that was not written. */
static cel_node *always(cel_notes *notes, const cel_node *like)
{
    cel_node *n = leaf(notes, like, NODE_CONST);
    n->value = cel_bool(true);
    return n;
}

/* filter(x, p) is map(x, p, x). */
static cel_node *itself(cel_notes *notes, const cel_node *like, str name)
{
    cel_node *n = leaf(notes, like, NODE_NAME);
    n->name = name;
    return n;
}

/* range.macro(var [, var2] , rest…): kids become range, predicate, result, key, as many as the
 * kind of fold has. */
static cel_node *fold(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    if (!variable(notes, call->kids[1], &call->name)) return NULL;
    if (vars == 2 && !variable(notes, call->kids[2], &call->name2)) return NULL;
    call->two = vars == 2;
    if (call->two && str_eq(call->name, call->name2)) {
        return refuse(notes, call->kids[2], S("the two variables have one name"), (str){0});
    }
    cel_node **kids = NEW_N(notes->a, cel_node *, 4), *const *rest = call->kids + 1 + vars;
    bool quantifier = op == FOLD_ALL || op == FOLD_EXISTS || op == FOLD_ONE;
    bool predicate = quantifier || call->count - 1U - vars == 2;
    kids[0] = call->kids[0];
    kids[1] = predicate ? *rest++ : always(notes, call->kids[1]);
    if (!quantifier) kids[2] = *rest;
    call->kind = NODE_FOLD;
    call->op = op;
    call->kids = kids;
    call->count = quantifier ? 2 : 3;
    return cel_node_close(notes, call) ? call : NULL;
}

static cel_node *filter(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    cel_node *n = fold(notes, call, op, vars);
    if (!n) return NULL;
    n->kids[1] = n->kids[2];
    n->kids[2] = itself(notes, call, n->name);
    return n;
}

static cel_node *entries(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    cel_node *n = fold(notes, call, op, vars);
    if (!n) return NULL;
    const cel_node *entry = n->kids[2];
    if (entry->kind != NODE_MAP || entry->count != 2 || (entry->flags & NODE_MAYBE)) {
        return refuse(notes, entry, S("one entry is expected: {key: value}"), (str){0});
    }
    n->kids[3] = entry->kids[0];
    n->kids[2] = entry->kids[1];
    n->count = 4;
    return n;
}

/* cel.bind(name, value, body) */
static cel_node *bind(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    (void)op, (void)vars;
    if (!variable(notes, call->kids[1], &call->name)) return NULL;
    call->kind = NODE_BIND;
    call->kids += 2;
    call->count = 2;
    return call;
}

/* cel.block([a, b, …], body) is what optimisers make of an expression that says something twice:
 * a bind for each element, in which the earlier ones are cel.index(0), cel.index(1) … */
static cel_node *block(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    (void)op, (void)vars;
    const cel_node *list = call->kids[1];
    cel_node *body = call->kids[2];
    if (list->kind != NODE_LIST || (list->flags & NODE_MAYBE)) {
        return refuse(notes, list, S("a list is expected here: [a, b]"), (str){0});
    }
    for (uint32_t i = list->count; i-- > 0;) {
        cel_node *n = leaf(notes, call, NODE_BIND);
        n->name = arena_fmt(notes->a, "@index%u", i);
        n->kids = NEW_N(notes->a, cel_node *, 2);
        n->count = 2;
        n->kids[0] = list->kids[i];
        n->kids[1] = body;
        if (!cel_node_close(notes, n)) return NULL;
        body = n;
    }
    return body;
}

/* cel.index(i), cel.iterVar(depth, i), cel.accuVar(depth, i): names nobody can write. */
static cel_node *indexed(cel_notes *notes, cel_node *call, uint8_t op, uint8_t vars)
{
    static const char *const stems[] = {"@index", "@it", "@ac"};
    (void)vars;
    str name = {stems[op], strlen(stems[op])};
    for (uint32_t i = 1; i < call->count; i++) {
        const cel_node *number = call->kids[i];
        bool good = number->kind == NODE_CONST && number->value.tag == CEL_INT;
        if (!good) return refuse(notes, number, S("a number is expected here"), (str){0});
        name = arena_fmt(notes->a, STR_FMT "%s%lld", STR_ARG(name), op ? ":" : "",
                         (long long)number->value.u.i);
    }
    return itself(notes, call, name);
}

/* clang-format off */
static const macro macros[] = {
    {"has",        false, 1, 0, 0,           has},
    {"all",        true,  2, 1, FOLD_ALL,    fold},
    {"all",        true,  3, 2, FOLD_ALL,    fold},
    {"exists",     true,  2, 1, FOLD_EXISTS, fold},
    {"exists",     true,  3, 2, FOLD_EXISTS, fold},
    {"exists_one", true,  2, 1, FOLD_ONE,    fold},
    {"exists_one", true,  3, 2, FOLD_ONE,    fold},
    {"existsOne",  true,  3, 2, FOLD_ONE,    fold},
    {"filter",     true,  2, 1, FOLD_LIST,   filter},
    {"map",        true,  2, 1, FOLD_LIST,   fold},
    {"map",        true,  3, 1, FOLD_LIST,   fold},
    {"transformList", true, 3, 2, FOLD_LIST, fold},
    {"transformList", true, 4, 2, FOLD_LIST, fold},
    {"transformMap",  true, 3, 2, FOLD_MAP,  fold},
    {"transformMap",  true, 4, 2, FOLD_MAP,  fold},
    {"transformMapEntry", true, 3, 2, FOLD_ENTRY, entries},
    {"transformMapEntry", true, 4, 2, FOLD_ENTRY, entries},
    {"optMap",     true,  2, 1, FOLD_OPTION, fold},
    {"optFlatMap", true,  2, 1, FOLD_OPTION_FLAT, fold},
    {"cel.bind",    true, 3, 0, 0,           bind},
    {"cel.block",   true, 2, 0, 0,           block},
    {"cel.index",   true, 1, 0, 0,           indexed},
    {"cel.iterVar", true, 2, 0, 1,           indexed},
    {"cel.accuVar", true, 2, 0, 2,           indexed},
};
/* clang-format on */

static bool names(const macro *m, const cel_node *call)
{
    str name = {m->name, strlen(m->name)};
    str_pair cut = str_cut(name, '.');
    if (!cut.ok) return str_eq(call->name, name);
    const cel_node *on = call->kids[0];
    return on->kind == NODE_NAME && str_eq(on->name, cut.head) && str_eq(call->name, cut.tail);
}

cel_node *cel_expand(cel_notes *notes, cel_node *call)
{
    bool receiver = call->flags & NODE_RECEIVER;
    uint32_t args = call->count - receiver;
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        const macro *m = &macros[i];
        if (m->receiver != receiver || m->args != args) continue;
        if (!names(m, call)) continue;
        return m->expand(notes, call, m->op, m->vars);
    }
    return call;
}

const char *cel_macro_name(size_t i)
{
    return i < sizeof macros / sizeof *macros ? macros[i].name : NULL;
}
