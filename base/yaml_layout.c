/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_layout.c - libyaml's events for the tree, the bytes between them for the comments.
 *
 * libyaml drops comments, but it tells where every scalar begins and ends; a # outside of those,
 * with a blank before it, begins a comment. The comments are then dealt out in one walk over the
 * tree, in the order of the file. yaml_parse() has read the text first: what is refused there
 * never gets here. */
#include "yaml_layout.h"
#include <yaml.h>

typedef struct {
    size_t at;
    unsigned column; /* from 1, in bytes */
    bool own_line;
    yaml_comment note;
} found;

typedef struct {
    arena *a;
    str text;
    yaml_parser_t parser;
    size_t byte, index; /* of one character: libyaml counts those */
    found *comments;
    size_t count, next;
} reader;

/* Places */

static size_t char_length(char c)
{
    unsigned char u = (unsigned char)c;
    return u < 0xC0 ? 1 : u < 0xE0 ? 2 : u < 0xF0 ? 3 : 4;
}

static size_t byte_of(reader *r, yaml_mark_t mark)
{
    if (mark.index < r->index) r->byte = r->index = 0;
    for (; r->index < mark.index && r->byte < r->text.n; r->index++)
        r->byte += char_length(r->text.p[r->byte]);
    return r->byte < r->text.n ? r->byte : r->text.n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static size_t line_start(str text, size_t at)
{
    while (at && text.p[at - 1] != '\n') at--;
    return at;
}

static bool blank_above(str text, size_t at)
{
    size_t start = line_start(text, at);
    if (!start) return false;
    size_t i = start - 1;
    while (i && is_blank(text.p[i - 1])) i--;
    return i == 0 || text.p[i - 1] == '\n';
}

/* The tree */

static str name_of(arena *a, const yaml_char_t *name)
{
    return name ? arena_dup(a, (str){(const char *)name, strlen((const char *)name)}) : (str){0};
}

static yaml_layout *node_new(reader *r, const yaml_event_t *e, yaml_kind kind)
{
    yaml_layout *n = NEW(r->a, yaml_layout);
    n->kind = kind;
    n->at = byte_of(r, e->start_mark);
    n->end = byte_of(r, e->end_mark);
    n->line = (unsigned)e->start_mark.line + 1;
    n->column = (unsigned)e->start_mark.column + 1;
    return n;
}

static char quote_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return '\'';
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return '"';
    case YAML_LITERAL_SCALAR_STYLE: return '|';
    case YAML_FOLDED_SCALAR_STYLE: return '>';
    default: return '\0';
    }
}

static bool next_event(reader *r, yaml_event_t *e)
{
    return yaml_parser_parse(&r->parser, e);
}

static yaml_layout *read_node(reader *r, const yaml_event_t *e);

/* Up to the end of the list or map `n`; false when libyaml stumbles, which it did not before. */
static bool read_children(reader *r, yaml_layout *n)
{
    yaml_layout **end = &n->first, *key = NULL;
    for (;;) {
        yaml_event_t e;
        if (!next_event(r, &e)) return false;
        if (e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT) {
            n->end = byte_of(r, e.end_mark);
            yaml_event_delete(&e);
            return true;
        }
        yaml_layout *child = read_node(r, &e);
        yaml_event_delete(&e);
        if (!child) return false;
        if (n->kind == YAML_MAP && !key) {
            key = child;
            continue;
        }
        child->key = key;
        key = NULL;
        *end = child;
        end = &child->next;
        n->count++;
    }
}

static yaml_layout *read_node(reader *r, const yaml_event_t *e)
{
    yaml_layout *n = NULL;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        n = node_new(r, e, YAML_SCALAR);
        n->anchor = name_of(r->a, e->data.scalar.anchor);
        n->quote = quote_of(e->data.scalar.style);
        n->text = arena_dup(r->a, (str){(const char *)e->data.scalar.value, e->data.scalar.length});
        return n;
    case YAML_ALIAS_EVENT:
        n = node_new(r, e, YAML_SCALAR);
        n->alias = true;
        n->anchor = name_of(r->a, e->data.alias.anchor);
        return n;
    case YAML_SEQUENCE_START_EVENT:
        n = node_new(r, e, YAML_LIST);
        n->anchor = name_of(r->a, e->data.sequence_start.anchor);
        n->flow = e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        return read_children(r, n) ? n : NULL;
    case YAML_MAPPING_START_EVENT:
        n = node_new(r, e, YAML_MAP);
        n->anchor = name_of(r->a, e->data.mapping_start.anchor);
        n->flow = e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        return read_children(r, n) ? n : NULL;
    default: return NULL;
    }
}

static yaml_layout *read_document(reader *r)
{
    for (;;) {
        yaml_event_t e;
        if (!next_event(r, &e)) return NULL;
        bool over = e.type == YAML_STREAM_END_EVENT;
        yaml_layout *n = read_node(r, &e);
        yaml_event_delete(&e);
        if (n || over) return n;
    }
}

/* Comments */

/* Past the scalar `n`; the comment of a block scalar's first line is not part of it. */
static void scan_to(reader *r, size_t *at, size_t to)
{
    str t = r->text;
    for (size_t i = *at; i < to; i++) {
        if (t.p[i] != '#' || (i && !is_blank(t.p[i - 1]) && t.p[i - 1] != '\n')) continue;
        size_t start = line_start(t, i), first = start, end = i;
        while (first < i && is_blank(t.p[first])) first++;
        while (end < t.n && t.p[end] != '\n') end++;
        size_t trimmed = end;
        while (is_blank(t.p[trimmed - 1])) trimmed--;
        r->comments[r->count++] =
            (found){.at = i,
                    .column = (unsigned)(i - start + 1),
                    .own_line = first == i,
                    .note = {.text = {t.p + i, trimmed - i}, .blank = blank_above(t, i)}};
        i = end - 1;
    }
    if (to > *at) *at = to;
}

static void scan_scalar(reader *r, size_t *at, const yaml_layout *n)
{
    size_t inside = n->at;
    scan_to(r, at, n->at);
    if (n->quote == '|' || n->quote == '>')
        while (inside < n->end && r->text.p[inside] != '\n') inside++;
    scan_to(r, at, inside);
    if (n->end > *at) *at = n->end;
}

static void scan_node(reader *r, size_t *at, const yaml_layout *n)
{
    if (n->kind == YAML_SCALAR) scan_scalar(r, at, n);
    for (const yaml_layout *c = n->first; c; c = c->next) {
        if (c->key) scan_scalar(r, at, c->key);
        scan_node(r, at, c);
    }
}

static void scan(reader *r, const yaml_layout *root)
{
    size_t most = 1, at = 0;
    for (size_t i = 0; i < r->text.n; i++) most += r->text.p[i] == '#';
    r->comments = NEW_N(r->a, found, most);
    if (root) scan_node(r, &at, root);
    scan_to(r, &at, r->text.n);
}

/* The next comment that stands before `limit`. */
static found *upcoming(reader *r, size_t limit)
{
    found *f = r->next < r->count ? &r->comments[r->next] : NULL;
    return f && f->at < limit ? f : NULL;
}

static void append(yaml_comment **end, found *f)
{
    while (*end) end = &(*end)->next;
    *end = &f->note;
}

static size_t start_of(const yaml_layout *entry)
{
    return entry->key ? entry->key->at : entry->at;
}

/* Does the comment end the line on which what is written of `line` so far ends? */
static bool ends_line(const reader *r, const found *f, const yaml_layout *line)
{
    if (f->own_line || !line || line->tail.n) return false;
    bool whole = line->end <= f->at && (line->kind == YAML_SCALAR || line->flow);
    if (!whole && !line->key) return false;
    size_t from = whole ? line->end : line->key->end;
    return from <= f->at && !memchr(r->text.p + from, '\n', f->at - from);
}

/* Those before `limit`: at the end of `line`'s line if there is room, else above `entry`. */
static void deal_before(reader *r, size_t limit, yaml_layout *line, yaml_layout *entry)
{
    for (found *f; (f = upcoming(r, limit)); r->next++) {
        if (line && ends_line(r, f, line))
            line->tail = f->note.text;
        else
            append(&entry->above, f);
    }
}

/* What a comment must reach to stand among the entries of a block. */
static unsigned column_of(const yaml_layout *n)
{
    if (n->anchor.n && n->first)
        return n->first->key          ? n->first->key->column
               : n->first->column > 2 ? n->first->column - 2
                                      : 1;
    return n->column;
}

/* What is around a list or map: the entry whose value it is (its line comes first), the column of
 * what holds that, and where the next thing in the file begins. */
typedef struct {
    yaml_layout *owner;
    unsigned column;
    size_t end;
} around;

static void deal(reader *r, yaml_layout *n, around out)
{
    yaml_layout *line = out.owner;
    unsigned column = column_of(n);
    for (yaml_layout *c = n->first; c; c = c->next) {
        size_t end = c->next ? start_of(c->next) : n->flow ? n->end : out.end;
        deal_before(r, start_of(c), line, c);
        c->blank = blank_above(r->text, start_of(c));
        if (c->kind == YAML_SCALAR)
            deal_before(r, c->end, c, c);
        else
            deal(r, c, (around){c, column, end});
        found *f = upcoming(r, end);
        if (f && ends_line(r, f, c)) {
            c->tail = f->note.text;
            r->next++;
        }
        line = c;
    }
    for (found *f; (f = upcoming(r, n->flow ? n->end : out.end)); r->next++) {
        if (!n->flow && (!f->own_line || f->column < column || f->column <= out.column)) return;
        append(&n->below, f);
    }
}

const err *yaml_layout_read(arena *a, str file, str text, yaml_layout **root, yaml_comment **loose)
{
    yaml_node *checked;
    *root = NULL;
    *loose = NULL;
    const err *e = yaml_parse(a, file, text, &checked);
    if (e) return e;
    reader r = {.a = a, .text = text};
    if (!yaml_parser_initialize(&r.parser)) abort();
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    scan(&r, *root);
    if (*root) deal(&r, *root, (around){.end = text.n});
    for (; r.next < r.count; r.next++) append(loose, &r.comments[r.next]);
    return NULL;
}

size_t yaml_layout_comments(str text, const yaml_layout *root)
{
    arena *a = arena_new();
    reader r = {.a = a, .text = text};
    scan(&r, root);
    arena_free(a);
    return r.count;
}

/* Writing scalars */

/* What YAML 1.1 takes for the end of a line beside \n: NEL, LS and PS; and its byte order mark. */
static bool breaks_line(str s)
{
    return str_starts(s, S("\xC2\x85")) || str_starts(s, S("\xE2\x80\xA8")) ||
           str_starts(s, S("\xE2\x80\xA9")) || str_starts(s, S("\xEF\xBB\xBF"));
}

static bool is_bracket(char c)
{
    return c && strchr(",[]{}?", c);
}

static bool may_begin(str text, bool flow)
{
    char first = text.p[0];
    if (strchr(",[]{}#&*!|>'\"%@`", first)) return false;
    bool indicator = strchr("-?:", first);
    return !indicator || !(flow || text.n == 1 || text.p[1] == ' ');
}

/* Would the reader take the byte at `i` for the end of the text, or for something else? */
static bool ends_plain(str text, size_t i, bool flow)
{
    unsigned char c = (unsigned char)text.p[i];
    if (c < 0x20 || c == 0x7F || breaks_line(str_drop(text, i))) return true;
    if (flow && is_bracket(text.p[i])) return true;
    if (c == '#') return i && text.p[i - 1] == ' ';
    if (c != ':') return false;
    return i + 1 == text.n || text.p[i + 1] == ' ' || (flow && is_bracket(text.p[i + 1]));
}

bool yaml_plain(str text, bool flow)
{
    if (!text.n || is_blank(text.p[0]) || is_blank(text.p[text.n - 1])) return false;
    if (!may_begin(text, flow)) return false;
    for (size_t i = 0; i < text.n; i++)
        if (ends_plain(text, i, flow)) return false;
    return true;
}

void yaml_put_single(buf *b, str text)
{
    (void)buf_put(b, S("'"));
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'') (void)buf_put(b, S("'"));
        (void)buf_put(b, (str){text.p + i, 1});
    }
    (void)buf_put(b, S("'"));
}

void yaml_put_double(buf *b, str text)
{
    (void)buf_json_safe(b, text);
}
