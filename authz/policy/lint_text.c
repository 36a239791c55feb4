/* SPDX-License-Identifier: Apache-2.0 */
/* lint_text.c - patterns and beginnings of texts that let through more than they seem to.
 *
 * Only where being true opens: what shuts too much is a nuisance, not a hole. */
#include "lint.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Patterns */

typedef struct {
    bool anchored, plain; /* at either end; no operators at all */
    size_t dot;           /* 1 + where a dot stands between letters, unescaped; 0: nowhere */
} pattern_kind;

static size_t after_class(str p, size_t i)
{
    size_t at = i + 1;
    if (at < p.n && p.p[at] == '^') at++;
    if (at < p.n && p.p[at] == ']') at++;
    while (at < p.n && p.p[at] != ']') at += p.p[at] == '\\' ? 2 : 1;
    return at + 1;
}

static bool is_bare_dot(str p, size_t i)
{
    bool between = i && i + 1 < p.n && is_alnum(p.p[i - 1]) && is_alnum(p.p[i + 1]);
    return p.p[i] == '.' && between;
}

static bool holds(str p, size_t i)
{
    char c = p.p[i];
    if (c == '\\') return i + 1 < p.n && (p.p[i + 1] == 'A' || p.p[i + 1] == 'z');
    return c == '^' || c == '$';
}

/* Is every alternative of the outermost level held at one end? */
static pattern_kind kind_of(str p)
{
    pattern_kind k = {.anchored = true, .plain = true};
    bool held = false;
    unsigned depth = 0;
    for (size_t i = 0, next; i < p.n; i = next) {
        char c = p.p[i];
        next = c == '\\' ? i + 2 : c == '[' ? after_class(p, i) : i + 1;
        depth += c == '(';
        depth -= c == ')' && depth;
        if (strchr("\\[](){}*+?|^$.", c)) k.plain = false;
        if (is_bare_dot(p, i) && !k.dot) k.dot = i + 1;
        bool splits = c == '|' && !depth;
        if (splits) k.anchored &= held;
        held = !splits && (held || holds(p, i));
    }
    k.anchored &= held;
    return k;
}

/* The literal with ^ behind its opening quote. */
static str with_anchor(const lint_expr *e, const cel_node *literal)
{
    str s = lint_source(e, literal);
    size_t at = 0;
    while (at < s.n && s.p[at] != '\'' && s.p[at] != '"') at++;
    if (at + 2 < s.n && s.p[at + 1] == s.p[at] && s.p[at + 2] == s.p[at]) at += 2;
    if (at >= s.n) return (str){0};
    str tail = str_drop(s, at + 1);
    return arena_fmt(e->l->a, STR_FMT "^" STR_FMT, STR_ARG(str_take(s, at + 1)), STR_ARG(tail));
}

void lint_pattern(const lint_expr *e, const cel_node *call, int sense)
{
    const cel_node *literal = call->kids[1];
    arena *a = e->l->a;
    if (sense <= 0 || !lint_is_text(literal)) return;
    str p = cel_text(literal->value);
    pattern_kind k = kind_of(p);
    if (!k.anchored) {
        str also = k.plain ? arena_fmt(a, "unanchored: it also matches \"not-" STR_FMT "-either\"",
                                       STR_ARG(p))
                           : S("unanchored: it is enough that a part of the text matches");
        str fix = memchr(p.p, '|', p.n) ? (str){0} : with_anchor(e, literal);
        str hint =
            fix.n ? arena_fmt(a, "write " STR_FMT, STR_ARG(fix)) : S("write ^(…)$ around it");
        lint_say(e, (lint_said){"warning W312", literal->offset, literal->length, also, hint, fix,
                                false});
    } else if (k.dot) {
        lint_say_node(e, literal, "warning W313",
                      arena_fmt(a, "the . in \"" STR_FMT "\" stands for any character",
                                STR_ARG(str_take(str_drop(p, k.dot - 2), 3))),
                      S("write \\. in a raw string: r'…'"));
    }
}

/* Beginnings and ends */

static bool is_host(str s)
{
    bool dot = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.') return false;
        dot |= s.p[i] == '.';
    }
    return dot && s.n > 3 && is_alnum(s.p[0]);
}

static void say(const lint_expr *e, const cel_node *literal, const char *code, str also,
                str instead)
{
    arena *a = e->l->a;
    str source = lint_source(e, literal);
    str quote = source.n ? str_drop(source, source.n - 1) : S("\"");
    str fix =
        arena_fmt(a, STR_FMT STR_FMT STR_FMT, STR_ARG(quote), STR_ARG(instead), STR_ARG(quote));
    lint_say(e, (lint_said){code, literal->offset, literal->length,
                            arena_fmt(a, "this is also true of \"" STR_FMT "\"", STR_ARG(also)),
                            arena_fmt(a, "write " STR_FMT, STR_ARG(fix)), fix, false});
}

void lint_text_test(const lint_expr *e, const cel_node *call, int sense)
{
    const cel_node *literal = call->kids[1];
    arena *a = e->l->a;
    str s = cel_text(literal->value);
    if (!s.n) {
        lint_say_node(e, call, "warning W308", S("every text does: this is always true"), (str){0});
        return;
    }
    bool plain = !memchr(s.p, '\'', s.n) && !memchr(s.p, '"', s.n) && !memchr(s.p, '\\', s.n);
    if (sense <= 0 || !plain) return;
    bool open = is_alnum(s.p[s.n - 1]);
    bool url = memmem(s.p, s.n, "://", 3) != NULL;
    if (str_eq(call->name, S("startsWith")) && open && (url || s.p[0] == '/'))
        say(e, literal, url ? "warning W315" : "warning W314",
            arena_fmt(a, STR_FMT "%s", STR_ARG(s), url ? ".evil.example/" : "-other/x"),
            arena_fmt(a, STR_FMT "/", STR_ARG(s)));
    if (str_eq(call->name, S("endsWith")) && is_host(s))
        say(e, literal, "warning W316", arena_fmt(a, "not" STR_FMT, STR_ARG(s)),
            arena_fmt(a, "@" STR_FMT, STR_ARG(s)));
}
