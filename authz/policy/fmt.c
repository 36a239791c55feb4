/* SPDX-License-Identifier: Apache-2.0 */
/* fmt.c - reads, mends, writes, and reads again to see that nothing was lost.
 *
 * Mending is for the one mistake YAML makes everybody make: an expression that YAML cannot read,
 * or reads only half of, because it has no quotes. Where the reader stumbles, the line (or the one
 * above) is taken for `key: expression`; if what stands there is a whole expression of CEL it gets
 * its quotes, and the reader another try.
 *
 * The proof is by trees: the new text must have every comment, the same YAML (order of keys aside)
 * and the same trees of CEL. If it does not with the keys in their order, an alias would have come
 * before its anchor: then they are left as they were. */
#include "fmt.h"
#include "../cel/print.h"
#include "fmt_write.h"
#include "place.h"

enum { TEXT_MOST = 1 << 20, MENDS_MOST = 100 };

/* Mending */

static size_t line_at(str text, unsigned number)
{
    size_t at = 0;
    for (unsigned line = 1; line < number && at < text.n; at++) line += text.p[at] == '\n';
    return at;
}

/* The line of "FILE:LINE:COL: …"; 0 when it has none. */
static unsigned line_of(const err *e, str file)
{
    unsigned line = 0;
    str rest = str_drop(e->text, file.n + 1);
    for (; rest.n && *rest.p >= '0' && *rest.p <= '9' && line < TEXT_MOST; rest = str_drop(rest, 1))
        line = line * 10 + (unsigned)(*rest.p - '0');
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Where the value of `- key: value` begins in the line; its length when there is none. */
static size_t value_at(str line)
{
    size_t at = 0;
    while (at < line.n && (is_blank(line.p[at]) ||
                           (line.p[at] == '-' && line.n > at + 1 && line.p[at + 1] == ' ')))
        at++;
    while (at < line.n && line.p[at] != ':' && !is_blank(line.p[at])) at++;
    if (at + 1 >= line.n || line.p[at] != ':' || line.p[at + 1] != ' ') return line.n;
    for (at++; at < line.n && is_blank(line.p[at]);) at++;
    return at;
}

static str stripped(str s)
{
    while (s.n && is_blank(s.p[s.n - 1])) s.n--;
    return s;
}

static bool is_cel(arena *a, str text)
{
    cel_node *root;
    return text.n && !cel_tree(a, text, &root);
}

/* The longest expression the value begins with that only a comment follows; {0}: none. */
static str expression_in(arena *a, str value)
{
    value = stripped(value);
    for (str s = value; s.n;) {
        if (is_cel(a, s)) return s;
        size_t cut = s.n - 1;
        while (cut && !(s.p[cut] == '#' && is_blank(s.p[cut - 1]))) cut--;
        s = stripped(str_take(s, cut));
    }
    return (str){0};
}

/* Quotes the expression that begins at `at`. */
static str quoted_at(arena *a, str text, size_t at, size_t length)
{
    buf b = buf_new(a, (size_t)2 * TEXT_MOST);
    (void)buf_put(&b, str_take(text, at));
    yaml_put_single(&b, (str){text.p + at, length});
    (void)buf_put(&b, str_drop(text, at + length));
    return buf_str(&b);
}

/* Gives the line `number` its quotes; false when that is not what is wrong with it. */
static bool mend_line(arena *a, str *text, unsigned number)
{
    size_t start = line_at(*text, number);
    str line = str_cut(str_drop(*text, start), '\n').head;
    size_t at = value_at(line);
    str value = str_drop(line, at), found;
    if (!value.n || strchr("'|>&", *value.p)) return false;
    found = expression_in(a, value);
    if (!found.n) return false;
    *text = quoted_at(a, *text, start + at, found.n);
    return true;
}

static const err *read_mended(arena *a, str file, str *text, yaml_layout **root,
                              yaml_comment **loose)
{
    for (unsigned tries = 0;; tries++) {
        const err *e = yaml_layout_read(a, file, *text, root, loose);
        if (!e || tries == MENDS_MOST) return e;
        unsigned line = line_of(e, file);
        if (!mend_line(a, text, line) && (line < 2 || !mend_line(a, text, line - 1))) return e;
    }
}

/* Expressions */

typedef struct {
    arena *a;
    str file, text;
    unsigned cut_line; /* of an expression that YAML cut short at a # */
    const err *error;
} checker;

static void check_expression(checker *c, const yaml_layout *n)
{
    cel_node *root;
    const cel_problem *p = cel_tree(c->a, n->text, &root);
    if (!p) return;
    yaml_node scalar = {.kind = YAML_SCALAR, .line = n->line, .column = n->column, .text = n->text};
    scalar.style = n->quote == '|' || n->quote == '>' ? YAML_BLOCK
                   : n->quote                         ? YAML_QUOTED
                                                      : YAML_PLAIN;
    if (policy_place_cut_by_comment(c->text, &scalar)) c->cut_line = n->line;
    policy_place at = policy_place_of(c->text, &scalar, p->offset);
    c->error = err_new(c->a, ERR_MALFORMED, STR_FMT ":%u:%u: error %s: " STR_FMT "%s" STR_FMT "%s",
                       STR_ARG(c->file), at.line, at.column, p->code, STR_ARG(p->text),
                       p->hint.n ? " (" : "", STR_ARG(p->hint), p->hint.n ? ")" : "");
}

/* Stops at the first expression that is none. */
static void check(checker *c, const yaml_layout *n, fmt_role role)
{
    if (fmt_is_expression(role, n)) check_expression(c, n);
    for (const yaml_layout *e = n->first; e && !c->error; e = e->next) {
        unsigned rank;
        check(c, e, fmt_role_of(role, e->key ? e->key->text : (str){0}, &rank));
    }
}

/* The proof */

static bool is_typed(str text)
{
    static const char starts[] = "+-.0123456789";
    return !text.n || strchr(starts, *text.p) || str_eq(text, S("true")) ||
           str_eq(text, S("false")) || str_eq(text, S("null")) || str_eq(text, S("~"));
}

static bool same_scalar(arena *a, const yaml_layout *x, const yaml_layout *y, fmt_role role)
{
    if (x->alias != y->alias || !str_eq(x->anchor, y->anchor)) return false;
    bool expression = fmt_is_expression(role, x);
    if (expression != fmt_is_expression(role, y)) return false;
    if (!expression)
        return str_eq(x->text, y->text) && (!x->quote == !y->quote || !is_typed(x->text));
    cel_node *before, *after;
    if (cel_tree(a, x->text, &before) || cel_tree(a, y->text, &after)) return false;
    return before && after && cel_same_tree(before, after);
}

static const yaml_layout *entry_of(const yaml_layout *map, str key)
{
    const yaml_layout *c = map->first;
    while (c && !(c->key && str_eq(c->key->text, key))) c = c->next;
    return c;
}

static bool same(arena *a, const yaml_layout *x, const yaml_layout *y, fmt_role role);

/* `c` of the old tree against what stands in its place, or under its key, in the new one. */
static bool same_entry(arena *a, const yaml_layout *c, const yaml_layout *other, fmt_role in)
{
    unsigned rank;
    if (!other || !c->key != !other->key) return false;
    if (c->key && !str_eq(c->key->text, other->key->text)) return false;
    return same(a, c, other, fmt_role_of(in, c->key ? c->key->text : (str){0}, &rank));
}

static bool same(arena *a, const yaml_layout *x, const yaml_layout *y, fmt_role role)
{
    if (x->kind != y->kind || x->count != y->count) return false;
    if (x->kind == YAML_SCALAR) return same_scalar(a, x, y, role);
    if (!str_eq(x->anchor, y->anchor)) return false;
    /* vars see the vars above them: their order says something */
    bool ordered = x->kind == YAML_LIST || role == FMT_VARS || x->count > 256;
    const yaml_layout *in_order = y->first;
    for (const yaml_layout *c = x->first; c; c = c->next) {
        bool by_key = !ordered && c->key;
        if (!same_entry(a, c, by_key ? entry_of(y, c->key->text) : in_order, role)) return false;
        if (in_order) in_order = in_order->next;
    }
    return true;
}

static bool says_the_same(arena *a, str file, str text, const yaml_layout *root, str made)
{
    yaml_layout *again;
    yaml_comment *loose;
    const err *e = yaml_layout_read(a, file, made, &again, &loose);
    if (e || !root != !again) return false;
    if (yaml_layout_comments(text, root) != yaml_layout_comments(made, again)) return false;
    return !root || same(a, root, again, FMT_FILE);
}

/* One round: false when what came out would not say the same. */
static bool format(arena *a, str file, str text, bool sorted, str *out)
{
    yaml_layout *root, *untouched; /* writing sorts the tree it is given */
    yaml_comment *loose;
    const err *e = yaml_layout_read(a, file, text, &untouched, &loose);
    if (!e) e = yaml_layout_read(a, file, text, &root, &loose);
    if (e) return false;
    buf b = buf_new(a, (size_t)4 * TEXT_MOST);
    fmt_write(a, text, root, loose, sorted, &b);
    *out = buf_str(&b);
    return buf_ok(&b) && says_the_same(a, file, text, untouched, *out);
}

const err *policy_fmt(arena *a, str file, str text, str *out)
{
    yaml_layout *root;
    yaml_comment *loose;
    *out = text;
    if (text.n > TEXT_MOST)
        return err_new(a, ERR_TOO_LARGE, STR_FMT ":1:1: over %d bytes", STR_ARG(file), TEXT_MOST);
    if (str_starts(text, S("\xEF\xBB\xBF"))) text = str_drop(text, 3);
    checker c = {.a = a, .file = file};
    for (unsigned tries = 0; tries < MENDS_MOST; tries++) {
        const err *e = read_mended(a, file, &text, &root, &loose);
        if (e) return e;
        c = (checker){.a = a, .file = file, .text = text};
        if (root) check(&c, root, FMT_FILE);
        if (!c.cut_line || !mend_line(a, &text, c.cut_line)) break;
    }
    if (c.error) return c.error;
    str once, twice;
    for (int sorted = 1; sorted >= 0; sorted--) {
        if (!format(a, file, text, sorted, &once)) continue;
        if (!format(a, file, once, sorted, &twice) || !str_eq(once, twice)) continue;
        *out = once;
        return NULL;
    }
    return err_new(a, ERR_UNSUPPORTED,
                   STR_FMT ":1:1: this YAML cannot be laid out without changing what it says: "
                           "nothing was written",
                   STR_ARG(file));
}
