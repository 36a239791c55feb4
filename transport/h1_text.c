/* SPDX-License-Identifier: Apache-2.0 */
/* h1_text.c - one table of 256 bytes; the loops have no early exit, so that they stay cheap. */
#include "h1_text.h"
#include "../base/header.h"

enum { TCHAR = 1, VALUE = 2, TARGET = 4 };

#define T (TCHAR | VALUE | TARGET) /* letters, digits and what a token may hold besides */
#define P (VALUE | TARGET)         /* other printable bytes */
#define V VALUE

/* clang-format off */
static const unsigned char kinds[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, V, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    V, T, P, T, T, T, T, T, P, P, T, T, P, T, T, P, /*   ! " # $ % & ' ( ) * + , - . / */
    T, T, T, T, T, T, T, T, T, T, P, P, P, P, P, P, /* 0-9 : ; < = > ? */
    P, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* @ A-O */
    T, T, T, T, T, T, T, T, T, T, T, P, P, P, T, T, /* P-Z [ \ ] ^ _ */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* ` a-o */
    T, T, T, T, T, T, T, T, T, T, T, P, T, P, T, 0, /* p-z { | } ~ DEL */
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
};
/* clang-format on */

static bool all(str s, unsigned char kind)
{
    unsigned char common = kind;
    for (size_t i = 0; i < s.n; i++) common &= kinds[(unsigned char)s.p[i]];
    return common != 0;
}

bool h1_is_token(str s)
{
    return s.n && all(s, TCHAR);
}

/* Is some of these eight bytes a control? Exact for the lowest such lane, which is all it takes. */
static bool has_control(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t del = eight ^ (ones * 0x7f);
    return (((eight - ones * ' ') & ~eight) | ((del - ones) & ~del)) & (ones * 0x80);
}

bool h1_is_value(str s)
{
    for (uint64_t eight; s.n >= sizeof eight; s = str_drop(s, sizeof eight)) {
        memcpy(&eight, s.p, sizeof eight); /* a token has hundreds of bytes: a word at a time */
        if (has_control(eight)) break;
    }
    return all(s, VALUE);
}

bool h1_is_target(str s)
{
    return s.n && s.p[0] == '/' && all(s, TARGET);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

str h1_trim(str s)
{
    while (s.n && blank(s.p[0])) s = str_drop(s, 1);
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

bool h1_list_has(str list, str word)
{
    while (list.n) {
        str_pair cut = str_cut(list, ',');
        if (header_name_is(h1_trim(cut.head), word)) return true;
        list = cut.tail;
    }
    return false;
}

bool h1_decimal(str s, long long *out)
{
    if (s.n == 0 || s.n > 18) return false;
    long long v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return true;
}
