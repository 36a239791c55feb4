/* SPDX-License-Identifier: Apache-2.0 */
/* lex.c - one token at a time, no table of states: CEL's lexis is small.
 *
 * The only look-ahead is over a prefix of letters (r, b, br) that may begin a string and over
 * the digits of a number. Symbols are matched against a list ordered so that the longer of two
 * comes first. What other languages write (=, &, |, ===) is named in the hint. */
#include "lex.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The byte at `at`, 0 past the end; a NUL in the source is not a valid token either. */
static char peek(const cel_lexer *l, size_t at)
{
    if (at < l->source.n) return l->source.p[at];
    return '\0';
}

static void skip_blanks(cel_lexer *l)
{
    for (;;) {
        char c = peek(l, l->at);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            l->at++;
        } else if (c == '/' && peek(l, l->at + 1) == '/') {
            while (l->at < l->source.n && l->source.p[l->at] != '\n') l->at++;
        } else {
            return;
        }
    }
}

static cel_token token(cel_lexer *l, cel_token_kind kind, size_t end)
{
    cel_token t = {kind, {l->at, (uint32_t)(end - l->at)}};
    l->at = (uint32_t)end;
    return t;
}

static cel_token bad(cel_lexer *l, size_t end, str text, str hint)
{
    cel_token t = token(l, TOK_BAD, end);
    cel_note(l->notes, t.span, "E002", text, hint);
    return t;
}

static size_t skip_digits(const cel_lexer *l, size_t at)
{
    while (is_digit(peek(l, at))) at++;
    return at;
}

/* Past [eE][+-]digits, or `at` itself when there is no exponent. */
static size_t skip_exponent(const cel_lexer *l, size_t at)
{
    if (peek(l, at) != 'e' && peek(l, at) != 'E') return at;
    size_t digits = at + 1;
    if (peek(l, digits) == '+' || peek(l, digits) == '-') digits++;
    return is_digit(peek(l, digits)) ? skip_digits(l, digits) : at;
}

static cel_token whole(cel_lexer *l, size_t end)
{
    bool is_uint = peek(l, end) == 'u' || peek(l, end) == 'U';
    return token(l, is_uint ? TOK_UINT : TOK_INT, end + is_uint);
}

static cel_token number(cel_lexer *l)
{
    size_t at = l->at;
    if (peek(l, at) == '0' && peek(l, at + 1) == 'x' && is_hex(peek(l, at + 2))) {
        for (at += 2; is_hex(peek(l, at));) at++;
        return whole(l, at);
    }
    size_t digits = skip_digits(l, at);
    at = digits;
    if (peek(l, at) == '.' && is_digit(peek(l, at + 1))) at = skip_digits(l, at + 1);
    at = skip_exponent(l, at);
    return at == digits ? whole(l, at) : token(l, TOK_DOUBLE, at);
}

/* From the quote at `at` to past the closing one; 0 when there is none. */
static size_t string_end(const cel_lexer *l, size_t at, bool raw)
{
    char quote = peek(l, at);
    bool triple = peek(l, at + 1) == quote && peek(l, at + 2) == quote;
    at += triple ? 3 : 1;
    while (at < l->source.n) {
        char c = l->source.p[at];
        bool closing =
            c == quote && (!triple || (peek(l, at + 1) == quote && peek(l, at + 2) == quote));
        if (closing) return at + (triple ? 3 : 1);
        if (!triple && (c == '\n' || c == '\r')) return 0;
        at += c == '\\' && !raw ? 2 : 1;
    }
    return 0;
}

static cel_token string(cel_lexer *l, size_t quote_at, bool raw, bool bytes)
{
    size_t end = string_end(l, quote_at, raw);
    if (end && end <= l->source.n) return token(l, bytes ? TOK_BYTES : TOK_STRING, end);
    return bad(l, l->source.n, S("the string has no end"),
               S("a string on several lines takes three quotes"));
}

/* [bB] then [rR], either missing, directly before a quote: the start of a string. */
static bool string_start(const cel_lexer *l, size_t *quote_at, bool *raw, bool *bytes)
{
    size_t at = l->at;
    *bytes = peek(l, at) == 'b' || peek(l, at) == 'B';
    at += *bytes;
    *raw = peek(l, at) == 'r' || peek(l, at) == 'R';
    at += *raw;
    *quote_at = at;
    return peek(l, at) == '"' || peek(l, at) == '\'';
}

static cel_token_kind word_kind(str word)
{
    static const struct {
        const char *word;
        cel_token_kind kind;
    } words[] = {
        {"true", TOK_TRUE},          {"false", TOK_FALSE},
        {"null", TOK_NULL},          {"in", TOK_IN},
        {"as", TOK_RESERVED},        {"break", TOK_RESERVED},
        {"const", TOK_RESERVED},     {"continue", TOK_RESERVED},
        {"else", TOK_RESERVED},      {"for", TOK_RESERVED},
        {"function", TOK_RESERVED},  {"if", TOK_RESERVED},
        {"import", TOK_RESERVED},    {"let", TOK_RESERVED},
        {"loop", TOK_RESERVED},      {"package", TOK_RESERVED},
        {"namespace", TOK_RESERVED}, {"return", TOK_RESERVED},
        {"var", TOK_RESERVED},       {"void", TOK_RESERVED},
        {"while", TOK_RESERVED},
    };
    if (word.n > 9) return TOK_IDENT;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_eq(word, (str){words[i].word, strlen(words[i].word)})) return words[i].kind;
    }
    return TOK_IDENT;
}

static cel_token word(cel_lexer *l)
{
    size_t at = l->at;
    while (is_word(peek(l, at))) at++;
    return token(l, word_kind((str){l->source.p + l->at, at - l->at}), at);
}

/* Quoted selectors hold what names of headers and files hold. */
static cel_token quoted(cel_lexer *l)
{
    size_t at = l->at + 1;
    while (is_word(peek(l, at)) || (peek(l, at) && strchr("./- ", peek(l, at)))) at++;
    if (peek(l, at) == '`' && at > l->at + 1) return token(l, TOK_QUOTED, at + 1);
    return bad(l, at, S("a quoted name holds letters, digits, _ . / - and spaces only"), (str){0});
}

static const struct {
    char text[3];
    cel_token_kind kind;
} symbols[] = {
    {"||", TOK_OR},    {"&&", TOK_AND},   {"==", TOK_EQ},    {"!=", TOK_NE},    {"<=", TOK_LE},
    {">=", TOK_GE},    {"<", TOK_LT},     {">", TOK_GT},     {"+", TOK_ADD},    {"-", TOK_SUB},
    {"*", TOK_MUL},    {"/", TOK_DIV},    {"%", TOK_MOD},    {"!", TOK_NOT},    {"?", TOK_QUESTION},
    {":", TOK_COLON},  {",", TOK_COMMA},  {".", TOK_DOT},    {"(", TOK_LPAREN}, {")", TOK_RPAREN},
    {"[", TOK_LBRACK}, {"]", TOK_RBRACK}, {"{", TOK_LBRACE}, {"}", TOK_RBRACE},
};

static cel_token symbol(cel_lexer *l)
{
    char c = peek(l, l->at), next = peek(l, (size_t)l->at + 1);
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        const char *s = symbols[i].text;
        if (c == s[0] && (!s[1] || next == s[1])) {
            return token(l, symbols[i].kind, l->at + (s[1] ? 2U : 1U));
        }
    }
    size_t end = (size_t)l->at + 1; /* a whole code point, so that the caret is under it */
    while (end < l->source.n && ((unsigned char)l->source.p[end] & 0xC0) == 0x80) end++;
    str text = arena_fmt(l->notes->a, "'%.*s' means nothing here", (int)(end - l->at),
                         l->source.p + l->at);
    str hint = c == '='   ? S("equality is ==")
               : c == '&' ? S("and is &&")
               : c == '|' ? S("or is ||")
                          : (str){0};
    return bad(l, end, text, hint);
}

cel_token cel_lex(cel_lexer *l)
{
    skip_blanks(l);
    if (l->at >= l->source.n) return (cel_token){TOK_END, {(uint32_t)l->source.n, 0}};
    size_t quote_at;
    bool raw, bytes;
    if (string_start(l, &quote_at, &raw, &bytes)) return string(l, quote_at, raw, bytes);
    char c = peek(l, l->at);
    if (is_digit(c) || (c == '.' && is_digit(peek(l, (size_t)l->at + 1)))) return number(l);
    if (is_word(c)) return word(l);
    if (c == '`') return quoted(l);
    return symbol(l);
}
