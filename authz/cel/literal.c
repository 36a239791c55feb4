/* SPDX-License-Identifier: Apache-2.0 */
/* literal.c - what a literal token says.
 *
 * In a string \x and octal escapes denote code points, in bytes they denote bytes; \u and \U
 * are for strings alone. A decoded literal is never longer than its source, so one buffer of
 * the token's length is enough. */
#include "../../base/utf8.h"
#include "lex.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    cel_lexer *l;
    str text;        /* between the quotes */
    uint32_t offset; /* of text in the source */
    size_t at;
    bool bytes;
    char *out;
    size_t n;
} unescape;

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Exactly `digits` digits of `base` at u->at; false when there are fewer. */
static bool read_digits(unescape *u, size_t digits, unsigned base, uint32_t *value)
{
    *value = 0;
    if (u->text.n - u->at < digits) return false;
    for (size_t i = 0; i < digits; i++) {
        int d = hex_digit(u->text.p[u->at + i]);
        if (d < 0 || (unsigned)d >= base) return false;
        *value = *value * base + (uint32_t)d;
    }
    u->at += digits;
    return true;
}

static bool simple_escape(char c, char *out)
{
    static const char from[] = "abfnrtv\\?\"'`", to[] = "\a\b\f\n\r\t\v\\?\"'`";
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) return false;
    *out = to[found - from];
    return true;
}

static void bad_escape(unescape *u, size_t start)
{
    arena *a = u->l->notes->a;
    size_t end = u->at > start + 2 ? u->at : start + 2;
    if (end > u->text.n) end = u->text.n;
    while (end < u->text.n && ((unsigned char)u->text.p[end] & 0xC0) == 0x80) end++;
    str escape = {u->text.p + start, end - start};
    str text = arena_fmt(a, "'" STR_FMT "' is not an escape", STR_ARG(escape));
    if (escape.n == 2 && strchr("uUxX", escape.p[1])) {
        text = arena_fmt(a, "'" STR_FMT "' is not a complete escape", STR_ARG(escape));
    }
    str hint = arena_fmt(a, "for a backslash as it is, write r'" STR_FMT "'", STR_ARG(u->text));
    cel_note(u->l->notes, (cel_span){u->offset + (uint32_t)start, (uint32_t)escape.n}, "E001", text,
             hint);
    u->at = end;
}

/* Where an escape denotes a code point; surrogates are none. */
static bool put_point(unescape *u, uint32_t c)
{
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return false;
    u->n += utf8_write(u->out + u->n, c);
    return true;
}

static bool put_escape(unescape *u)
{
    char c = '\0', plain;
    uint32_t value;
    if (u->at < u->text.n) c = u->text.p[u->at];
    if (simple_escape(c, &plain)) {
        u->at++;
        u->out[u->n++] = plain;
        return true;
    }
    if (c == 'u' || c == 'U') {
        u->at++;
        return !u->bytes && read_digits(u, c == 'u' ? 4 : 8, 16, &value) && put_point(u, value);
    }
    if (c == 'x' || c == 'X') {
        u->at++;
        if (!read_digits(u, 2, 16, &value)) return false;
    } else if (c < '0' || c > '3' || !read_digits(u, 3, 8, &value)) {
        return false;
    }
    if (!u->bytes) return put_point(u, value);
    u->out[u->n++] = (char)value;
    return true;
}

static str decode(unescape *u)
{
    u->out = NEW_N(u->l->notes->a, char, u->text.n + 1);
    while (u->at < u->text.n) {
        char c = u->text.p[u->at++];
        size_t start = u->at - 1;
        if (c != '\\') {
            u->out[u->n++] = c;
        } else if (!put_escape(u)) {
            bad_escape(u, start);
        }
    }
    return (str){u->out, u->n};
}

static cel_value string_value(cel_lexer *l, cel_token t)
{
    str s = {l->source.p + t.span.offset, t.span.length};
    uint32_t prefix = 0;
    bool raw = false;
    for (; s.p[prefix] != '"' && s.p[prefix] != '\''; prefix++) {
        raw |= s.p[prefix] == 'r' || s.p[prefix] == 'R';
    }
    uint32_t offset = t.span.offset + prefix;
    s = (str){s.p + prefix, s.n - prefix};
    size_t quotes = s.n >= 6 && s.p[1] == s.p[0] && s.p[2] == s.p[0] ? 3 : 1;
    str inner = {s.p + quotes, s.n - 2 * quotes};
    if (!raw && inner.n && memchr(inner.p, '\\', inner.n)) {
        unescape u = {.l = l,
                      .text = inner,
                      .offset = offset + (uint32_t)quotes,
                      .bytes = t.kind == TOK_BYTES};
        inner = decode(&u);
    }
    cel_value v = cel_string(inner);
    if (t.kind == TOK_BYTES) v.tag = CEL_BYTES;
    return v;
}

static cel_value no_value(cel_lexer *l, cel_token t, str text)
{
    cel_note(l->notes, t.span, "E001", text, (str){0});
    return (cel_value){.tag = CEL_NULL};
}

static cel_value whole_value(cel_lexer *l, cel_token t, bool negative)
{
    str s = {l->source.p + t.span.offset, t.span.length};
    bool is_uint = t.kind == TOK_UINT;
    if (is_uint) s.n--;
    unsigned base = s.n > 2 && s.p[1] == 'x' ? 16 : 10;
    uint64_t v = 0;
    for (size_t i = base == 16 ? 2 : 0; i < s.n; i++) {
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, (uint64_t)hex_digit(s.p[i]), &v)) {
            return no_value(l, t, S("the number does not fit in 64 bits"));
        }
    }
    if (is_uint) return (cel_value){.tag = CEL_UINT, .u.u = v};
    if (v > (uint64_t)INT64_MAX + negative)
        return no_value(l, t, S("the number does not fit in an int"));
    return cel_int(negative ? (int64_t)(0 - v) : (int64_t)v);
}

static cel_value real_value(cel_lexer *l, cel_token t, bool negative)
{
    str s = arena_dup(l->notes->a, (str){l->source.p + t.span.offset, t.span.length});
    double d = strtod(s.p, NULL);
    if (isinf(d)) return no_value(l, t, S("the number does not fit in a double"));
    return (cel_value){.tag = CEL_DOUBLE, .u.d = negative ? -d : d};
}

cel_value cel_literal(cel_lexer *l, cel_token t, bool negative)
{
    switch (t.kind) {
    case TOK_INT:
    case TOK_UINT: return whole_value(l, t, negative);
    case TOK_DOUBLE: return real_value(l, t, negative);
    case TOK_STRING:
    case TOK_BYTES: return string_value(l, t);
    case TOK_TRUE: return cel_bool(true);
    case TOK_FALSE: return cel_bool(false);
    default: return (cel_value){.tag = CEL_NULL};
    }
}
