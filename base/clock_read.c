/* SPDX-License-Identifier: Apache-2.0 */
/* clock_read.c - times as peers write them: RFC 3339, and the date of HTTP (RFC 9110 5.6.7). */
#include "clock.h"
#include <time.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly n digits, from least to most. */
static bool take_number(str *s, size_t n, int least, int most, int *out)
{
    int value = 0;
    if (s->n < n) return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(s->p[i])) return false;
        value = value * 10 + (s->p[i] - '0');
    }
    *s = str_drop(*s, n);
    *out = value;
    return value >= least && value <= most;
}

static bool take_char(str *s, char c)
{
    if (!s->n || s->p[0] != c) return false;
    *s = str_drop(*s, 1);
    return true;
}

static bool take_time(str *s, struct tm *at)
{
    return take_number(s, 2, 0, 23, &at->tm_hour) && take_char(s, ':') &&
           take_number(s, 2, 0, 59, &at->tm_min) && take_char(s, ':') &&
           take_number(s, 2, 0, 60, &at->tm_sec);
}

/* What follows the seconds; a fraction of them is dropped. */
static bool take_zone(str *s, int64_t *behind_s)
{
    int hours = 0, minutes = 0;
    if (take_char(s, '.')) {
        if (!s->n || !is_digit(s->p[0])) return false;
        while (s->n && is_digit(s->p[0])) *s = str_drop(*s, 1);
    }
    *behind_s = 0;
    if (take_char(s, 'Z')) return s->n == 0;
    bool west = take_char(s, '-');
    if (!west && !take_char(s, '+')) return false;
    if (!take_number(s, 2, 0, 23, &hours) || !take_char(s, ':') ||
        !take_number(s, 2, 0, 59, &minutes) || s->n)
        return false;
    int ahead_s = (hours * 60 + minutes) * 60;
    *behind_s = west ? ahead_s : -ahead_s;
    return true;
}

bool clock_read_rfc3339(str s, int64_t *wall_ms)
{
    struct tm at = {0};
    int64_t behind_s = 0;
    bool fine = take_number(&s, 4, 1970, 9999, &at.tm_year) && take_char(&s, '-') &&
                take_number(&s, 2, 1, 12, &at.tm_mon) && take_char(&s, '-') &&
                take_number(&s, 2, 1, 31, &at.tm_mday) && take_char(&s, 'T') &&
                take_time(&s, &at) && take_zone(&s, &behind_s);
    if (!fine) return false;
    at.tm_year -= 1900;
    at.tm_mon--;
    *wall_ms = ((int64_t)timegm(&at) + behind_s) * 1000;
    return true;
}

static bool take_month(str *s, int *out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12 && s->n >= 3; i++) {
        if (!str_eq(str_take(*s, 3), (str){names + (size_t)i * 3, 3})) continue;
        *s = str_drop(*s, 3);
        *out = i;
        return true;
    }
    return false;
}

bool clock_read_http(str s, int64_t *wall_ms)
{
    struct tm at = {0};
    while (s.n && s.p[0] == ' ') s = str_drop(s, 1);
    s = str_drop(s, 5); /* "Sun, ", which says nothing that the rest does not */
    bool fine = take_number(&s, 2, 1, 31, &at.tm_mday) && take_char(&s, ' ') &&
                take_month(&s, &at.tm_mon) && take_char(&s, ' ') &&
                take_number(&s, 4, 1970, 9999, &at.tm_year) && take_char(&s, ' ') &&
                take_time(&s, &at) && str_starts(s, S(" GMT"));
    if (!fine) return false;
    at.tm_year -= 1900;
    *wall_ms = (int64_t)timegm(&at) * 1000;
    return true;
}
