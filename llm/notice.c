/* SPDX-License-Identifier: Apache-2.0 */
/* notice.c - one table of names, one function for every way to write a time. */
#include "notice.h"
#include "../authz/cel/times.h"

typedef struct {
    unsigned unit;
    str left, more;
} notice_row;

/* clang-format off */
static const notice_row rows[] = { /* where one unit is counted in several ways, the scarcest is meant */
    {UNIT_REQUESTS, S("x-ratelimit-remaining-requests"), S("x-ratelimit-reset-requests")},
    {UNIT_TOKENS,   S("x-ratelimit-remaining-tokens"),   S("x-ratelimit-reset-tokens")},
    {UNIT_REQUESTS, S("anthropic-ratelimit-requests-remaining"), S("anthropic-ratelimit-requests-reset")},
    {UNIT_TOKENS,   S("anthropic-ratelimit-tokens-remaining"),   S("anthropic-ratelimit-tokens-reset")},
    {UNIT_TOKENS,   S("anthropic-ratelimit-input-tokens-remaining"),  S("anthropic-ratelimit-input-tokens-reset")},
    {UNIT_TOKENS,   S("anthropic-ratelimit-output-tokens-remaining"), S("anthropic-ratelimit-output-tokens-reset")},
};
/* clang-format on */

/* Digits, and perhaps a fraction that is rounded up; -1: it is no such number. */
static int64_t number(str s, int64_t scale)
{
    enum { DIGITS = 12 };
    str_pair cut = str_cut(s, '.');
    int64_t n = 0;
    if (!cut.head.n || cut.head.n > DIGITS || (cut.ok && !cut.tail.n)) return -1;
    for (size_t i = 0; i < cut.head.n; i++) {
        if (cut.head.p[i] < '0' || cut.head.p[i] > '9') return -1;
        n = n * 10 + (cut.head.p[i] - '0');
    }
    n *= scale;
    for (size_t i = 0; i < cut.tail.n; i++) {
        if (cut.tail.p[i] < '0' || cut.tail.p[i] > '9') return -1;
        if (scale >= 10) n += (cut.tail.p[i] - '0') * (scale /= 10);
    }
    return n;
}

/* RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". False: it is none. */
static bool http_date(str s, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (s.n != 29 || !str_ends(s, S(" GMT")) || s.p[3] != ',') return false;
    const char *month = memmem(months, sizeof months - 1, s.p + 8, 3);
    int64_t day = number((str){s.p + 5, 2}, 1), year = number((str){s.p + 12, 4}, 1),
            hour = number((str){s.p + 17, 2}, 1), minute = number((str){s.p + 20, 2}, 1),
            second = number((str){s.p + 23, 2}, 1);
    if (!month || (month - months) % 3 || day < 1 || day > 31 || year < 1970) return false;
    if (hour < 0 || minute < 0 || second < 0) return false;
    *seconds = cel_time_days(year, (month - months) / 3 + 1, day) * 86400 + hour * 3600 +
               minute * 60 + second;
    return true;
}

static int64_t bounded(int64_t ms)
{
    if (ms < 0) return 0;
    return ms < NOTICE_MOST_MS ? ms : NOTICE_MOST_MS;
}

/* From now: "20", "7.66" (seconds), "6m0s", a timestamp, or a date. -1: it is none of these. */
static int64_t time_from(str s, int64_t wall_ms)
{
    int64_t n = number(s, 1000), seconds;
    if (!s.n) return -1;
    if (n >= 0) return bounded(n);
    if (http_date(s, &seconds)) return bounded(seconds * 1000 - wall_ms);
    cel_value v = cel_time_parse(s);
    if (v.tag == CEL_TIMESTAMP) return bounded(v.u.i * 1000 + v.n / 1000000 - wall_ms);
    v = cel_duration_parse(s);
    return v.tag == CEL_DURATION ? bounded((v.u.i + 999999) / 1000000) : -1;
}

notice notice_read(const header *answer, int64_t wall_ms)
{
    notice n = {.retry_ms = -1};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t left = number(header_get(answer, rows[i].left), 1);
        unsigned unit = rows[i].unit;
        if (left < 0 || (n.of[unit].known && n.of[unit].left <= left)) continue;
        int64_t more = time_from(header_get(answer, rows[i].more), wall_ms);
        if (more < 0) continue;
        n.of[unit].known = true;
        n.of[unit].left = left;
        n.of[unit].more_in_ms = more;
    }
    int64_t ms = number(header_get(answer, S("retry-after-ms")), 1);
    n.retry_ms = ms >= 0 ? bounded(ms) : time_from(header_get(answer, S("retry-after")), wall_ms);
    return n;
}
