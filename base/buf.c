/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - growing by doubling, up to the ceiling.
 *
 * One byte more than `cap` is always there, so that vsnprintf's NUL never counts against the
 * ceiling. No sum is formed before it is known to fit: every check compares against what is left.
 */
#include "buf.h"
#include "utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALLEST = 256 };

buf buf_new(arena *a, size_t limit)
{
    return (buf){.a = a, .limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4};
}

void buf_free(buf *b)
{
    if (!b->a) free(b->p);
    *b = buf_new(b->a, b->limit);
}

static __attribute__((cold)) void grow(buf *b, size_t cap)
{
    char *p = b->a ? arena_bytes(b->a, cap + 1) : realloc(b->p, cap + 1);
    if (!p) abort();
    if (b->a && b->p) memcpy(p, b->p, b->n);
    b->p = p;
    b->cap = cap;
}

bool buf_need(buf *b, size_t room)
{
    if (b->over || room > b->limit - b->n) {
        b->over = true;
        return false;
    }
    if (room <= b->cap - b->n && b->p) return true;
    size_t cap = b->cap < SMALLEST / 2 ? SMALLEST : b->cap * 2;
    if (cap < b->n + room) cap = b->n + room;
    grow(b, cap < b->limit ? cap : b->limit);
    return true;
}

bool buf_put(buf *b, str s)
{
    bool fits = b->p && !b->over && s.n <= b->cap - b->n; /* as it does nearly always */
    if (!fits && !buf_need(b, s.n)) return false;
    if (s.n) memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return true;
}

bool buf_fmt(buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    bool fits = n >= 0 && buf_need(b, (size_t)n);
    if (fits) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    } else {
        b->over = true;
    }
    va_end(again);
    return fits;
}

bool buf_int(buf *b, int64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do digits[--at] = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) digits[--at] = '-';
    return buf_put(b, (str){digits + at, sizeof digits - at});
}

static void put_u(buf *b, uint32_t code)
{
    static const char hex[] = "0123456789abcdef";
    char out[6] =
        {'\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15]};
    buf_put(b, (str){out, sizeof out});
}

static void put_ascii(buf *b, char c)
{
    static const char shorts[][2] = {{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\t', 't'},
                                     {'\r', 'r'}, {'\b', 'b'},  {'\f', 'f'}};
    for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++) {
        if (c != shorts[i][0]) continue;
        buf_put(b, (str){(char[]){'\\', shorts[i][1]}, 2});
        return;
    }
    put_u(b, (unsigned char)c);
}

/* What can turn or break a line on a person's screen. */
static bool is_treacherous(uint32_t c)
{
    return (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static size_t put_wide(buf *b, str s, bool safe)
{
    size_t n = utf8_one(s);
    if (n == 0) {
        buf_put(b, S("\xEF\xBF\xBD"));
        return 1;
    }
    uint32_t code = safe ? utf8_code(s.p, n) : 0;
    if (safe && is_treacherous(code))
        put_u(b, code);
    else
        buf_put(b, str_take(s, n));
    return n;
}

static bool put_json(buf *b, str s, bool safe)
{
    size_t before = b->n;
    buf_put(b, S("\""));
    while (s.n && !b->over) {
        size_t run = utf8_plain(s.p, s.n);
        if (safe && run) {
            const char *del = memchr(s.p, 0x7F, run);
            if (del) run = (size_t)(del - s.p);
        }
        buf_put(b, str_take(s, run));
        s = str_drop(s, run);
        if (!s.n) break;
        unsigned char c = (unsigned char)s.p[0];
        size_t used = 1;
        if (c < 0x7F)
            put_ascii(b, (char)c);
        else
            used = put_wide(b, s, safe);
        s = str_drop(s, used);
    }
    buf_put(b, S("\""));
    if (b->over) b->n = before; /* half a string is worse than none */
    return !b->over;
}

bool buf_json(buf *b, str text)
{
    return put_json(b, text, false);
}

bool buf_json_safe(buf *b, str text)
{
    return put_json(b, text, true);
}

void buf_drop(buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}
