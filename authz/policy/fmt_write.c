/* SPDX-License-Identifier: Apache-2.0 */
/* fmt_write.c - one walk that writes, one pass that lines up the comments at the ends of lines.
 *
 * A list or map written in one line stays so while it fits; anything else is a block. The comment
 * that ends a line is written behind a mark no YAML can hold; once all lines are there, those of
 * neighbouring lines are put under each other. */
#include "fmt_write.h"
#include "../cel/print.h"

enum { WIDTH = 100, STEP = 2, TAIL_LINE_MOST = 60, MARK = '\1', KEYS_MOST = 256 };

typedef struct {
    arena *a;
    str source;
    buf *out;
    bool sorted;
} writer;

/* Scalars */

static bool holds(str s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

/* In single quotes, unless that means doubling some and double quotes mean no escape. */
static void put_quoted(buf *b, str text)
{
    bool doubles = holds(text, '\''), escapes = holds(text, '"') || holds(text, '\\');
    if (holds(text, '\n') || (doubles && !escapes))
        yaml_put_double(b, text);
    else
        yaml_put_single(b, text);
}

/* Text that is no expression: quotes stay, since "1" and 1 are not the same. */
static void put_text(buf *b, const yaml_layout *n, bool flow)
{
    if (!n->quote && (!n->text.n || yaml_plain(n->text, flow)))
        (void)buf_put(b, n->text);
    else if (holds(n->text, '"') || holds(n->text, '\\'))
        put_quoted(b, n->text);
    else
        yaml_put_double(b, n->text);
}

static void put_anchor(buf *b, const yaml_layout *n, bool more)
{
    if (!n->anchor.n) return;
    (void)buf_fmt(b, "%s" STR_FMT "%s", n->alias ? "*" : "&", STR_ARG(n->anchor), more ? " " : "");
}

static str trimmed(str s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n')) s.n--;
    return s;
}

static str expression_of(writer *w, const yaml_layout *n, size_t width)
{
    str out;
    return cel_print(w->a, n->text, width, &out) ? trimmed(n->text) : trimmed(out);
}

/* In one line */

static bool put_flow(writer *w, buf *b, const yaml_layout *n, fmt_role role);

static bool put_flow_scalar(writer *w, buf *b, const yaml_layout *n, fmt_role role)
{
    put_anchor(b, n, !n->alias);
    if (n->alias) return true;
    if (!fmt_is_expression(role, n)) {
        put_text(b, n, true);
        return n->text.n || n->quote;
    }
    str text = expression_of(w, n, 0);
    if (yaml_plain(text, true))
        (void)buf_put(b, text);
    else
        put_quoted(b, text);
    return !holds(text, '\n');
}

static bool put_flow(writer *w, buf *b, const yaml_layout *n, fmt_role role)
{
    if (n->kind == YAML_SCALAR) return put_flow_scalar(w, b, n, role);
    put_anchor(b, n, true);
    bool map = n->kind == YAML_MAP;
    if (n->below) return false;
    (void)buf_put(b, map ? (n->first ? S("{ ") : S("{")) : S("["));
    for (const yaml_layout *c = n->first; c; c = c->next) {
        unsigned rank;
        if (c->above || c->tail.n) return false;
        if (c != n->first) (void)buf_put(b, S(", "));
        if (map) {
            put_text(b, c->key, true);
            (void)buf_put(b, S(": "));
        }
        if (!put_flow(w, b, c, fmt_role_of(role, map ? c->key->text : (str){0}, &rank)))
            return false;
    }
    (void)buf_put(b, map ? (n->first ? S(" }") : S("}")) : S("]"));
    return true;
}

/* Blocks */

static void indent(writer *w, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) (void)buf_put(w->out, S(" "));
}

static void put_tail(writer *w, str tail)
{
    const char mark[] = {MARK, '\0'};
    if (tail.n) (void)buf_fmt(w->out, "%s" STR_FMT, mark, STR_ARG(tail));
    (void)buf_put(w->out, S("\n"));
}

static void put_comments(writer *w, const yaml_comment *c, unsigned depth, bool first)
{
    for (; c; c = c->next, first = false) {
        if (c->blank && !first) (void)buf_put(w->out, S("\n"));
        indent(w, depth);
        (void)buf_fmt(w->out, STR_FMT "\n", STR_ARG(c->text));
    }
}

static void put_lines(writer *w, str text, unsigned depth)
{
    while (text.n) {
        str_pair cut = str_cut(text, '\n');
        if (cut.head.n) indent(w, depth);
        (void)buf_fmt(w->out, STR_FMT "\n", STR_ARG(cut.head));
        text = cut.tail;
    }
}

/* Of a block scalar's source: how far its lines are indented. */
static size_t margin_of(str lines)
{
    size_t margin = SIZE_MAX;
    while (lines.n) {
        str_pair line = str_cut(lines, '\n');
        size_t spaces = 0;
        while (spaces < line.head.n && line.head.p[spaces] == ' ') spaces++;
        if (spaces < line.head.n && spaces < margin) margin = spaces;
        lines = line.tail;
    }
    return margin;
}

/* Folded: the breaks of the source are not those of the value, so its own lines are moved. */
static void put_folded(writer *w, str lines, unsigned depth)
{
    size_t margin = margin_of(lines);
    while (lines.n) {
        str_pair line = str_cut(lines, '\n');
        str text = trimmed(str_drop(line.head, margin));
        if (text.n) indent(w, depth);
        (void)buf_fmt(w->out, STR_FMT "\n", STR_ARG(text));
        lines = line.tail;
    }
}

/* A block scalar that is no expression. */
static void put_block_text(writer *w, const yaml_layout *n, str tail, unsigned depth)
{
    size_t breaks = 0, first = 0;
    while (breaks < n->text.n && n->text.p[n->text.n - 1 - breaks] == '\n') breaks++;
    while (first < n->text.n && n->text.p[first] == '\n') first++;
    bool leads = first < n->text.n && n->text.p[first] == ' ';
    (void)buf_fmt(w->out, "%c%s%s", n->quote, leads ? "2" : "",
                  breaks > 1    ? "+"
                  : breaks == 1 ? ""
                                : "-");
    put_tail(w, tail);
    str lines = str_cut((str){w->source.p + n->at, n->end - n->at}, '\n').tail;
    if (n->quote == '|')
        put_lines(w, n->text, depth);
    else
        put_folded(w, breaks > 1 ? lines : trimmed(lines), depth);
}

/* A plain text of several lines that is too long for one: folded, which says the same. */
static bool wants_folding(const writer *w, const yaml_layout *n, size_t used)
{
    bool lines = memchr(w->source.p + n->at, '\n', n->end - n->at);
    bool doubled = memmem(n->text.p, n->text.n, "  ", 2);
    return lines && !n->alias && used + n->text.n > WIDTH && !doubled && !holds(n->text, '\n') &&
           *n->text.p != ' ' && n->text.p[n->text.n - 1] != ' ';
}

static void put_wrapped(writer *w, str text, unsigned depth)
{
    while (text.n) {
        size_t room = WIDTH - (depth < WIDTH / 2 ? depth : WIDTH / 2), cut = text.n;
        if (cut > room)
            for (cut = room; cut && text.p[cut] != ' ';) cut--;
        if (!cut) cut = str_cut(text, ' ').head.n; /* a long word */
        indent(w, depth);
        (void)buf_fmt(w->out, STR_FMT "\n", STR_ARG(str_take(text, cut)));
        text = str_drop(text, cut + 1);
    }
}

static void put_expression(writer *w, const yaml_layout *n, str tail, unsigned depth, size_t used)
{
    str text = expression_of(w, n, used < WIDTH / 2 ? WIDTH - used : WIDTH / 2);
    bool lines = holds(text, '\n');
    if (!lines && yaml_plain(text, false)) {
        (void)buf_put(w->out, text);
    } else if (!lines && !(holds(text, '\'') && (holds(text, '"') || holds(text, '\\')))) {
        put_quoted(w->out, text);
    } else {
        (void)buf_put(w->out, S("|"));
        put_tail(w, tail);
        put_lines(w, text, depth);
        return;
    }
    put_tail(w, tail);
}

static void put_entries(writer *w, yaml_layout *n, fmt_role role, unsigned depth, bool inside);

static void put_scalar(writer *w, const yaml_layout *n, fmt_role role, unsigned depth, size_t used)
{
    bool empty = !n->alias && !n->text.n && !n->quote;
    if (!empty || n->anchor.n) (void)buf_put(w->out, S(" "));
    put_anchor(w->out, n, !n->alias && !empty);
    if (fmt_is_expression(role, n)) {
        put_expression(w, n, n->tail, depth, used);
    } else if (n->quote == '|' || n->quote == '>') {
        put_block_text(w, n, n->tail, depth);
    } else if (n->text.n && wants_folding(w, n, used)) {
        (void)buf_put(w->out, S(">-"));
        put_tail(w, n->tail);
        put_wrapped(w, n->text, depth);
    } else {
        if (!n->alias) put_text(w->out, n, false);
        put_tail(w, n->tail);
    }
}

/* In one line, if it was so and fits. */
static bool put_on_line(writer *w, const yaml_layout *n, fmt_role role, size_t used)
{
    if (!n->flow && n->first) return false;
    buf line = buf_new(w->a, 4096);
    if (!put_flow(w, &line, n, role) || !buf_ok(&line) || used + line.n > WIDTH) return false;
    (void)buf_put(w->out, S(" "));
    (void)buf_put(w->out, buf_str(&line));
    put_tail(w, n->tail);
    return true;
}

/* The value behind `key:` or `-`, of which `used` columns are gone; `depth`: of what is below. */
static void put_value(writer *w, yaml_layout *n, fmt_role role, unsigned depth, size_t used)
{
    if (n->kind == YAML_SCALAR) {
        put_scalar(w, n, role, depth, used);
        return;
    }
    if (put_on_line(w, n, role, used)) return;
    if (n->anchor.n) (void)buf_put(w->out, S(" "));
    put_anchor(w->out, n, false);
    bool bare = !n->key && !n->anchor.n && !n->tail.n;
    bool inside = bare && n->kind == YAML_MAP && n->first && !n->first->above;
    if (inside)
        (void)buf_put(w->out, S(" "));
    else
        put_tail(w, n->tail);
    put_entries(w, n, role, depth, inside);
}

/* In the order of their keys; those of equal rank as they were written. */
static void sort_entries(yaml_layout *n, fmt_role role)
{
    yaml_layout *sorted = NULL;
    for (yaml_layout *c = n->first, *next; c; c = next) {
        unsigned rank, other;
        next = c->next;
        (void)fmt_role_of(role, c->key->text, &rank);
        yaml_layout **at = &sorted;
        while (*at && ((void)fmt_role_of(role, (*at)->key->text, &other), other <= rank))
            at = &(*at)->next;
        c->next = *at;
        *at = c;
    }
    n->first = sorted;
}

/* `inside`: the first entry goes on on the line of its dash. */
static void put_entries(writer *w, yaml_layout *n, fmt_role role, unsigned depth, bool inside)
{
    bool map = n->kind == YAML_MAP;
    if (map && w->sorted && n->count < KEYS_MOST) sort_entries(n, role);
    for (yaml_layout *c = n->first; c; c = c->next) {
        bool first = c == n->first;
        unsigned rank;
        fmt_role below = fmt_role_of(role, map ? c->key->text : (str){0}, &rank);
        bool section = role == FMT_FILE && below != FMT_OTHER && !first;
        if (section && !c->blank && !(c->above && c->above->blank)) (void)buf_put(w->out, S("\n"));
        put_comments(w, c->above, depth, first);
        if (c->blank && (!first || c->above)) (void)buf_put(w->out, S("\n"));
        if (!first || !inside) indent(w, depth);
        size_t begin = w->out->n;
        if (map) {
            put_anchor(w->out, c->key, true);
            put_text(w->out, c->key, false);
            (void)buf_put(w->out, S(":"));
        } else {
            (void)buf_put(w->out, S("-"));
        }
        put_value(w, c, below, depth + STEP, depth + (w->out->n - begin) + 1);
    }
    put_comments(w, n->below, depth, !n->first);
}

/* Comments at the ends of lines */

static size_t characters(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* Writes the lines up to `end`, each of which has a comment behind its mark. */
static void align(buf *out, str lines)
{
    size_t column = 0;
    for (str rest = lines; rest.n;) {
        str_pair line = str_cut(rest, '\n');
        size_t n = characters(str_cut(line.head, MARK).head);
        if (n > column && n <= TAIL_LINE_MOST) column = n;
        rest = line.tail;
    }
    for (str rest = lines; rest.n;) {
        str_pair line = str_cut(rest, '\n'), cut = str_cut(line.head, MARK);
        (void)buf_put(out, cut.head);
        for (size_t n = characters(cut.head); n < column; n++) (void)buf_put(out, S(" "));
        (void)buf_fmt(out, "  " STR_FMT "\n", STR_ARG(cut.tail));
        rest = line.tail;
    }
}

static void put_aligned(buf *out, str text)
{
    while (text.n) {
        size_t group = 0;
        str_pair line = str_cut(text, '\n');
        for (str rest = text; rest.n && str_cut(str_cut(rest, '\n').head, MARK).ok;) {
            size_t n = str_cut(rest, '\n').head.n + 1;
            group += n;
            rest = str_drop(rest, n);
        }
        if (group)
            align(out, str_take(text, group));
        else
            (void)buf_fmt(out, STR_FMT "\n", STR_ARG(line.head));
        text = group ? str_drop(text, group) : line.tail;
    }
}

void fmt_write(arena *a, str source, yaml_layout *root, const yaml_comment *loose, bool sorted,
               buf *out)
{
    buf lines = buf_new(a, out->limit);
    writer w = {a, source, &lines, sorted};
    if (root && root->kind == YAML_MAP && root->first) {
        yaml_layout *first = root->first; /* what stands above everything stays there */
        bool blank = first->blank && first->above;
        put_comments(&w, first->above, 0, true);
        if (blank) (void)buf_put(&lines, S("\n"));
        first->above = NULL;
        first->blank = false;
        put_entries(&w, root, FMT_FILE, 0, false);
    } else if (root) {
        put_value(&w, root, FMT_OTHER, 0, 0);
    }
    put_comments(&w, loose, 0, lines.n == 0);
    if (!buf_ok(&lines)) out->over = true;
    put_aligned(out, buf_str(&lines));
}
