/* SPDX-License-Identifier: Apache-2.0 */
/* types.c - unification with dyn, and signatures as text.
 *
 * A type has at most one parameter that can nest without bound (a map's key is a scalar or dyn:
 * the checker sees to it), so comparing two types costs their depth, never more. A host's own
 * types may have several: that costs their size, which only the host's signatures can make big. */
#include "types.h"

struct cel_binding {
    cel_binding *next;
    const cel_ctype *var, *before;
};

static const cel_ctype plain[CEL_T_KINDS] = {
    [CEL_T_DYN] = {.kind = CEL_T_DYN},
    [CEL_T_NULL] = {.kind = CEL_T_NULL},
    [CEL_T_BOOL] = {.kind = CEL_T_BOOL},
    [CEL_T_INT] = {.kind = CEL_T_INT},
    [CEL_T_UINT] = {.kind = CEL_T_UINT},
    [CEL_T_DOUBLE] = {.kind = CEL_T_DOUBLE},
    [CEL_T_STRING] = {.kind = CEL_T_STRING},
    [CEL_T_BYTES] = {.kind = CEL_T_BYTES},
    [CEL_T_LIST] = {.kind = CEL_T_LIST, .a = &plain[CEL_T_DYN]},
    [CEL_T_MAP] = {.kind = CEL_T_MAP, .a = &plain[CEL_T_DYN], .b = &plain[CEL_T_DYN]},
    [CEL_T_TYPE] = {.kind = CEL_T_TYPE},
    [CEL_T_TIMESTAMP] = {.kind = CEL_T_TIMESTAMP},
    [CEL_T_DURATION] = {.kind = CEL_T_DURATION},
    [CEL_T_OPTIONAL] = {.kind = CEL_T_OPTIONAL, .a = &plain[CEL_T_DYN]},
    [CEL_T_IP] = {.kind = CEL_T_IP},
    [CEL_T_CIDR] = {.kind = CEL_T_CIDR},
};

static const char *const names[CEL_T_KINDS] = {
    [CEL_T_DYN] = "dyn",
    [CEL_T_NULL] = "null_type",
    [CEL_T_BOOL] = "bool",
    [CEL_T_INT] = "int",
    [CEL_T_UINT] = "uint",
    [CEL_T_DOUBLE] = "double",
    [CEL_T_STRING] = "string",
    [CEL_T_BYTES] = "bytes",
    [CEL_T_LIST] = "list",
    [CEL_T_MAP] = "map",
    [CEL_T_TYPE] = "type",
    [CEL_T_TIMESTAMP] = "google.protobuf.Timestamp",
    [CEL_T_DURATION] = "google.protobuf.Duration",
    [CEL_T_OPTIONAL] = "optional_type",
    [CEL_T_IP] = "net.IP",
    [CEL_T_CIDR] = "net.CIDR",
};

const char *cel_type_name(cel_type kind)
{
    return names[kind];
}

const cel_ctype *cel_type_plain(cel_type kind)
{
    return &plain[kind];
}

const cel_ctype *cel_type_of2(cel_types *t, cel_type kind, const cel_ctype *a, const cel_ctype *b)
{
    cel_ctype *type = NEW(t->a, cel_ctype);
    *type = (cel_ctype){.kind = (int)kind, .a = a, .b = b};
    return type;
}

const cel_ctype *cel_type_of1(cel_types *t, cel_type kind, const cel_ctype *a)
{
    return cel_type_of2(t, kind, a, NULL);
}

const cel_ctype *cel_field_type(const cel_ctype *of, str name)
{
    for (const cel_field *f = of->fields; f && f->type; f++)
        if (str_eq(f->name, name)) return f->type;
    return NULL;
}

const cel_ctype *cel_type_var(cel_types *t)
{
    cel_ctype *var = NEW(t->a, cel_ctype);
    *var = (cel_ctype){.kind = CEL_T_KINDS, .cell = NEW(t->a, const cel_ctype *)};
    return var;
}

const cel_ctype *cel_type_seen(const cel_ctype *type)
{
    while (type->cell && *type->cell) type = *type->cell;
    return type;
}

static void bind(cel_types *t, const cel_ctype *var, const cel_ctype *to)
{
    cel_binding *b = NEW(t->a, cel_binding);
    *b = (cel_binding){t->trail, var, *var->cell};
    t->trail = b;
    *var->cell = to;
}

void cel_types_undo(cel_types *t, const cel_binding *mark)
{
    for (; t->trail != mark; t->trail = t->trail->next) *t->trail->var->cell = t->trail->before;
}

/* A variable bound to a type it is part of would be a type without end. */
static bool occurs(const cel_ctype *var, const cel_ctype *in)
{
    for (in = in ? cel_type_seen(in) : NULL; in; in = in->b ? cel_type_seen(in->b) : NULL) {
        if (in == var) return true;
        if (in->cell) return false;
        if (in->a && occurs(var, in->a)) return true;
    }
    return false;
}

static bool nullable(int kind)
{
    return kind == CEL_T_TIMESTAMP || kind == CEL_T_DURATION || kind == CEL_T_OPTIONAL ||
           kind == TYPE_HOST;
}

/* The same type but for what stands inside; a host's by name and number of parameters. */
static bool alike(const cel_ctype *a, const cel_ctype *b)
{
    if (a->kind != b->kind) return false;
    if (a->kind != TYPE_HOST) return true;
    return str_eq(a->name, b->name) && !a->a == !b->a && !a->b == !b->b;
}

/* Is `a` the same as `b`, or like it with a dyn where b is sure? */
static bool vaguer(const cel_ctype *a, const cel_ctype *b)
{
    a = cel_type_seen(a);
    b = cel_type_seen(b);
    if (a->kind == CEL_T_DYN || a == b) return true;
    if (b->kind == CEL_T_NULL && nullable(a->kind)) return true;
    if (!alike(a, b)) return false;
    if (a->a && b->a && !vaguer(a->a, b->a)) return false;
    return !a->b || !b->b || vaguer(a->b, b->b);
}

static bool fits_kind(cel_types *t, const cel_ctype *to, const cel_ctype *from)
{
    if (to->kind == CEL_T_DYN || from->kind == CEL_T_DYN) return true;
    if (from->kind == CEL_T_NULL && nullable(to->kind)) return true;
    if (to->kind == CEL_T_NULL && nullable(from->kind)) return true;
    if (!alike(to, from)) return false;
    if (to->a && from->a && !cel_type_fits(t, to->a, from->a)) return false;
    return !to->b || !from->b || cel_type_fits(t, to->b, from->b);
}

/* A variable that met int and then dyn stands for dyn from now on. */
static void widen(cel_types *t, const cel_ctype *var, const cel_ctype *to)
{
    for (const cel_ctype *next = *var->cell; next && next->cell; next = *var->cell) var = next;
    if (!occurs(var, to)) bind(t, var, to);
}

bool cel_type_fits(cel_types *t, const cel_ctype *to, const cel_ctype *from)
{
    const cel_ctype *was = to;
    to = cel_type_seen(to);
    from = cel_type_seen(from);
    if (to == from) return true;
    if (to->cell || from->cell) {
        const cel_ctype *var = to->cell ? to : from, *other = var == to ? from : to;
        if (occurs(var, other)) return false;
        bind(t, var, other);
        return true;
    }
    if (!fits_kind(t, to, from)) return false;
    if (was->cell && !vaguer(to, from) && vaguer(from, to)) widen(t, was, from);
    return true;
}

const cel_ctype *cel_type_join(cel_types *t, const cel_ctype *a, const cel_ctype *b)
{
    const cel_binding *mark = t->trail;
    if (!cel_type_fits(t, a, b)) {
        cel_types_undo(t, mark);
        return NULL;
    }
    return vaguer(a, b) ? a : b;
}

typedef struct {
    cel_types *t;
    const char *at;
    const cel_ctype *vars[3];
} reader;

/* What a letter of a signature says; NO_LETTER is where no argument can be. */
enum { NO_LETTER = 255 };
/* clang-format off */
static const uint8_t letters[128] = {
    ['*'] = CEL_T_DYN, ['A'] = CEL_T_DYN, ['B'] = CEL_T_DYN, ['C'] = CEL_T_DYN,
    ['b'] = CEL_T_BOOL, ['i'] = CEL_T_INT, ['u'] = CEL_T_UINT, ['d'] = CEL_T_DOUBLE,
    ['s'] = CEL_T_STRING, ['y'] = CEL_T_BYTES, ['n'] = CEL_T_NULL, ['t'] = CEL_T_TIMESTAMP,
    ['D'] = CEL_T_DURATION, ['T'] = CEL_T_TYPE, ['p'] = CEL_T_IP, ['c'] = CEL_T_CIDR,
    ['l'] = CEL_T_LIST, ['m'] = CEL_T_MAP, ['o'] = CEL_T_OPTIONAL,
    ['('] = NO_LETTER, ['>'] = NO_LETTER, ['+'] = NO_LETTER,
};
/* clang-format on */

static cel_type kind_of_letter(char c)
{
    return (cel_type)letters[c & 127];
}

static const cel_ctype *read_type(reader *r);

/* "name:XYZ)": a chain with a parameter a link, the name at the first. */
static const cel_ctype *read_host_type(reader *r)
{
    cel_ctype *first = NEW(r->t->a, cel_ctype), *link = first;
    *first = (cel_ctype){.kind = TYPE_HOST, .name = {r->at, strcspn(r->at, ":")}};
    for (r->at += first->name.n + 1; *r->at != ')';) {
        if (link->a) {
            cel_ctype *next = NEW(r->t->a, cel_ctype);
            next->kind = TYPE_HOST;
            link->b = next;
            link = next;
        }
        link->a = read_type(r);
    }
    r->at++;
    return first;
}

static bool is_var(char c)
{
    return c >= 'A' && c <= 'C';
}

static const cel_ctype *read_type(reader *r)
{
    char c = *r->at++;
    if (c == '(') return read_host_type(r);
    if (is_var(c)) {
        const cel_ctype **var = &r->vars[c - 'A'];
        if (!*var) *var = cel_type_var(r->t);
        return *var;
    }
    if (c == 'l' || c == 'o') {
        const cel_ctype *inner = read_type(r);
        return cel_type_of1(r->t, kind_of_letter(c), inner);
    }
    if (c == 'm') {
        const cel_ctype *key = read_type(r);
        const cel_ctype *value = read_type(r);
        return cel_type_of2(r->t, CEL_T_MAP, key, value);
    }
    return cel_type_plain(kind_of_letter(c));
}

static const char *skip_type(const char *at)
{
    while (*at == 'l' || *at == 'o') at++;
    if (*at == 'm') return skip_type(skip_type(at + 1));
    if (*at != '(') return at + 1;
    for (at += strcspn(at, ":") + 1; *at != ')';) at = skip_type(at);
    return at + 1;
}

bool cel_signature_fits(cel_types *t, const char *signature, const cel_ctype *const *args,
                        size_t count, const cel_ctype **result)
{
    reader r = {.t = t, .at = signature};
    const char *last = signature;
    for (size_t i = 0; i < count; i++) {
        if (*r.at == '+') r.at = last;
        if (*r.at == '>') return false;
        last = r.at;
        if (!cel_type_fits(t, read_type(&r), args[i])) return false;
    }
    r.at += *r.at == '+';
    if (*r.at++ != '>') return false;
    *result = read_type(&r);
    return true;
}

static const uint8_t types_of_tags[CEL_TAGS] = {
    [CEL_NULL] = CEL_T_NULL,   [CEL_BOOL] = CEL_T_BOOL,           [CEL_INT] = CEL_T_INT,
    [CEL_UINT] = CEL_T_UINT,   [CEL_DOUBLE] = CEL_T_DOUBLE,       [CEL_STRING] = CEL_T_STRING,
    [CEL_BYTES] = CEL_T_BYTES, [CEL_LIST] = CEL_T_LIST,           [CEL_MAP] = CEL_T_MAP,
    [CEL_TYPE] = CEL_T_TYPE,   [CEL_TIMESTAMP] = CEL_T_TIMESTAMP, [CEL_DURATION] = CEL_T_DURATION,
};

cel_type cel_type_of_value(cel_value v)
{
    return v.tag == CEL_OPAQUE ? (cel_type)v.code : (cel_type)types_of_tags[v.tag];
}

bool cel_signature_takes(const char *signature, const cel_value *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char c = *signature;
        uint8_t want = letters[c & 127], tag = args[i].tag;
        uint16_t is = tag == CEL_OPAQUE ? args[i].code : types_of_tags[tag];
        if (want != CEL_T_DYN && want != is) return false;
        bool inner = c == 'l' || c == 'm' || c == 'o';
        const char *next = inner ? skip_type(signature) : signature + 1;
        if (*next != '+') {
            signature = next;
        } else if (i + 1 == count) {
            signature = next + 1;
        }
    }
    return *signature == '>';
}

static str host_text(arena *a, const cel_ctype *type)
{
    str text = type->name;
    for (const char *before = "("; type && type->a; type = type->b, before = ", ") {
        str one = cel_type_text(a, type->a);
        text = arena_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(text), before, STR_ARG(one));
        if (!type->b) text = arena_fmt(a, STR_FMT ")", STR_ARG(text));
    }
    return text;
}

str cel_type_text(arena *a, const cel_ctype *type)
{
    while (type->cell && *type->cell) type = *type->cell;
    if (type->kind == CEL_T_KINDS) return S("dyn");
    if (type->kind == CEL_T_TIMESTAMP) return S("timestamp");
    if (type->kind == CEL_T_DURATION) return S("duration");
    if (type->kind == TYPE_HOST) return host_text(a, type);
    const char *name = names[type->kind];
    if (type->b) {
        str key = cel_type_text(a, type->a), value = cel_type_text(a, type->b);
        return arena_fmt(a, "%s(" STR_FMT ", " STR_FMT ")", name, STR_ARG(key), STR_ARG(value));
    }
    if (!type->a) return (str){name, strlen(name)};
    str inner = cel_type_text(a, type->a);
    return arena_fmt(a, "%s(" STR_FMT ")", name, STR_ARG(inner));
}

str cel_signature_text(arena *a, const char *signature)
{
    cel_types t = {.a = a};
    reader r = {.t = &t, .at = signature};
    str text = S("(");
    while (*r.at != '>') {
        const char *comma = text.n > 1 ? ", " : "";
        if (*r.at == '+') return arena_fmt(a, STR_FMT ", …)", STR_ARG(text));
        str one = cel_type_text(a, read_type(&r));
        text = arena_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(text), comma, STR_ARG(one));
    }
    return arena_fmt(a, STR_FMT ")", STR_ARG(text));
}
