/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c - names to slots, calls to overloads, and what was probably meant.
 *
 * With container X.Y the name a.b is tried as X.Y.a.b, X.a.b and a.b; the checker asks for the
 * longest chain of members first. Variables of macros hide whatever begins with their name. A
 * function of the library is not to be had by the host in the same style. */
#include "../../base/buf.h"
#include "check.h"
#include "library.h"
#include "parse.h"

/* How other languages say it. */
static const struct {
    const char *theirs, *ours;
} strangers[] = {
    {"length", "size"},
    {"len", "size"},
    {"count", "size"},
    {"includes", "contains"},
    {"has", "contains"},
    {"match", "matches"},
    {"regex", "matches"},
    {"some", "exists"},
    {"any", "exists"},
    {"every", "all"},
    {"str", "string"},
    {"float", "double"},
    {"hasPrefix", "startsWith"},
    {"hasSuffix", "endsWith"},
    {"None", "null"},
    {"nil", "null"},
    {"undefined", "null"},
    {"toLowerCase", "lowerAscii"},
    {"toUpperCase", "upperAscii"},
    {"True", "true"},
    {"False", "false"},
    {"math.max", "math.greatest"},
    {"math.min", "math.least"},
    {"max", "math.greatest"},
    {"min", "math.least"},
    {"abs", "math.abs"},
};

void cel_complain(cel_checker *c, const cel_node *n, const char *code, str text, str hint)
{
    if (!c->options->unchecked)
        cel_note(c->notes, (cel_span){n->at, n->at_length}, code, text, hint);
}

static str of_c(const char *s)
{
    return (str){s, strlen(s)};
}

static str meant(cel_checker *c, const cel_nearest *near)
{
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        if (!str_eq(near->wanted, of_c(strangers[i].theirs))) continue;
        return arena_fmt(c->notes->a, "did you mean %s?", strangers[i].ours);
    }
    if (!near->best.n) return (str){0};
    return arena_fmt(c->notes->a, "did you mean " STR_FMT "?", STR_ARG(near->best));
}

static const cel_local *find_local(const cel_checker *c, str name)
{
    for (uint32_t i = c->depth; i-- > 0;) {
        if (str_eq(c->locals[i].name, name)) return &c->locals[i];
    }
    return NULL;
}

/* The NODE_NAME a chain of plain members starts from; NULL when it is something else. */
static const cel_node *chain_root(const cel_node *n)
{
    while (n->kind == NODE_SELECT && !(n->flags & NODE_MAYBE)) n = n->kids[0];
    return n->kind == NODE_NAME ? n : NULL;
}

static void put_chain(buf *b, const cel_node *n)
{
    if (n->kind != NODE_NAME) {
        put_chain(b, n->kids[0]);
        buf_put(b, S("."));
    }
    buf_put(b, n->name);
}

static str chain_text(arena *a, const cel_node *n)
{
    if (n->kind == NODE_NAME) return n->name;
    buf b = buf_new(a, SIZE_MAX / 2);
    put_chain(&b, n);
    return buf_str(&b);
}

static bool become_variable(cel_checker *c, cel_node *n, str name)
{
    for (size_t i = 0; i < c->env->count; i++) {
        if (!str_eq(c->env->variables[i].name, name)) continue;
        n->kind = NODE_VAR;
        n->slot = (uint32_t)i;
        n->count = 0;
        const cel_ctype *const *shapes = c->options->shapes;
        n->type = shapes && shapes[i] ? shapes[i] : cel_type_plain(c->env->variables[i].type);
        return true;
    }
    return false;
}

static bool become_type(cel_node *n, str name)
{
    for (int kind = 0; kind < CEL_T_KINDS; kind++) {
        if (kind == CEL_T_DYN || !str_eq(name, of_c(cel_type_name((cel_type)kind)))) continue;
        n->kind = NODE_CONST;
        n->count = 0;
        n->value = (cel_value){.tag = CEL_TYPE, .u.type = (cel_type)kind};
        n->type = cel_type_plain(CEL_T_TYPE);
        return true;
    }
    return false;
}

static bool become_local(cel_node *n, const cel_local *local)
{
    n->kind = NODE_LOCAL;
    n->slot = local->slot;
    n->type = local->type;
    n->kids = local->init;
    return true;
}

static bool in_containers(cel_checker *c, cel_node *n, str name)
{
    for (str in = c->options->container; in.n;) {
        if (become_variable(c, n,
                            arena_fmt(c->notes->a, STR_FMT "." STR_FMT, STR_ARG(in),
                                      STR_ARG(name)))) {
            return true;
        }
        while (in.n && in.p[in.n - 1] != '.') in.n--;
        if (in.n) in.n--;
    }
    return false;
}

bool cel_resolve_name(cel_checker *c, cel_node *n)
{
    const cel_node *root = chain_root(n);
    if (!root) return false;
    bool rooted = root->flags & NODE_ROOTED;
    const cel_local *local = rooted ? NULL : find_local(c, root->name);
    if (local) return n == root && become_local(n, local);
    /* The usual case needs no text made: no dots in names, no container. */
    bool type = str_eq(root->name, S("google")) || str_eq(root->name, S("net"));
    if (n != root && !c->dotted && !type) return false;
    str name = n == root ? n->name : chain_text(c->notes->a, n);
    if (!rooted && in_containers(c, n, name)) return true;
    return become_variable(c, n, name) || become_type(n, name);
}

static void become_failure(cel_node *n, cel_error code)
{
    n->kind = NODE_FAIL;
    n->count = 0;
    n->value = (cel_value){.tag = CEL_ERROR, .code = (uint16_t)code, .n = n->at};
    n->type = cel_type_plain(CEL_T_DYN);
}

void cel_unknown_name(cel_checker *c, cel_node *n)
{
    cel_nearest near = cel_nearest_new(n->name);
    for (uint32_t i = 0; i < c->depth; i++) cel_nearest_offer(&near, c->locals[i].name);
    for (size_t i = 0; i < c->env->count; i++) cel_nearest_offer(&near, c->env->variables[i].name);
    str text = arena_fmt(c->notes->a, "unknown variable '" STR_FMT "'", STR_ARG(n->name));
    cel_complain(c, n, "E004", text, meant(c, &near));
    become_failure(n, CEL_UNBOUND_VARIABLE);
}

static uint8_t style_of(const cel_node *call)
{
    return call->flags & NODE_RECEIVER ? CEL_METHOD : CEL_GLOBAL;
}

/* The host's rows of that name which can be called so. */
static const cel_function *find_own(const cel_checker *c, str name, uint8_t style, uint16_t *rows)
{
    const cel_function *all = c->options->functions;
    size_t count = c->options->function_count, first = 0, end;
    while (first < count && !(str_eq(name, of_c(all[first].name)) && (all[first].styles & style)))
        first++;
    for (end = first; end < count && end - first < UINT16_MAX;) {
        if (!str_eq(name, of_c(all[end].name))) break;
        end++;
    }
    *rows = (uint16_t)(end - first);
    return *rows ? &all[first] : NULL;
}

static const cel_function *find_function(const cel_checker *c, str name, uint8_t style,
                                         uint16_t *rows)
{
    uint16_t own_rows;
    const cel_function *f = cel_function_find(name, rows);
    for (uint16_t i = 0; i < *rows; i++) {
        if (f[i].styles & style) return f;
    }
    const cel_function *own = find_own(c, name, style, &own_rows);
    if (!own) return f;
    *rows = own_rows;
    return own;
}

/* A name of the table or of a macro before its last dot; {0} when it has none. */
static str space_of(const char *name, str *last)
{
    const char *dot = strrchr(name, '.');
    *last = of_c(dot ? dot + 1 : name);
    return dot ? (str){name, (size_t)(dot - name)} : (str){0};
}

/* A namespace there is, or, with one letter wrong, one that has the function. */
static bool meant_namespace(str space, str function, const char *name)
{
    str last, in = space_of(name, &last);
    if (!in.n || str_eq(in, space)) return in.n;
    cel_nearest near = cel_nearest_new(space);
    cel_nearest_offer(&near, in);
    return str_eq(function, last) && near.best.n && near.distance <= 1;
}

static bool is_namespace(const cel_checker *c, str root, str space, str function)
{
    for (size_t i = 0; i < c->env->count; i++) {
        str name = c->env->variables[i].name;
        if (str_eq(name, root) || str_eq(name, space)) return false;
    }
    if (str_eq(space, S("net"))) return true; /* has types alone */
    for (size_t i = 0; i < cel_function_count; i++) {
        if (meant_namespace(space, function, cel_functions[i].name)) return true;
    }
    for (size_t i = 0; cel_macro_name(i); i++) {
        if (meant_namespace(space, function, cel_macro_name(i))) return true;
    }
    return false;
}

void cel_resolve_namespace(cel_checker *c, cel_node *n)
{
    if (!(n->flags & NODE_RECEIVER)) return;
    const cel_node *root = chain_root(n->kids[0]);
    if (!root || find_local(c, root->name)) return;
    str space = chain_text(c->notes->a, n->kids[0]);
    buf whole = buf_new(c->notes->a, SIZE_MAX / 2);
    put_chain(&whole, n->kids[0]);
    buf_put(&whole, S("."));
    buf_put(&whole, n->name);
    str name = buf_str(&whole);
    uint16_t rows;
    if (!find_function(c, name, CEL_GLOBAL, &rows) && !is_namespace(c, root->name, space, n->name))
        return;
    n->name = name;
    n->flags &= (uint8_t)~NODE_RECEIVER;
    uint32_t end = n->at + n->at_length;
    n->at = n->kids[0]->offset;
    n->at_length = end - n->at;
    n->kids++;
    n->count--;
}

static str args_text(cel_checker *c, const cel_node *n)
{
    arena *a = c->notes->a;
    str text = S("(");
    for (uint32_t i = 0; i < n->count; i++) {
        str one = cel_type_text(a, n->kids[i]->type);
        text = arena_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(text), i ? ", " : "", STR_ARG(one));
    }
    return arena_fmt(a, STR_FMT ")", STR_ARG(text));
}

/* One attempt at a time, each undone; the last that fits is made again and kept, so that what it
 * says about type variables holds. Several that differ in their result give dyn. */
typedef struct {
    const char *fitting;
    const cel_ctype *result;
    unsigned count;
} overloads;

static void attempt(cel_checker *c, const cel_node *n, const char *signature, overloads *o)
{
    const cel_ctype *args[CEL_ARGS], *result;
    for (uint32_t i = 0; i < n->count; i++) args[i] = n->kids[i]->type;
    const struct cel_binding *mark = c->types.trail;
    if (cel_signature_fits(&c->types, signature, args, n->count, &result)) {
        result = cel_type_seen(result);
        if (o->count && o->result->kind != result->kind) result = cel_type_plain(CEL_T_DYN);
        if (o->count && (result->a || result->cell)) result = cel_type_plain(CEL_T_DYN);
        *o = (overloads){signature, result, o->count + 1};
    }
    cel_types_undo(&c->types, mark);
}

static bool settle(cel_checker *c, cel_node *n, overloads *o)
{
    n->type = o->count ? o->result : cel_type_plain(CEL_T_DYN);
    if (o->count != 1) return o->count > 0;
    const cel_ctype *args[CEL_ARGS];
    for (uint32_t i = 0; i < n->count; i++) args[i] = n->kids[i]->type;
    (void)cel_signature_fits(&c->types, o->fitting, args, n->count, &n->type);
    n->type = cel_type_seen(n->type);
    return true;
}

void cel_resolve_operator(cel_checker *c, cel_node *n, const char *symbol,
                          const char *const *signatures)
{
    overloads o = {0};
    for (; *signatures; signatures++) attempt(c, n, *signatures, &o);
    if (settle(c, n, &o)) return;
    str hint = {0};
    if (n->kind == NODE_ARITH && n->op == OP_ADD)
        hint = S("convert one side: string(x), int(x), double(x)");
    str text =
        arena_fmt(c->notes->a, "no overload of %s for " STR_FMT, symbol, STR_ARG(args_text(c, n)));
    cel_complain(c, n, "E003", text, hint);
}

static bool callable(const cel_function *f, const cel_node *n)
{
    return f->styles & style_of(n);
}

/* x.trim() for strings.trim(x), size(x) for math.size(x). */
static str without_namespace(cel_checker *c, str name)
{
    uint16_t rows;
    for (str_pair cut = str_cut(name, '.'); cut.ok; cut = str_cut(name, '.')) name = cut.tail;
    const cel_function *f = find_function(c, name, CEL_BOTH, &rows);
    if (!f) return (str){0};
    return arena_fmt(c->notes->a, "write %s" STR_FMT "(%s)", f->styles & CEL_GLOBAL ? "" : "x.",
                     STR_ARG(name), f->styles & CEL_GLOBAL ? "x" : "…");
}

static void unknown_function(cel_checker *c, cel_node *n)
{
    cel_nearest near = cel_nearest_new(n->name);
    const cel_options *o = c->options;
    for (size_t i = 0; i < cel_function_count; i++) {
        if (callable(&cel_functions[i], n)) cel_nearest_offer(&near, of_c(cel_functions[i].name));
    }
    for (size_t i = 0; i < o->function_count; i++) {
        if (callable(&o->functions[i], n)) cel_nearest_offer(&near, of_c(o->functions[i].name));
    }
    for (size_t i = 0; cel_macro_name(i); i++) cel_nearest_offer(&near, of_c(cel_macro_name(i)));
    str hint = {0};
    if (!(n->flags & NODE_RECEIVER) && n->name.n && memchr(n->name.p, '.', n->name.n))
        hint = without_namespace(c, n->name);
    if (!hint.n) hint = meant(c, &near);
    if (!hint.n && str_starts(n->name, S("net.")))
        hint = S("net.IP and net.CIDR are types; ip(x) and cidr(x) make values of them");
    if (str_eq(near.wanted, near.best))
        hint = arena_fmt(c->notes->a, STR_FMT " takes other arguments", STR_ARG(near.best));
    str text = arena_fmt(c->notes->a, "unknown function '" STR_FMT "'", STR_ARG(n->name));
    cel_complain(c, n, "E005", text, hint);
    become_failure(n, CEL_NO_SUCH_OVERLOAD);
}

/* startsWith(a, b) for a.startsWith(b) and the reverse, or the first overload there is. */
static str style_hint(cel_checker *c, const cel_node *n, const cel_function *f)
{
    if (!callable(f, n) && (f->styles & CEL_METHOD)) {
        return arena_fmt(c->notes->a, "write x.%s(…)", f->name);
    }
    if (!callable(f, n)) return arena_fmt(c->notes->a, "write %s(x)", f->name);
    str takes = cel_signature_text(c->notes->a, f->signature);
    return arena_fmt(c->notes->a, "it takes " STR_FMT "%s", STR_ARG(takes),
                     f->styles & CEL_GLOBAL ? "" : ", the first before the dot");
}

void cel_resolve_call(cel_checker *c, cel_node *n)
{
    uint16_t rows = 0;
    const cel_function *f = find_function(c, n->name, style_of(n), &rows);
    if (!f) {
        unknown_function(c, n);
        return;
    }
    overloads o = {0};
    n->x.function = f;
    n->rows = rows;
    for (uint16_t i = 0; i < rows && n->count <= CEL_ARGS; i++) {
        if (callable(&f[i], n)) attempt(c, n, f[i].signature, &o);
    }
    if (settle(c, n, &o)) return;
    str text = arena_fmt(c->notes->a, "no overload of " STR_FMT " for " STR_FMT, STR_ARG(n->name),
                         STR_ARG(args_text(c, n)));
    cel_complain(c, n, "E003", text, style_hint(c, n, f));
    if (n->count > CEL_ARGS) become_failure(n, CEL_NO_SUCH_OVERLOAD);
}
