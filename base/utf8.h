/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing over U+10FFFF.
 *
 * Also the one word-at-a-time loop that both the reader and the writer of JSON strings live on. */
#ifndef SP_UTF8_H
#define SP_UTF8_H
#include "str.h"
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The length of the sequence at the start of s, 1 to 4; 0 when it is not valid. */
static inline size_t utf8_one(str s)
{
    if (s.n == 0) return 0;
    const unsigned char *p = (const unsigned char *)s.p;
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
    size_t n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    unsigned char low = 0x80, high = 0xBF;
    if (p[0] == 0xE0) low = 0xA0;  /* below: overlong */
    if (p[0] == 0xED) high = 0x9F; /* above: surrogates */
    if (p[0] == 0xF0) low = 0x90;  /* below: overlong */
    if (p[0] == 0xF4) high = 0x8F; /* above: over U+10FFFF */
    if (n > s.n || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    return n;
}

/* The code point of a valid sequence of n bytes. */
static inline uint32_t utf8_code(const char *s, size_t n)
{
    static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)s[0] & (uint32_t)lead[n];
    for (size_t i = 1; i < n; i++) code = code << 6 | ((unsigned char)s[i] & 0x3Fu);
    return code;
}

/* Writes the sequence of a code point below 0x110000, at most 4 bytes; how many. */
static inline size_t utf8_write(char *out, uint32_t code)
{
    unsigned char *p = (unsigned char *)out;
    if (code < 0x80) return p[0] = (unsigned char)code, 1;
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, code >>= 6) p[i] = (unsigned char)(0x80 | (code & 0x3F));
    p[0] = (unsigned char)(lead[n] | code);
    return n;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the first byte of a word is its lowest lane");

/* Which of the eight bytes of a word is the first with its bit 7 set in `hit`. */
static inline size_t utf8_first_lane(uint64_t hit)
{
    return (size_t)__builtin_ctzll(hit) / 8;
}

/* How many bytes at p are ASCII a JSON string holds as they are: not ", \ or a control.
 * Byte lanes: x - 0x20 borrows into bit 7 below 0x20; (x ^ c) - 1 does when the byte is c.
 * A borrow can only spoil lanes above the first hit, and only the first is used. */
static inline size_t utf8_plain(const char *p, size_t n)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t at = 0;
#ifdef __SSE2__ /* sixteen at once; as signed numbers, what is not ASCII is below a space too */
    const __m128i space = _mm_set1_epi8(' '), q = _mm_set1_epi8('"'), s = _mm_set1_epi8('\\');
    for (; n - at >= 16; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
        __m128i named = _mm_or_si128(_mm_cmpeq_epi8(x, q), _mm_cmpeq_epi8(x, s));
        int stops = _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(x, space), named));
        if (stops) return at + (size_t)__builtin_ctz((unsigned)stops);
    }
#endif
    for (; n - at >= 8; at += 8) {
        uint64_t x;
        memcpy(&x, p + at, 8);
        uint64_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');
        uint64_t hit = (x | (x - ones * 0x20) | (quote - ones) | (slash - ones)) & (ones * 0x80);
        if (hit) return at + utf8_first_lane(hit);
    }
    for (; at < n; at++) {
        unsigned char c = (unsigned char)p[at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    }
    return at;
}

bool utf8_valid(str s);
#endif
