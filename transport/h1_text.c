/* SPDX-License-Identifier: Apache-2.0 */
/* h1_text.c - one table of 256 bytes; the loops have no early exit, so that they stay cheap. */
#include "h1_text.h"
#include "../base/header.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* How many bytes at the start of s are in whole blocks without a control; a tab counts as one. */
static size_t no_controls(str s)
{
    size_t at = 0;
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7f);
    for (; s.n - at >= sizeof space; at += sizeof space) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(s.p + at));
        __m128i good = _mm_cmpeq_epi8(_mm_max_epu8(x, space), x); /* unsigned: not below */
        if (_mm_movemask_epi8(_mm_andnot_si128(_mm_cmpeq_epi8(x, del), good)) != 0xffff) break;
    }
#endif
    return at;
}

/* A token has hundreds of bytes: sixteen at a time. */
bool h1_is_value(str s)
{
    return all(str_drop(s, no_controls(s)), VALUE);
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
