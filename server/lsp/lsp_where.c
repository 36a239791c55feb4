/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_where.c - from the place upwards, each line that is indented less is the parent. */
#include "lsp_where.h"
#include "lsp_text.h"

enum { NONE = 0x7fffffff /* no column is as far */, FLOW_MOST = 8 };

typedef struct {
    size_t start, end;
    size_t dash;   /* column of its first dash; NONE */
    size_t column; /* of what is behind the dashes */
    str key;       /* {0}: it has none */
    size_t after;  /* offset behind the colon */
    bool blank;    /* or a comment */
} line;

static bool ends_key(str text, size_t at, size_t end)
{
    return at < end && text.p[at] == ':' &&
           (at + 1 == end || text.p[at + 1] == ' ' || text.p[at + 1] == '\r');
}

static line line_at(str text, size_t offset)
{
    line l = {.dash = NONE};
    l.start = offset;
    while (l.start && text.p[l.start - 1] != '\n') l.start--;
    l.end = l.start;
    while (l.end < text.n && text.p[l.end] != '\n') l.end++;
    size_t at = l.start;
    while (at < l.end && (text.p[at] == ' ' || text.p[at] == '-')) {
        bool dash = text.p[at] == '-';
        if (dash && at + 1 < l.end && text.p[at + 1] != ' ' && text.p[at + 1] != '\r') break;
        if (dash && l.dash == NONE) l.dash = at - l.start;
        at++;
    }
    l.column = at - l.start;
    l.blank = at == l.end || text.p[at] == '#' || text.p[at] == '\r';
    size_t key = at;
    while (at < l.end && !ends_key(text, at, l.end) && !strchr("#{[,", text.p[at])) at++;
    if (!ends_key(text, at, l.end)) return l;
    l.key = (str){text.p + key, at - key};
    if (l.key.n > 1 && strchr("'\"", *l.key.p)) l.key = (str){l.key.p + 1, l.key.n - 2};
    l.after = at + 1;
    return l;
}

static void push(lsp_where *w, str key)
{
    if (w->depth < LSP_PATH_MOST) w->path[w->depth++] = key;
}

static const str dash = {"-", 1};

/* The parents, innermost first. `want`: the column they are to be left of; `item`: of a dash. */
static void climb(lsp_where *w, str text, size_t start, size_t want, bool item)
{
    while (start && w->depth < LSP_PATH_MOST) {
        line l = line_at(text, start - 1);
        start = l.start;
        if (l.blank && l.dash == NONE) continue;
        bool begins_item = !item && l.column == want && l.dash != NONE && l.dash < want;
        bool parent = l.key.n && (l.column < want || (item && l.column == want && l.dash == NONE));
        if (begins_item) {
            push(w, dash);
            want = l.dash;
            item = true;
        } else if (parent) {
            push(w, l.key);
            want = l.column;
            item = l.dash != NONE;
            if (!item) continue;
            push(w, dash);
            want = l.dash;
        }
    }
}

static size_t skip_spaces(str text, size_t at, size_t most)
{
    while (at < most && text.p[at] == ' ') at++;
    return at;
}

/* What is open within { } and [ ] on one line. */
typedef struct {
    bool map;
    str key;
    size_t at; /* where the key, or the value, begins */
} bracket;

typedef struct {
    bracket stack[FLOW_MOST]; /* the first is the line itself */
    size_t depth;
    char quote;
} flow;

static void flow_step(flow *f, str text, size_t i)
{
    char c = text.p[i];
    bracket *b = &f->stack[f->depth];
    if (f->quote) {
        if (c == f->quote) f->quote = '\0';
    } else if (c == '"' || c == '\'') {
        f->quote = c;
    } else if ((c == '{' || c == '[') && f->depth + 1 < FLOW_MOST) {
        f->stack[++f->depth] = (bracket){.map = c == '{', .at = i + 1};
    } else if ((c == '}' || c == ']') && f->depth) {
        f->depth--;
    } else if (c == ',') {
        *b = (bracket){.map = b->map, .at = i + 1};
    } else if (b->map && !b->key.n && ends_key(text, i, text.n)) {
        size_t from = skip_spaces(text, b->at, i);
        *b = (bracket){.map = true, .key = {text.p + from, i - from}, .at = i + 1};
    }
}

/* The keys there, and where the value begins. */
static void enter_flow(lsp_where *w, str text, size_t offset)
{
    flow f = {.depth = 0};
    for (size_t i = w->value_at; i < offset && text.p[i] != '\n'; i++) flow_step(&f, text, i);
    if (!f.depth) return;
    for (size_t i = 1; i <= f.depth; i++) {
        const bracket *b = &f.stack[i];
        if (!b->map || b->key.n) push(w, b->map ? b->key : dash);
    }
    w->value_at = skip_spaces(text, f.stack[f.depth].at, offset);
    w->in_key = f.stack[f.depth].map && !f.stack[f.depth].key.n;
}

static void reverse(lsp_where *w)
{
    for (size_t i = 0; i < w->depth / 2; i++) {
        str s = w->path[i];
        w->path[i] = w->path[w->depth - 1 - i];
        w->path[w->depth - 1 - i] = s;
    }
}

static fmt_role role_of(const lsp_where *w)
{
    fmt_role role = FMT_FILE;
    unsigned rank;
    for (size_t i = 0; i < w->depth; i++)
        role = fmt_role_of(role, str_eq(w->path[i], dash) ? (str){0} : w->path[i], &rank);
    return role;
}

/* Where the value of the innermost key begins, when that is on a line above. */
static size_t value_above(str text, size_t start, str key)
{
    while (start) {
        line l = line_at(text, start - 1);
        if (str_eq(l.key, key)) return skip_spaces(text, l.after, l.end);
        start = l.start;
    }
    return 0;
}

lsp_where lsp_where_at(str text, size_t offset)
{
    lsp_where w = {0};
    line l = line_at(text, offset);
    bool in_value = l.key.n && offset >= l.after;
    size_t column = offset - l.start < l.column || l.blank ? offset - l.start : l.column;
    if (in_value) push(&w, l.key);
    bool item = l.dash != NONE && l.dash < offset - l.start;
    if (item) push(&w, dash);
    climb(&w, text, l.start, item ? l.dash : column, item);
    reverse(&w);
    w.role = role_of(&w);
    bool expression = w.role == FMT_EXPR || w.role == FMT_ARG;
    w.in_key = !in_value && !(item && w.role == FMT_OTHER);
    w.value_at = in_value ? skip_spaces(text, l.after, offset) : l.start + l.column;
    if (w.value_at > offset) w.value_at = offset;
    if (!in_value && !item && expression && w.depth && (w.role == FMT_EXPR || l.blank == false)) {
        w.in_key = w.role == FMT_ARG && l.key.n;
        if (!w.in_key) w.value_at = value_above(text, l.start, w.path[w.depth - 1]);
    }
    if (in_value && !(w.role == FMT_EXPR)) enter_flow(&w, text, offset);
    w.role = role_of(&w);
    return w;
}

bool lsp_where_ends(const lsp_where *w, const char *key, bool in_list)
{
    size_t n = w->depth;
    if (in_list && n && str_eq(w->path[n - 1], dash)) n--;
    return n && str_eq(w->path[n - 1], (str){key, strlen(key)});
}

/* The name that ends at `at`, and what stands before it. */
static size_t back_over(str text, size_t from, size_t at)
{
    while (at > from && lsp_is_word(text.p[at - 1])) at--;
    return at;
}

lsp_chain lsp_chain_at(str text, size_t from, size_t offset)
{
    lsp_chain c = {0};
    size_t start = back_over(text, from, offset), end = lsp_word_end(text, offset);
    c.word = (str){text.p + start, end - start};
    size_t at = start;
    for (;;) {
        size_t dot = at;
        if (dot > from && text.p[dot - 1] == '?') dot--;
        if (dot == from || text.p[dot - 1] != '.') break;
        size_t name = back_over(text, from, dot - 1);
        if (name == dot - 1) {
            c.after_value = true;
            break;
        }
        at = name;
    }
    c.text = (str){text.p + at, end - at};
    if (start > at) {
        size_t stop = start - 1;
        if (stop > at && text.p[stop] == '?') stop--;
        c.before = (str){text.p + at, stop - at};
    }
    return c;
}
