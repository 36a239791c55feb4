/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan.h - the smallest steps over checked JSON text, shared by the walker and the tree.
 *
 * Private to base/json*.c. On text that was not checked the lengths mean nothing, yet none is
 * larger than what it was taken from. */
#ifndef SP_JSON_SCAN_H
#define SP_JSON_SCAN_H
#include "json.h"
#include "utf8.h"

/* What js_check() noted of an object: its members in their order. */
typedef struct {
    str key; /* raw, between its quotes */
    js_value value;
} js_member;
typedef struct js_members {
    size_t n;
    js_member at[];
} js_members;

static inline str js_skip_space(str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\n' || *s.p == '\t' || *s.p == '\r')) {
        s.p++;
        s.n--;
    }
    return s;
}

/* How many bytes at p are neither a quote nor a backslash; lanes as in utf8_plain(). */
static inline size_t js_unquoted(const char *p, size_t n)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t at = 0;
#ifdef __SSE2__
    const __m128i q = _mm_set1_epi8('"'), s = _mm_set1_epi8('\\');
    for (; n - at >= 16; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
        int hits = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(x, q), _mm_cmpeq_epi8(x, s)));
        if (hits) return at + (size_t)__builtin_ctz((unsigned)hits);
    }
#endif
    for (; n - at >= 8; at += 8) {
        uint64_t x;
        memcpy(&x, p + at, 8);
        uint64_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');
        uint64_t hit = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & (ones * 0x80);
        if (hit) return at + utf8_first_lane(hit);
    }
    while (at < n && p[at] != '"' && p[at] != '\\') at++;
    return at;
}

/* The length of the string that begins at s, with its quotes. */
static inline size_t js_string_length(str s)
{
    size_t at = 1;
    while (at < s.n) {
        at += js_unquoted(s.p + at, s.n - at);
        if (at >= s.n) break;
        if (s.p[at] == '"') return at + 1;
        at += 2;
    }
    return s.n;
}

/* The length of the number or word that begins at s. */
static inline size_t js_scalar_length(str s)
{
    size_t at = 0;
    while (at < s.n && (unsigned char)s.p[at] > ' ' && s.p[at] != ',' && s.p[at] != '}' &&
           s.p[at] != ']')
        at++;
    return at;
}
#endif
