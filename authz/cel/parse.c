/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - precedence climbing over a table of operators.
 *
 *   expr    = binary(or) [ "?" binary(or) ":" expr ]
 *   unary   = member | "!"+ member | "-"+ member
 *   member  = primary { "." ["?"] selector | "." name "(" args ")" | "[" ["?"] expr "]" }
 *
 * Two bounds keep every later pass safe: `depth` counts what nests in the source, and a node
 * knows the height of its tree (a + b + c … is flat to read, yet a deep tree). && and || take
 * all their terms into one node and count as one. */
#include "parse.h"
#include "lex.h"

typedef struct {
    cel_notes *notes;
    cel_lexer lexer;
    cel_token now;
    uint32_t end; /* of the token before */
    unsigned depth, depth_most;
    bool stopped;
} parser;

typedef struct {
    cel_node **items;
    uint32_t count, cap;
} node_list;

static cel_node *expression(parser *p);

static void advance(parser *p)
{
    p->end = p->now.span.offset + p->now.span.length;
    p->now = cel_lex(&p->lexer);
    if (p->now.kind == TOK_BAD) p->stopped = true;
}

static cel_node *stop(parser *p, str text, str hint)
{
    if (!p->stopped) cel_note(p->notes, p->now.span, "E002", text, hint);
    p->stopped = true;
    return NULL;
}

static str token_text(const parser *p)
{
    return (str){p->lexer.source.p + p->now.span.offset, p->now.span.length};
}

static cel_node *unexpected(parser *p, const char *wanted)
{
    if (p->now.kind == TOK_END) {
        return stop(p, arena_fmt(p->notes->a, "the expression ends where %s is expected", wanted),
                    (str){0});
    }
    str got = token_text(p);
    str hint = {0};
    if (str_eq(got, S("and"))) hint = S("and is &&");
    if (str_eq(got, S("or"))) hint = S("or is ||");
    if (str_eq(got, S("not"))) hint = S("not is !");
    return stop(p,
                arena_fmt(p->notes->a, "'" STR_FMT "' where %s is expected", STR_ARG(got), wanted),
                hint);
}

static bool accept(parser *p, cel_token_kind kind)
{
    if (p->now.kind != kind || p->stopped) return false;
    advance(p);
    return true;
}

static bool expect(parser *p, cel_token_kind kind, const char *wanted)
{
    if (accept(p, kind)) return true;
    unexpected(p, wanted);
    return false;
}

static bool enter(parser *p)
{
    if (p->depth++ < p->depth_most) return true;
    if (!p->stopped) {
        cel_note(p->notes, p->now.span, "E008",
                 arena_fmt(p->notes->a, "nested deeper than %u", p->depth_most), (str){0});
    }
    p->stopped = true;
    return false;
}

static void leave(parser *p)
{
    p->depth--;
}

/* Ends a node at the token before: its span, its kids, its height. NULL among the kids is NULL. */
static cel_node *close(parser *p, cel_node *n, cel_node *const *kids, uint32_t count)
{
    n->length = p->end - n->offset;
    if (!n->at_length) n->at_length = n->length;
    n->count = count;
    n->kids = count ? NEW_N(p->notes->a, cel_node *, count) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!kids[i]) return NULL;
        n->kids[i] = kids[i];
    }
    if (cel_node_close(p->notes, n)) return n;
    p->stopped = true;
    return NULL;
}

static void add(parser *p, node_list *list, cel_node *n)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 4;
        cel_node **grown = NEW_N(p->notes->a, cel_node *, list->cap);
        for (uint32_t i = 0; i < list->count; i++) grown[i] = list->items[i];
        list->items = grown;
    }
    list->items[list->count++] = n;
}

static cel_node *literal(parser *p, uint32_t offset, bool negative)
{
    cel_node *n = cel_node_new(p->notes, NODE_CONST, offset);
    n->value = cel_literal(&p->lexer, p->now, negative);
    advance(p);
    return close(p, n, NULL, 0);
}

/* Marks an element written ?e, and its list or map as having one. */
static void mark_maybe(cel_node *whole, cel_node *element)
{
    whole->flags |= NODE_MAYBE;
    if (element) element->flags |= NODE_ELEMENT;
}

/* Elements or arguments of `whole`, up to the closing token and past it. */
static bool elements(parser *p, cel_node *whole, node_list *list, cel_token_kind last)
{
    bool literal_list = last == TOK_RBRACK;
    if (literal_list && p->now.kind == TOK_COMMA) advance(p); /* [,] is empty */
    while (!p->stopped && p->now.kind != last) {
        bool maybe = literal_list && accept(p, TOK_QUESTION);
        add(p, list, expression(p));
        if (maybe) mark_maybe(whole, list->items[list->count - 1]);
        if (p->now.kind == last) break;
        if (!expect(p, TOK_COMMA, literal_list ? "',' or ']'" : "',' or ')'")) return false;
        if (!literal_list && p->now.kind == last) return unexpected(p, "an argument"), false;
    }
    return expect(p, last, literal_list ? "']'" : "')'");
}

static cel_node *list_literal(parser *p)
{
    cel_node *n = cel_node_new(p->notes, NODE_LIST, p->now.span.offset);
    node_list list = {0};
    advance(p);
    if (!elements(p, n, &list, TOK_RBRACK)) return NULL;
    return close(p, n, list.items, list.count);
}

static cel_node *map_literal(parser *p)
{
    cel_node *n = cel_node_new(p->notes, NODE_MAP, p->now.span.offset);
    node_list list = {0};
    advance(p);
    if (p->now.kind == TOK_COMMA) advance(p);
    while (!p->stopped && p->now.kind != TOK_RBRACE) {
        bool maybe = accept(p, TOK_QUESTION);
        add(p, &list, expression(p));
        if (maybe) mark_maybe(n, list.items[list.count - 1]);
        if (!expect(p, TOK_COLON, "':'")) return NULL;
        add(p, &list, expression(p));
        if (p->now.kind != TOK_RBRACE && !expect(p, TOK_COMMA, "',' or '}'")) return NULL;
    }
    if (!expect(p, TOK_RBRACE, "'}'")) return NULL;
    return close(p, n, list.items, list.count);
}

/* name(args) or target.name(args): a call, or what the macro of that name makes of it. */
static cel_node *call(parser *p, cel_node *target, cel_token name)
{
    cel_node *n = cel_node_new(p->notes, NODE_CALL, target ? target->offset : name.span.offset);
    n->name = (str){p->lexer.source.p + name.span.offset, name.span.length};
    n->at = name.span.offset;
    n->at_length = name.span.length;
    node_list list = {0};
    if (target) {
        n->flags = NODE_RECEIVER;
        add(p, &list, target);
    }
    advance(p); /* the parenthesis */
    if (!elements(p, n, &list, TOK_RPAREN)) return NULL;
    if (!close(p, n, list.items, list.count)) return NULL;
    cel_node *expanded = cel_expand(p->notes, n);
    if (!expanded) p->stopped = true;
    return expanded;
}

static cel_node *name(parser *p)
{
    bool rooted = p->now.kind == TOK_DOT;
    uint32_t offset = p->now.span.offset;
    if (rooted) advance(p);
    if (p->now.kind == TOK_RESERVED) {
        str hint = S("it is reserved; after a dot it is fine");
        return stop(p,
                    arena_fmt(p->notes->a, "'" STR_FMT "' cannot be a name",
                              STR_ARG(token_text(p))),
                    hint);
    }
    if (p->now.kind != TOK_IDENT) return unexpected(p, "a value");
    cel_token word = p->now;
    advance(p);
    if (p->now.kind == TOK_LPAREN) return call(p, NULL, word);
    cel_node *n = cel_node_new(p->notes, NODE_NAME, offset);
    n->name = (str){p->lexer.source.p + word.span.offset, word.span.length};
    if (rooted) n->flags = NODE_ROOTED;
    if (p->now.kind == TOK_LBRACE) {
        return stop(p, S("messages cannot be made here"), S("a map is {'key': value}"));
    }
    return close(p, n, NULL, 0);
}

static cel_node *primary(parser *p)
{
    switch (p->now.kind) {
    case TOK_INT:
    case TOK_UINT:
    case TOK_DOUBLE:
    case TOK_STRING:
    case TOK_BYTES:
    case TOK_TRUE:
    case TOK_FALSE:
    case TOK_NULL: return literal(p, p->now.span.offset, false);
    case TOK_LBRACK: return list_literal(p);
    case TOK_LBRACE: return map_literal(p);
    case TOK_LPAREN: {
        advance(p);
        cel_node *inner = expression(p);
        return inner && expect(p, TOK_RPAREN, "')'") ? inner : NULL;
    }
    default: return name(p);
    }
}

static cel_node *select_or_call(parser *p, cel_node *target)
{
    advance(p);
    bool maybe = accept(p, TOK_QUESTION);
    cel_token word = p->now;
    bool selector = word.kind == TOK_IDENT || word.kind == TOK_RESERVED || word.kind == TOK_QUOTED;
    if (!selector) return unexpected(p, "a name");
    advance(p);
    if (p->now.kind == TOK_LPAREN && !maybe && word.kind != TOK_QUOTED)
        return call(p, target, word);
    if (p->now.kind == TOK_LBRACE)
        return stop(p, S("messages cannot be made here"), S("a map is {'key': value}"));
    cel_node *n = cel_node_new(p->notes, NODE_SELECT, target->offset);
    n->at = word.span.offset;
    n->at_length = word.span.length;
    n->name = (str){p->lexer.source.p + word.span.offset, word.span.length};
    if (word.kind == TOK_QUOTED) n->name = (str){n->name.p + 1, n->name.n - 2};
    if (maybe) n->flags = NODE_MAYBE;
    return close(p, n, &target, 1);
}

static cel_node *subscript(parser *p, cel_node *target)
{
    uint32_t at = p->now.span.offset;
    advance(p);
    bool maybe = accept(p, TOK_QUESTION);
    cel_node *kids[] = {target, expression(p)};
    if (!kids[1] || !expect(p, TOK_RBRACK, "']'")) return NULL;
    cel_node *n = cel_node_new(p->notes, NODE_INDEX, target->offset);
    n->at = at;
    n->at_length = p->end - at;
    if (maybe) n->flags = NODE_MAYBE;
    return close(p, n, kids, 2);
}

/* `sign`: a minus directly before a number is part of it. */
static cel_node *member(parser *p, bool sign)
{
    cel_node *n;
    if (sign && p->now.kind == TOK_SUB) {
        uint32_t offset = p->now.span.offset;
        advance(p);
        if (p->now.kind != TOK_INT && p->now.kind != TOK_DOUBLE) return unexpected(p, "a number");
        n = literal(p, offset, true);
    } else {
        n = primary(p);
    }
    while (n && !p->stopped) {
        if (p->now.kind == TOK_DOT) {
            n = select_or_call(p, n);
        } else if (p->now.kind == TOK_LBRACK) {
            n = subscript(p, n);
        } else {
            return n;
        }
    }
    return p->stopped ? NULL : n;
}

/* -(-(x)) and !(!(x)) are kept as two nodes, that a wrong type is still an error; any number of
 * signs is as good as one or two. */
static cel_node *unary(parser *p)
{
    cel_token_kind sign = p->now.kind;
    if (sign != TOK_NOT && sign != TOK_SUB) return member(p, false);
    cel_token first = p->now;
    unsigned signs = 0;
    while (p->now.kind == sign && !p->stopped) {
        cel_notes unheard = {.a = p->notes->a};
        cel_lexer ahead = p->lexer;
        ahead.notes = &unheard;
        cel_token_kind next = sign == TOK_SUB && !signs ? cel_lex(&ahead).kind : TOK_END;
        if (next == TOK_INT || next == TOK_DOUBLE) return member(p, true);
        signs++;
        advance(p);
    }
    cel_node *n = member(p, sign == TOK_NOT);
    for (unsigned i = 0; n && i < 2 - signs % 2; i++) {
        cel_node *outer =
            cel_node_new(p->notes, sign == TOK_NOT ? NODE_NOT : NODE_NEGATE, first.span.offset);
        outer->at_length = 1;
        n = close(p, outer, &n, 1);
    }
    return n;
}

static const struct {
    uint8_t precedence, kind, op;
} operators[TOK_KINDS] = {
    [TOK_OR] = {1, NODE_OR, OP_OR},      [TOK_AND] = {2, NODE_AND, OP_AND},
    [TOK_EQ] = {3, NODE_EQUAL, OP_EQ},   [TOK_NE] = {3, NODE_EQUAL, OP_NE},
    [TOK_LT] = {3, NODE_ORDER, OP_LT},   [TOK_LE] = {3, NODE_ORDER, OP_LE},
    [TOK_GT] = {3, NODE_ORDER, OP_GT},   [TOK_GE] = {3, NODE_ORDER, OP_GE},
    [TOK_IN] = {3, NODE_IN, OP_IN},      [TOK_ADD] = {4, NODE_ARITH, OP_ADD},
    [TOK_SUB] = {4, NODE_ARITH, OP_SUB}, [TOK_MUL] = {5, NODE_ARITH, OP_MUL},
    [TOK_DIV] = {5, NODE_ARITH, OP_DIV}, [TOK_MOD] = {5, NODE_ARITH, OP_MOD},
};

static cel_node *binary(parser *p, unsigned least)
{
    cel_node *left = unary(p);
    while (left && !p->stopped && operators[p->now.kind].precedence >= least) {
        cel_token op = p->now;
        uint8_t precedence = operators[op.kind].precedence;
        node_list list = {0};
        add(p, &list, left);
        do {
            advance(p);
            add(p, &list, binary(p, precedence + 1U));
        } while (precedence <= 2 && p->now.kind == op.kind && !p->stopped);
        if (p->stopped) return NULL;
        cel_node *n = cel_node_new(p->notes, (cel_node_kind)operators[op.kind].kind, left->offset);
        n->op = operators[op.kind].op;
        n->at = op.span.offset;
        n->at_length = op.span.length;
        left = close(p, n, list.items, list.count);
    }
    return p->stopped ? NULL : left;
}

static cel_node *conditional(parser *p)
{
    cel_node *condition = binary(p, 1);
    if (!condition || p->now.kind != TOK_QUESTION) return condition;
    uint32_t at = p->now.span.offset;
    advance(p);
    cel_node *yes = binary(p, 1);
    if (!yes || !expect(p, TOK_COLON, "':'")) return NULL;
    cel_node *kids[] = {condition, yes, expression(p)};
    cel_node *n = cel_node_new(p->notes, NODE_IF, condition->offset);
    n->at = at;
    n->at_length = 1;
    return close(p, n, kids, 3);
}

static cel_node *expression(parser *p)
{
    cel_node *n = enter(p) ? conditional(p) : NULL;
    leave(p);
    return p->stopped ? NULL : n;
}

cel_node *cel_parse(cel_notes *notes, str source, const cel_limits *limits)
{
    parser p = {.notes = notes, .lexer = {source, 0, notes}, .depth_most = limits->depth};
    advance(&p);
    if (p.now.kind == TOK_END) return stop(&p, S("the expression is empty"), (str){0});
    cel_node *n = expression(&p);
    if (n && p.now.kind != TOK_END) return unexpected(&p, "an operator or the end");
    return n;
}
