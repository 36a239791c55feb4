/* SPDX-License-Identifier: Apache-2.0 */
/* lex.h - an expression's bytes to tokens, and literals to values.
 *
 * A token is a span of the source; nothing is decoded until the parser asks for it. A bad token
 * is noted once and comes back as TOK_BAD. The source must be valid UTF-8. */
#ifndef SP_CEL_LEX_H
#define SP_CEL_LEX_H
#include "problem.h"

typedef enum {
    TOK_END,
    TOK_BAD,
    TOK_IDENT,
    TOK_RESERVED, /* a word kept for other languages: a selector, never a variable */
    TOK_QUOTED,   /* `a-b`, as a selector */
    TOK_INT,
    TOK_UINT,
    TOK_DOUBLE,
    TOK_STRING,
    TOK_BYTES,
    TOK_TRUE,
    TOK_FALSE,
    TOK_NULL,
    TOK_IN,
    TOK_OR,
    TOK_AND,
    TOK_EQ,
    TOK_NE,
    TOK_LE,
    TOK_GE,
    TOK_LT,
    TOK_GT,
    TOK_ADD,
    TOK_SUB,
    TOK_MUL,
    TOK_DIV,
    TOK_MOD,
    TOK_NOT,
    TOK_QUESTION,
    TOK_COLON,
    TOK_COMMA,
    TOK_DOT,
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_LBRACK,
    TOK_RBRACK,
    TOK_LBRACE,
    TOK_RBRACE,
    TOK_KINDS
} cel_token_kind;

typedef struct {
    cel_token_kind kind;
    cel_span span;
} cel_token;

typedef struct {
    str source;
    uint32_t at;
    cel_notes *notes;
} cel_lexer;

cel_token cel_lex(cel_lexer *l);

/* The value of a literal token; a problem is noted and null returned when it has none. The sign
 * is part of the literal, or the smallest int could not be written. */
cel_value cel_literal(cel_lexer *l, cel_token t, bool negative);
#endif
