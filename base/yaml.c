/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c - libyaml's events put together into nodes, on a stack of our own.
 *
 * What makes YAML dangerous or surprising is refused while the events come in, with the place
 * where it stands. An alias shares the children of its anchor and so costs one node of memory;
 * what bounds a file of aliases of aliases is the number of nodes a reader would walk, kept as
 * the weight of every anchor. Keys are scalars.
 *
 * A syntax error is mostly an expression that should have been quoted, so a hint says so when
 * the line looks like one. */
#include "yaml.h"
#include "map.h"
#include <limits.h>
#include <stdint.h>
#include <yaml.h>

enum { DEPTH = 64, TEXT_MOST = 64 * 1024 * 1024 };

typedef struct {
    yaml_node *node;
    size_t weight; /* nodes a reader would walk, aliases expanded */
    size_t height; /* levels of lists and maps; 0 for a scalar */
    bool open;     /* its end has not come yet */
} anchor;

typedef struct {
    yaml_node *node, **end; /* the container, and where its next child goes */
    map *keys;              /* maps: key to the node that has it */
    anchor *anchor;
    size_t weight, height;
    str key; /* maps: the key whose value is awaited */
    unsigned key_line, key_column;
    bool has_key;
} frame;

typedef struct {
    arena *a, *scratch;
    str file, text;
    yaml_parser_t parser;
    frame stack[DEPTH];
    size_t depth;
    yaml_node *root;
    map *anchors;
    size_t weight;
    const err *error;
} builder;

static bool refuse(builder *b, err_kind kind, yaml_mark_t at, str what)
{
    b->error = err_new(b->a, kind, STR_FMT ":%zu:%zu: " STR_FMT, STR_ARG(b->file), at.line + 1,
                       at.column + 1, STR_ARG(what));
    return false;
}

static str line_of(str text, size_t number)
{
    for (; number; number--) text = str_cut(text, '\n').tail;
    return str_cut(text, '\n').head;
}

/* A prefix of plausible length, for a message. */
static str brief(str s)
{
    return str_take(s, s.n <= 60 ? s.n : 60);
}

static str trim(str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t')) s = str_drop(s, 1);
    while (s.n && strchr(" \t\r", s.p[s.n - 1])) s.n--;
    return s;
}

/* The value of `key: value` on this line, when it is one that quotes might have saved; else {0}. */
static str unquoted_value(str line, str *key)
{
    line = trim(line);
    while (str_starts(line, S("- "))) line = trim(str_drop(line, 2));
    str_pair cut = str_cut(line, ':');
    *key = trim(cut.head);
    str value = trim(cut.tail);
    if (!cut.ok || !key->n || !value.n || *value.p == '|' || *value.p == '>') return (str){0};
    for (size_t i = 0; i < key->n; i++) {
        char c = key->p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
        if (!word && !(c >= '0' && c <= '9')) return (str){0};
    }
    bool quoted =
        (*value.p == '"' || *value.p == '\'') && value.n > 1 && value.p[value.n - 1] == *value.p;
    return quoted && !memchr(value.p + 1, *value.p, value.n - 2) ? (str){0} : value;
}

/* Adds "; quote the expression: when: '…'" when the line is why the reader stumbled. */
static str with_hint(builder *b, str what, yaml_mark_t at)
{
    static const str expressions[] = {S("when"), S("unless"), S("if"),  S("cost"),
                                      S("key"),  S("expr"),   S("cel"), {0}};
    str line = line_of(b->text, at.line), key;
    const char *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
    if (tab && trim(str_take(line, (size_t)(tab - line.p))).n == 0)
        return arena_fmt(b->scratch, STR_FMT "; indent with spaces, not tabs", STR_ARG(what));
    str value = unquoted_value(line, &key);
    if (!value.n) return what;
    const char *noun = "value";
    for (const str *e = expressions; e->p; e++) {
        if (str_eq(key, *e)) noun = "expression";
    }
    if (value.n <= 120 && !memchr(value.p, '\'', value.n))
        return arena_fmt(b->scratch, STR_FMT "; quote the %s: " STR_FMT ": '" STR_FMT "'",
                         STR_ARG(what), noun, STR_ARG(key), STR_ARG(value));
    return arena_fmt(b->scratch,
                     STR_FMT "; quote the %s, or put it on lines of its own after `" STR_FMT ": |`",
                     STR_ARG(what), noun, STR_ARG(key));
}

static bool refuse_with_hint(builder *b, yaml_mark_t at, str what)
{
    return refuse(b, ERR_MALFORMED, at, with_hint(b, what, at));
}

static frame *top(builder *b)
{
    return &b->stack[b->depth - 1];
}

/* Adds n to what a reader of the whole would walk. */
static bool weigh(builder *b, yaml_mark_t at, size_t n)
{
    if (n > YAML_NODES - b->weight)
        return refuse(b, ERR_TOO_LARGE, at,
                      arena_fmt(b->scratch, "more than %d nodes, aliases expanded", YAML_NODES));
    b->weight += n;
    for (size_t i = 0; i < b->depth; i++) b->stack[i].weight += n;
    return true;
}

/* The open container has a child of that height. */
static void heighten(builder *b, size_t height)
{
    if (b->depth && top(b)->height <= height) top(b)->height = height + 1;
}

static bool too_deep(builder *b, yaml_mark_t at)
{
    return refuse(b, ERR_TOO_LARGE, at, arena_fmt(b->scratch, "nested over %d levels", DEPTH));
}

static bool add(builder *b, yaml_mark_t at, size_t weight, yaml_node *node)
{
    if (!weigh(b, at, weight)) return false;
    if (!b->depth) {
        b->root = node;
        return true;
    }
    frame *f = top(b);
    if (f->node->kind == YAML_MAP) {
        node->key = f->key;
        node->key_line = f->key_line;
        node->key_column = f->key_column;
        f->has_key = false;
        map_put(f->keys, f->key, node);
    }
    *f->end = node;
    f->end = &node->next;
    f->node->count++;
    return true;
}

static bool wants_key(builder *b)
{
    return b->depth && top(b)->node->kind == YAML_MAP && !top(b)->has_key;
}

static yaml_node *node_new(builder *b, yaml_kind kind, yaml_mark_t at)
{
    yaml_node *n = NEW(b->a, yaml_node);
    n->kind = kind;
    n->line = (unsigned)at.line + 1;
    n->column = (unsigned)at.column + 1;
    return n;
}

static str name_of(const yaml_char_t *text)
{
    return (str){(const char *)text, strlen((const char *)text)};
}

/* NULL when the node has no anchor. A name given twice means the later one from there on. */
static anchor *anchor_new(builder *b, const yaml_char_t *name, yaml_node *node, size_t weight)
{
    if (!name) return NULL;
    anchor *n = NEW(b->scratch, anchor);
    *n = (anchor){.node = node, .weight = weight};
    map_put(b->anchors, arena_dup(b->scratch, name_of(name)), n);
    return n;
}

static bool take_key(builder *b, const yaml_event_t *e)
{
    frame *f = top(b);
    str key = arena_dup(b->a, (str){(const char *)e->data.scalar.value, e->data.scalar.length});
    yaml_mark_t at = e->start_mark;
    if (str_eq(key, S("<<")) && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return refuse(b, ERR_MALFORMED, at,
                      S("merge keys (<<) are not supported: write the entries out, or alias a "
                        "whole value (key: *name)"));
    const yaml_node *first = map_get(f->keys, key);
    if (first)
        return refuse(b, ERR_MALFORMED, at,
                      arena_fmt(b->scratch, "duplicate key \"" STR_FMT "\", first on line %u",
                                STR_ARG(brief(key)), first->key_line));
    f->key = key;
    f->key_line = (unsigned)at.line + 1;
    f->key_column = (unsigned)at.column + 1;
    f->has_key = true;
    return true;
}

static yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return YAML_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE: return YAML_BLOCK;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE: break;
    }
    return YAML_PLAIN;
}

static bool refuse_tag(builder *b, yaml_mark_t at, const yaml_char_t *tag)
{
    str what =
        arena_fmt(b->scratch,
                  "a value that begins with '!' is a tag (" STR_FMT "), and tags are not supported",
                  STR_ARG(brief(name_of(tag))));
    return refuse_with_hint(b, at, what);
}

static bool on_scalar(builder *b, const yaml_event_t *e)
{
    if (e->data.scalar.tag) return refuse_tag(b, e->start_mark, e->data.scalar.tag);
    bool is_key = wants_key(b);
    if (is_key && !take_key(b, e)) return false;
    if (is_key && !e->data.scalar.anchor) return true;
    yaml_node *n = node_new(b, YAML_SCALAR, e->start_mark);
    n->style = style_of(e->data.scalar.style);
    n->text = arena_dup(b->a, (str){(const char *)e->data.scalar.value, e->data.scalar.length});
    (void)anchor_new(b, e->data.scalar.anchor, n, 1);
    return is_key || add(b, e->start_mark, 1, n);
}

static bool begin(builder *b, yaml_kind kind, const yaml_event_t *e, const yaml_char_t *name)
{
    if (wants_key(b))
        return refuse_with_hint(b, e->start_mark,
                                S("a key must be plain text, not a list or a map"));
    if (b->depth == DEPTH) return too_deep(b, e->start_mark);
    yaml_node *n = node_new(b, kind, e->start_mark);
    if (!add(b, e->start_mark, 1, n)) return false;
    frame *f = &b->stack[b->depth++];
    *f = (frame){.node = n,
                 .end = &n->first,
                 .weight = 1,
                 .height = 1,
                 .anchor = anchor_new(b, name, n, 0)};
    if (f->anchor) f->anchor->open = true;
    if (kind == YAML_MAP) f->keys = map_new(b->scratch);
    return true;
}

static bool on_end(builder *b)
{
    const frame *f = &b->stack[--b->depth];
    heighten(b, f->height);
    if (!f->anchor) return true;
    f->anchor->open = false;
    f->anchor->weight = f->weight;
    f->anchor->height = f->height;
    return true;
}

static bool on_alias(builder *b, const yaml_event_t *e)
{
    str name = name_of(e->data.alias.anchor);
    yaml_mark_t at = e->start_mark;
    if (wants_key(b)) return refuse(b, ERR_MALFORMED, at, S("an alias cannot be a key"));
    const anchor *from = map_get(b->anchors, name);
    if (!from)
        return refuse_with_hint(b, at,
                                arena_fmt(b->scratch, "alias *" STR_FMT " names no anchor above it",
                                          STR_ARG(brief(name))));
    if (from->open)
        return refuse(b, ERR_MALFORMED, at,
                      arena_fmt(b->scratch, "alias *" STR_FMT " is inside its own anchor",
                                STR_ARG(brief(name))));
    if (from->height > DEPTH - b->depth) return too_deep(b, at);
    heighten(b, from->height);
    yaml_node *n = node_new(b, from->node->kind, at);
    n->style = from->node->style;
    n->text = from->node->text;
    n->first = from->node->first; /* shared: nodes are not changed once they are built */
    n->count = from->node->count;
    return add(b, at, from->weight, n);
}

static bool on_event(builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return !b->root ||
               refuse(b, ERR_MALFORMED, e->start_mark, S("more than one document in the file"));
    case YAML_SCALAR_EVENT: return on_scalar(b, e);
    case YAML_ALIAS_EVENT: return on_alias(b, e);
    case YAML_SEQUENCE_START_EVENT:
        if (e->data.sequence_start.tag)
            return refuse_tag(b, e->start_mark, e->data.sequence_start.tag);
        return begin(b, YAML_LIST, e, e->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        if (e->data.mapping_start.tag)
            return refuse_tag(b, e->start_mark, e->data.mapping_start.tag);
        return begin(b, YAML_MAP, e, e->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(b);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
    return true;
}

/* The place of a byte, which is all libyaml tells when the encoding itself is wrong. */
static yaml_mark_t mark_of(str text, size_t offset)
{
    yaml_mark_t at = {.index = offset};
    for (size_t i = 0; i < offset && i < text.n; i++) {
        bool end = text.p[i] == '\n';
        at.column = end ? 0 : at.column + (((unsigned char)text.p[i] & 0xC0) != 0x80);
        at.line += end;
    }
    return at;
}

static void on_syntax_error(builder *b)
{
    const yaml_parser_t *p = &b->parser;
    str what = p->problem ? (str){p->problem, strlen(p->problem)} : S("not YAML");
    if (p->error == YAML_READER_ERROR) {
        refuse(b, ERR_MALFORMED, mark_of(b->text, p->problem_offset), what);
        return;
    }
    if (p->context) what = arena_fmt(b->scratch, "%s %s", p->context, p->problem ? p->problem : "");
    bool block = !p->context || strstr(p->context, "block");
    if (!block &&
        p->context_mark.line != p->problem_mark.line) { /* what is wrong is where it began */
        what = arena_fmt(b->scratch, STR_FMT " (it began on line %zu)", STR_ARG(what),
                         p->context_mark.line + 1);
        refuse(b, ERR_MALFORMED, p->problem_mark, what);
        return;
    }
    refuse_with_hint(b, p->problem_mark, what);
}

static void parse(builder *b)
{
    bool more = true;
    while (more) {
        yaml_event_t e;
        if (!yaml_parser_parse(&b->parser, &e)) {
            on_syntax_error(b);
            return;
        }
        more = on_event(b, &e) && e.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

const err *yaml_parse(arena *a, str file, str text, yaml_node **root)
{
    *root = NULL;
    if (text.n > TEXT_MOST)
        return err_new(a, ERR_TOO_LARGE, STR_FMT ":1:1: file over %d bytes", STR_ARG(file),
                       TEXT_MOST);
    arena *scratch = arena_new();
    builder *b = NEW(scratch, builder);
    *b = (builder){.a = a,
                   .scratch = scratch,
                   .file = file,
                   .text = text,
                   .anchors = map_new(scratch)};
    if (!yaml_parser_initialize(&b->parser)) abort();
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    parse(b);
    yaml_parser_delete(&b->parser);
    const err *e = b->error;
    yaml_node *top_node = b->root;
    arena_free(scratch);
    if (e) return e;
    bool empty = !top_node || (yaml_is_null(top_node) && top_node->text.n == 0);
    if (empty) {
        top_node = NEW(a, yaml_node);
        *top_node = (yaml_node){.kind = YAML_MAP, .line = 1, .column = 1};
    }
    *root = top_node;
    return NULL;
}

const yaml_node *yaml_get(const yaml_node *parent, str key)
{
    if (!parent || parent->kind != YAML_MAP) return NULL;
    for (const yaml_node *n = parent->first; n; n = n->next) {
        if (str_eq(n->key, key)) return n;
    }
    return NULL;
}

bool yaml_is_null(const yaml_node *n)
{
    if (n->kind != YAML_SCALAR || n->style != YAML_PLAIN) return false;
    return n->text.n == 0 || str_eq(n->text, S("~")) || str_eq(n->text, S("null"));
}
