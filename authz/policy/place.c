/* SPDX-License-Identifier: Apache-2.0 */
/* place.c - reads the scalar's source again, beside its value.
 *
 * libyaml tells where a scalar begins, not where each of its bytes came from. So the source is
 * walked once more with the little that folding, quoting and escapes do, counting the bytes of
 * the value they yield. Only ever done for a message. */
#include "place.h"

typedef struct {
    str source;
    size_t at;     /* byte in the source */
    size_t made;   /* bytes of the value so far */
    size_t indent; /* of a block */
} walk;

static char peek(const walk *w, size_t ahead)
{
    if (ahead >= w->source.n - w->at) return '\0';
    return w->source.p[w->at + ahead];
}

static bool ended(const walk *w)
{
    return w->at >= w->source.n;
}

/* Byte offset of (line, column); libyaml's columns count characters. */
static size_t offset_of(str source, unsigned line, unsigned column)
{
    size_t at = 0;
    for (unsigned l = 1; l < line && at < source.n; at++)
        if (source.p[at] == '\n') l++;
    for (unsigned c = 1; c < column && at < source.n; c++) {
        at++;
        while (at < source.n && ((unsigned char)source.p[at] & 0xC0) == 0x80) at++;
    }
    return at;
}

static policy_place place_at(str source, size_t offset)
{
    policy_place p = {1, 1};
    for (size_t i = 0; i < offset && i < source.n; i++) {
        if (source.p[i] == '\n')
            p = (policy_place){p.line + 1, 1};
        else if (((unsigned char)source.p[i] & 0xC0) != 0x80)
            p.column++;
    }
    return p;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* White space with a line break in it: one break is a space, k breaks are k - 1 newlines. */
static bool fold(walk *w)
{
    size_t n = 0, breaks = 0;
    while (n < w->source.n - w->at && (is_blank(peek(w, n)) || peek(w, n) == '\n'))
        breaks += peek(w, n++) == '\n';
    if (!breaks) return false;
    w->at += n;
    w->made += breaks > 1 ? breaks - 1 : 1;
    return true;
}

static size_t utf8_length(unsigned long code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 0;
}

static void escape(walk *w)
{
    char c = peek(w, 1);
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (c == '\n') { /* the line goes on */
        w->at += 2;
        while (!ended(w) && is_blank(peek(w, 0))) w->at++;
        return;
    }
    unsigned long code = c == 'N' || c == '_' ? 0x85 : c == 'L' || c == 'P' ? 0x2028 : 0;
    for (size_t i = 0; i < digits; i++) code = code << 4 | (unsigned long)hex_of(peek(w, 2 + i));
    w->at += 2 + digits;
    w->made += utf8_length(code);
}

static void step_flow(walk *w, char quote)
{
    char c = peek(w, 0);
    if (quote == '"' && c == '\\')
        escape(w);
    else if (quote == '\'' && c == '\'') {
        w->at += 2;
        w->made++;
    } else if (!((is_blank(c) || c == '\n') && fold(w))) {
        w->at++;
        w->made++;
    }
}

static void skip_indent(walk *w)
{
    for (size_t i = 0; i < w->indent && !ended(w) && peek(w, 0) == ' '; i++) w->at++;
}

static void step_block(walk *w)
{
    bool line_ends = peek(w, 0) == '\n';
    w->at++;
    w->made++;
    if (line_ends) skip_indent(w);
}

/* From the header (`|`, `>-` …) to the first line of the block. */
static void enter_block(walk *w)
{
    while (!ended(w) && peek(w, 0) != '\n') w->at++;
    w->at++;
    size_t n = 0, indent = 0;
    while (!ended(w) && n < w->source.n - w->at) { /* blank lines do not tell the indent */
        char c = peek(w, n++);
        if (c == '\n')
            indent = 0;
        else if (c == ' ')
            indent++;
        else
            break;
    }
    w->indent = indent;
    skip_indent(w);
}

/* Puts the walk on the scalar itself, behind an anchor; false for an alias. */
static bool enter(walk *w, const yaml_node *n)
{
    w->at = offset_of(w->source, n->line, n->column);
    if (ended(w) || peek(w, 0) == '*') return false;
    if (peek(w, 0) == '&') {
        while (!ended(w) && !is_blank(peek(w, 0)) && peek(w, 0) != '\n') w->at++;
        while (!ended(w) && (is_blank(peek(w, 0)) || peek(w, 0) == '\n')) w->at++;
    }
    return !ended(w);
}

policy_place policy_place_of(str source, const yaml_node *n, size_t offset)
{
    policy_place own = {n->line, n->column};
    walk w = {.source = source};
    if (!enter(&w, n)) return own;
    char first = peek(&w, 0), quote = '\0';
    if (n->style == YAML_BLOCK) enter_block(&w);
    if (n->style == YAML_QUOTED && (first == '"' || first == '\'')) {
        quote = first;
        w.at++;
    }
    while (w.made < offset && !ended(&w)) {
        if (n->style == YAML_BLOCK)
            step_block(&w);
        else
            step_flow(&w, quote);
    }
    if (ended(&w) && w.made < offset) return own;
    return place_at(source, w.at);
}

unsigned policy_place_width(str source, const yaml_node *n, size_t offset, size_t length)
{
    policy_place from = policy_place_of(source, n, offset);
    policy_place to = policy_place_of(source, n, offset + length);
    if (from.line == to.line && to.column > from.column) return to.column - from.column;
    if (from.line == to.line) return 0;
    size_t at = offset_of(source, from.line, from.column), wide = 0;
    while (at < source.n && source.p[at] != '\n') wide += (source.p[at++] & 0xC0) != 0x80;
    return (unsigned)wide;
}

bool policy_place_cut_by_comment(str source, const yaml_node *n)
{
    walk w = {.source = source};
    if (n->style != YAML_PLAIN || !enter(&w, n)) return false;
    while (w.made < n->text.n && !ended(&w)) step_flow(&w, '\0');
    while (!ended(&w) && is_blank(peek(&w, 0))) w.at++;
    return !ended(&w) && peek(&w, 0) == '#';
}
