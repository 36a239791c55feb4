/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - tokens again, with canonical space between them.
 *
 * The tree has forgotten how things were written: macros are expanded, strings decoded, comments
 * gone. So the printer walks the tokens, and needs of the grammar only what binds tighter than
 * what: a pair of parentheses is dropped when what stands in it binds tighter than both
 * neighbours. The tree is what this is checked against: a text that parses to another one is
 * never given out. */
#include "print.h"
#include "../../base/buf.h"
#include "../../base/utf8.h"
#include "lex.h"
#include "parse.h"

enum { DEPTH_MOST = 120, SOURCE_MOST = 16384, NEST_MOST = 512, INDENT = 2 };

/* How tightly a piece of an expression holds together; binary operators lie between. */
enum {
    BIND_IF = 0,
    BIND_OR = 1,
    BIND_AND,
    BIND_ORDER,
    BIND_SUM,
    BIND_PRODUCT,
    BIND_UNARY,
    BIND_PRIMARY
};

typedef struct {
    uint8_t kind; /* cel_token_kind */
    bool dropped;
    bool unary;   /* a sign, not an operator between two values */
    bool ternary; /* ? and : of a condition */
    bool call;    /* ( of a call, [ of a subscript */
    bool rooted;  /* . before a name that begins at the root */
    uint32_t offset, length;
} piece;

typedef struct {
    arena *a;
    str source;
    piece *pieces;
    size_t count;
} tokens;

/* Trees */

static bool readable(cel_notes *notes, str source)
{
    if (source.n > SOURCE_MOST) {
        cel_note(notes, (cel_span){SOURCE_MOST, 0}, "E008",
                 arena_fmt(notes->a, "longer than %d bytes", SOURCE_MOST), (str){0});
        return false;
    }
    if (utf8_valid(source)) return true;
    cel_note(notes, (cel_span){0, 1}, "E002", S("not valid UTF-8"), (str){0});
    return false;
}

const cel_problem *cel_tree(arena *a, str source, cel_node **root)
{
    cel_notes notes = {.a = a};
    const cel_limits limits = {.depth = DEPTH_MOST, .source = SOURCE_MOST};
    *root = readable(&notes, source) ? cel_parse(&notes, source, &limits) : NULL;
    if (notes.first) *root = NULL;
    return notes.first;
}

static bool same_value(cel_value x, cel_value y)
{
    if (x.tag != y.tag) return false;
    switch (x.tag) {
    case CEL_BOOL: return x.u.b == y.u.b;
    case CEL_STRING:
    case CEL_BYTES: return str_eq(cel_text(x), cel_text(y));
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE: return x.u.u == y.u.u; /* of a double the bits: 0.0 and -0.0 are two texts */
    default: return true;
    }
}

bool cel_same_tree(const cel_node *x, const cel_node *y)
{
    if (x->kind != y->kind || x->op != y->op || x->flags != y->flags || x->two != y->two)
        return false;
    if (x->count != y->count || !str_eq(x->name, y->name) || !str_eq(x->name2, y->name2))
        return false;
    if (x->kind == NODE_CONST && !same_value(x->value, y->value)) return false;
    for (uint32_t i = 0; i < x->count; i++)
        if (!cel_same_tree(x->kids[i], y->kids[i])) return false;
    return true;
}

/* What each token is */

static bool ends_value(uint8_t kind)
{
    switch (kind) {
    case TOK_IDENT:
    case TOK_RESERVED:
    case TOK_QUOTED:
    case TOK_INT:
    case TOK_UINT:
    case TOK_DOUBLE:
    case TOK_STRING:
    case TOK_BYTES:
    case TOK_TRUE:
    case TOK_FALSE:
    case TOK_NULL:
    case TOK_RPAREN:
    case TOK_RBRACK:
    case TOK_RBRACE: return true;
    default: return false;
    }
}

static bool opens(uint8_t kind)
{
    return kind == TOK_LPAREN || kind == TOK_LBRACK || kind == TOK_LBRACE;
}

static bool closes(uint8_t kind)
{
    return kind == TOK_RPAREN || kind == TOK_RBRACK || kind == TOK_RBRACE;
}

/* Between two values; 0: no operator. */
static unsigned binds(const piece *p)
{
    switch (p->kind) {
    case TOK_OR: return BIND_OR;
    case TOK_AND: return BIND_AND;
    case TOK_EQ:
    case TOK_NE:
    case TOK_LT:
    case TOK_LE:
    case TOK_GT:
    case TOK_GE:
    case TOK_IN: return BIND_ORDER;
    case TOK_ADD: return BIND_SUM;
    case TOK_SUB: return p->unary ? 0 : BIND_SUM;
    case TOK_MUL:
    case TOK_DIV:
    case TOK_MOD: return BIND_PRODUCT;
    default: return 0;
    }
}

static piece piece_of(cel_token t, bool after_value)
{
    piece p = {.kind = (uint8_t)t.kind, .offset = t.span.offset, .length = t.span.length};
    p.unary = t.kind == TOK_NOT || (t.kind == TOK_SUB && !after_value);
    p.call = after_value && (t.kind == TOK_LPAREN || t.kind == TOK_LBRACK);
    p.rooted = t.kind == TOK_DOT && !after_value;
    p.ternary = t.kind == TOK_QUESTION && after_value;
    return p;
}

static bool lex(tokens *t)
{
    cel_notes unheard = {.a = t->a};
    cel_lexer l = {t->source, 0, &unheard};
    t->pieces = NEW_N(t->a, piece, t->source.n + 2); /* each has a byte; one before, one behind */
    t->pieces[t->count++] = (piece){.kind = TOK_END};
    unsigned open[NEST_MOST] = {0}; /* conditions whose ':' has not come, by bracket */
    size_t depth = 0;
    for (cel_token now = cel_lex(&l); now.kind != TOK_END; now = cel_lex(&l)) {
        piece *p = &t->pieces[t->count++];
        if (now.kind == TOK_BAD || depth + 1 == NEST_MOST) return false;
        *p = piece_of(now, ends_value(p[-1].kind));
        if (closes(p->kind) && depth) depth--;
        if (p->kind == TOK_COLON) p->ternary = open[depth] > 0;
        if (p->ternary) open[depth] += p->kind == TOK_QUESTION ? 1U : -1U;
        if (opens(p->kind)) open[++depth] = 0;
    }
    t->pieces[t->count++] = (piece){.kind = TOK_END, .offset = (uint32_t)t->source.n};
    return true;
}

/* Parentheses */

/* A pair that groups, while its inside is looked at. */
typedef struct {
    size_t at;     /* of the opening one; 0: another kind of bracket */
    unsigned bind; /* the loosest operator in it so far */
} group;

/* May the pair from `open` to `close` go, when `bind` is the loosest of what it holds? */
static bool is_spare(const tokens *t, size_t open, size_t close, unsigned bind)
{
    const piece *left = &t->pieces[open - 1], *right = &t->pieces[close + 1];
    const piece *first = &t->pieces[open + 1];
    while (first->dropped) first++;
    bool number = first->kind == TOK_INT || first->kind == TOK_UINT || first->kind == TOK_DOUBLE ||
                  first->kind == TOK_SUB;
    bool reached = right->kind == TOK_DOT || (right->kind == TOK_LBRACK && right->call);
    if (left->unary || reached) return bind == BIND_PRIMARY && !number;
    if (left->ternary && left->kind == TOK_QUESTION && bind < BIND_OR) return false;
    if (binds(left) && bind <= binds(left)) return false;
    if (right->ternary && right->kind == TOK_QUESTION) return bind >= BIND_OR;
    unsigned after = binds(right);
    /* a && b && c is one node; and nobody should have to know what a == b == c means */
    bool chained = after == BIND_OR || after == BIND_AND || after == BIND_ORDER;
    return !after || bind > after || (bind == after && !chained);
}

static void loosen(group *g, unsigned bind)
{
    if (bind < g->bind) g->bind = bind;
}

/* Inside out, so that what a dropped pair held counts for the pair around it. */
static void drop_spare(tokens *t)
{
    group stack[NEST_MOST] = {{.bind = BIND_PRIMARY}};
    size_t depth = 0;
    for (size_t i = 1; i + 1 < t->count; i++) {
        piece *p = &t->pieces[i];
        if (opens(p->kind)) {
            bool groups = p->kind == TOK_LPAREN && !p->call;
            stack[++depth] = (group){groups ? i : 0, BIND_PRIMARY};
        } else if (closes(p->kind) && depth) {
            group g = stack[depth--];
            if (!g.at || !is_spare(t, g.at, i, g.bind)) continue;
            t->pieces[g.at].dropped = p->dropped = true;
            loosen(&stack[depth], g.bind);
        } else if (p->ternary) {
            loosen(&stack[depth], BIND_IF);
        } else if (p->unary) {
            loosen(&stack[depth], BIND_UNARY);
        } else if (binds(p)) {
            loosen(&stack[depth], binds(p));
        }
    }
}

/* Layout */

static bool spaced(const piece *left, const piece *p)
{
    if (left->kind == TOK_END || opens(left->kind) || closes(p->kind) || left->unary) return false;
    if (left->kind == TOK_DOT || p->kind == TOK_COMMA || p->call) return false;
    if (left->kind == TOK_QUESTION && !left->ternary) return false;
    if (p->kind == TOK_DOT) return p->rooted;
    if (p->kind == TOK_QUESTION && !p->ternary) return left->kind == TOK_COMMA;
    return p->kind != TOK_COLON || p->ternary;
}

typedef struct {
    const tokens *t;
    buf out;
    unsigned depth; /* of brackets that are kept */
} printer;

static void new_line(printer *w, unsigned depth)
{
    (void)buf_put(&w->out, S("\n"));
    for (unsigned i = 0; i < depth * INDENT; i++) (void)buf_put(&w->out, S(" "));
}

static str line_end_trimmed(str s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r')) s.n--;
    return s;
}

/* The comments between two tokens; says whether the next token begins a line. */
static bool gap(printer *w, size_t from, size_t to, unsigned depth)
{
    str rest = {w->t->source.p + from, to - from};
    bool line_begins = false;
    while (rest.n) {
        if (*rest.p == '\n') line_begins = true;
        if (*rest.p != '/') {
            rest = str_drop(rest, 1);
            continue;
        }
        str_pair cut = str_cut(rest, '\n');
        if (w->out.n && line_begins)
            new_line(w, depth);
        else if (w->out.n)
            (void)buf_put(&w->out, S("  "));
        (void)buf_put(&w->out, line_end_trimmed(cut.head));
        line_begins = true;
        rest = cut.tail;
    }
    return line_begins;
}

static void put(printer *w, const piece *left, const piece *p, unsigned break_at)
{
    bool first = w->out.n == 0;
    if (closes(p->kind) && w->depth) w->depth--;
    bool breaks = gap(w, left->offset + left->length, p->offset, w->depth);
    if (break_at && !w->depth && binds(p) == break_at) breaks = true;
    if (w->out.n && breaks)
        new_line(w, w->depth);
    else if (!first && spaced(left, p))
        (void)buf_put(&w->out, S(" "));
    (void)buf_put(&w->out, (str){w->t->source.p + p->offset, p->length});
    if (opens(p->kind)) w->depth++;
}

/* The loosest of && and || outside all brackets; 0: there is none. */
static unsigned loosest(const tokens *t)
{
    unsigned depth = 0, found = 0;
    for (size_t i = 1; i < t->count; i++) {
        const piece *p = &t->pieces[i];
        if (p->dropped) continue;
        if (opens(p->kind)) depth++;
        if (closes(p->kind) && depth) depth--;
        if (depth) continue;
        if (p->ternary) return 0;
        if (p->kind == TOK_OR) return BIND_OR;
        if (p->kind == TOK_AND) found = BIND_AND;
    }
    return found;
}

/* `break_at`: operators outside all brackets that bind so begin a line; 0: none do. */
static str print(const tokens *t, unsigned break_at)
{
    printer w = {.t = t, .out = buf_new(t->a, (size_t)32 * SOURCE_MOST)};
    const piece *left = &t->pieces[0];
    for (size_t i = 1; i + 1 < t->count; i++) {
        const piece *p = &t->pieces[i];
        if (p->dropped) continue;
        put(&w, left, p, break_at);
        left = p;
    }
    (void)gap(&w, left->offset + left->length, t->source.n, 0);
    return buf_ok(&w.out) ? buf_str(&w.out) : t->source;
}

static bool says_the_same(arena *a, const cel_node *root, str text)
{
    cel_node *again = NULL;
    return !cel_tree(a, text, &again) && again && cel_same_tree(root, again);
}

const cel_problem *cel_print(arena *a, str source, size_t width, str *out)
{
    cel_node *root = NULL;
    *out = source;
    const cel_problem *wrong = cel_tree(a, source, &root);
    tokens t = {.a = a, .source = source};
    if (wrong || !lex(&t)) return wrong;
    drop_spare(&t);
    str printed = print(&t, 0);
    bool one_line = !memchr(printed.p, '\n', printed.n);
    if (width && printed.n > width && one_line && loosest(&t)) printed = print(&t, loosest(&t));
    if (root && says_the_same(a, root, printed)) *out = printed;
    return NULL;
}
