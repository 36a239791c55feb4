/* SPDX-License-Identifier: Apache-2.0 */
/* times.c - the calendar by arithmetic, not by tables of the C library.
 *
 * Days are counted from 1970-01-01 with years that begin in March, so that the leap day is the
 * last of its year and one formula serves all (Hinnant's algorithm). */
#include "times.h"

static const int64_t billion = 1000000000, day_seconds = 86400;
static const int64_t first_second = -62135596800, last_second = 253402300799;

typedef struct {
    int64_t year;
    int64_t month, day; /* from 1 */
} civil;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(civil c)
{
    int64_t y = c.month <= 2 ? c.year - 1 : c.year;
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static civil civil_of(int64_t days)
{
    days += 719468;
    int64_t era = floor_div(days, 146097), of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    civil c = {year + era * 400, month + (month < 10 ? 3 : -9),
               of_year - (153 * month + 2) / 5 + 1};
    if (c.month <= 2) c.year++;
    return c;
}

int64_t cel_time_days(int64_t year, int64_t month, int64_t day)
{
    return days_of((civil){year, month, day});
}

int64_t cel_time_year(int64_t days)
{
    return civil_of(days).year;
}

static cel_value error(cel_error code)
{
    return (cel_value){.tag = CEL_ERROR, .code = (uint16_t)code};
}

cel_value cel_time_of(int64_t seconds, uint32_t nanos)
{
    if (seconds < first_second || seconds > last_second) return error(CEL_OUT_OF_RANGE);
    return (cel_value){.tag = CEL_TIMESTAMP, .n = nanos, .u.i = seconds};
}

cel_value cel_duration_of(int64_t nanos)
{
    return (cel_value){.tag = CEL_DURATION, .u.i = nanos};
}

/* Takes exactly `n` digits off the front, at most `most` in value. */
static bool take(str *s, size_t n, int64_t most, int64_t *value)
{
    *value = 0;
    if (s->n < n) return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    *s = str_drop(*s, n);
    return *value <= most;
}

static bool take_char(str *s, char c)
{
    if (!s->n || *s->p != c) return false;
    *s = str_drop(*s, 1);
    return true;
}

/* Digits after the point; those past the ninth are cut off. */
static bool take_fraction(str *s, uint32_t *nanos)
{
    *nanos = 0;
    size_t n = 0;
    for (; s->n && *s->p >= '0' && *s->p <= '9'; *s = str_drop(*s, 1)) {
        if (n++ < 9) *nanos = *nanos * 10 + (uint32_t)(*s->p - '0');
    }
    for (size_t i = n; i < 9; i++) *nanos *= 10;
    return n > 0;
}

static bool take_offset(str *s, int64_t *seconds)
{
    *seconds = 0;
    if (take_char(s, 'Z')) return true;
    bool west = take_char(s, '-');
    if (!west && !take_char(s, '+')) return false;
    int64_t h, m;
    if (!take(s, 2, 23, &h) || !take_char(s, ':') || !take(s, 2, 59, &m)) return false;
    *seconds = (h * 60 + m) * (west ? -60 : 60);
    return true;
}

static int64_t month_days(int64_t year, int64_t month)
{
    civil next = month == 12 ? (civil){year + 1, 1, 1} : (civil){year, month + 1, 1};
    return days_of(next) - days_of((civil){year, month, 1});
}

cel_value cel_time_parse(str s)
{
    civil c;
    int64_t hour, minute, second, offset;
    uint32_t nanos = 0;
    bool date = take(&s, 4, 9999, &c.year) && take_char(&s, '-') && take(&s, 2, 12, &c.month) &&
                take_char(&s, '-') && take(&s, 2, 31, &c.day) && take_char(&s, 'T');
    if (!date || c.month < 1 || c.day < 1 || c.day > month_days(c.year, c.month)) {
        return error(CEL_BAD_ARGUMENT);
    }
    bool clock = take(&s, 2, 23, &hour) && take_char(&s, ':') && take(&s, 2, 59, &minute) &&
                 take_char(&s, ':') && take(&s, 2, 59, &second);
    if (!clock || (take_char(&s, '.') && !take_fraction(&s, &nanos)))
        return error(CEL_BAD_ARGUMENT);
    if (!take_offset(&s, &offset) || s.n) return error(CEL_BAD_ARGUMENT);
    return cel_time_of(days_of(c) * day_seconds + hour * 3600 + minute * 60 + second - offset,
                       nanos);
}

/* ".5", or nothing when there is no fraction. */
static str fraction_text(arena *a, uint32_t nanos)
{
    if (!nanos) return S("");
    str s = arena_fmt(a, ".%09u", nanos);
    while (s.p[s.n - 1] == '0') s.n--;
    return s;
}

str cel_time_text(arena *a, cel_value t)
{
    int64_t days = floor_div(t.u.i, day_seconds), rest = t.u.i - days * day_seconds;
    civil c = civil_of(days);
    str fraction = fraction_text(a, t.n);
    return arena_fmt(a, "%04d-%02d-%02dT%02d:%02d:%02d" STR_FMT "Z", (int)c.year, (int)c.month,
                     (int)c.day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60),
                     STR_ARG(fraction));
}

str cel_duration_text(arena *a, cel_value d)
{
    uint64_t n = d.u.i < 0 ? 0 - (uint64_t)d.u.i : (uint64_t)d.u.i;
    str fraction = fraction_text(a, (uint32_t)(n % (uint64_t)billion));
    return arena_fmt(a, "%s%llu" STR_FMT "s", d.u.i < 0 ? "-" : "",
                     (unsigned long long)(n / (uint64_t)billion), STR_ARG(fraction));
}

static const struct {
    const char *name;
    int64_t nanos;
} units[] = {
    {"ns", 1},       {"us", 1000},      {"\xC2\xB5s", 1000}, {"\xCE\xBCs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

static int64_t take_unit(str *s)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        str name = {units[i].name, strlen(units[i].name)};
        if (!str_starts(*s, name)) continue;
        *s = str_drop(*s, name.n);
        return units[i].nanos;
    }
    return 0;
}

/* One "1.5h"; the fraction is exact to the nanosecond below. */
static bool take_term(str *s, uint64_t *nanos)
{
    uint64_t whole = 0;
    uint32_t fraction = 0;
    bool any = false;
    for (; s->n && *s->p >= '0' && *s->p <= '9'; *s = str_drop(*s, 1)) {
        any = true;
        if (__builtin_mul_overflow(whole, 10U, &whole)) return false;
        if (__builtin_add_overflow(whole, (uint64_t)(*s->p - '0'), &whole)) return false;
    }
    if (take_char(s, '.')) any |= take_fraction(s, &fraction);
    int64_t unit = take_unit(s);
    if (!any || !unit) return false;
    unsigned __int128 part = (unsigned __int128)fraction * (uint64_t)unit / (uint64_t)billion;
    return !__builtin_mul_overflow(whole, (uint64_t)unit, nanos) &&
           !__builtin_add_overflow(*nanos, (uint64_t)part, nanos);
}

cel_value cel_duration_parse(str s)
{
    bool negative = take_char(&s, '-');
    if (!negative) (void)take_char(&s, '+');
    if (str_eq(s, S("0"))) return cel_duration_of(0);
    if (!s.n) return error(CEL_BAD_ARGUMENT);
    uint64_t sum = 0, term;
    while (s.n) {
        if (!take_term(&s, &term)) return error(CEL_BAD_ARGUMENT);
        if (__builtin_add_overflow(sum, term, &sum) || sum > INT64_MAX)
            return error(CEL_OUT_OF_RANGE);
    }
    return cel_duration_of(negative ? -(int64_t)sum : (int64_t)sum);
}

cel_value cel_time_plus(cel_value t, int64_t nanos)
{
    int64_t seconds = floor_div(nanos, billion);
    int64_t rest = (int64_t)t.n + (nanos - seconds * billion);
    return cel_time_of(t.u.i + seconds + (rest >= billion), (uint32_t)(rest % billion));
}

cel_value cel_time_since(cel_value later, cel_value earlier)
{
    int64_t nanos;
    if (__builtin_mul_overflow(later.u.i - earlier.u.i, billion, &nanos) ||
        __builtin_add_overflow(nanos, (int64_t)later.n - (int64_t)earlier.n, &nanos)) {
        return error(CEL_OVERFLOW);
    }
    return cel_duration_of(nanos);
}

/* [+-]HH:MM, the sign may be missing. */
bool cel_time_offset(str zone, int64_t *seconds)
{
    *seconds = 0;
    if (str_eq(zone, S("UTC"))) return true;
    bool west = take_char(&zone, '-');
    if (!west) (void)take_char(&zone, '+');
    int64_t h, m;
    if (!take(&zone, 2, 23, &h) || !take_char(&zone, ':') || !take(&zone, 2, 59, &m) || zone.n)
        return false;
    *seconds = (h * 60 + m) * (west ? -60 : 60);
    return true;
}

cel_value cel_time_part_of(cel_value t, cel_time_part part, int64_t offset)
{
    int64_t local = t.u.i + offset, days = floor_div(local, day_seconds),
            rest = local - days * day_seconds;
    civil c = civil_of(days);
    switch (part) {
    case TIME_YEAR: return cel_int(c.year);
    case TIME_MONTH: return cel_int(c.month - 1);
    case TIME_DATE: return cel_int(c.day);
    case TIME_DAY_OF_MONTH: return cel_int(c.day - 1);
    case TIME_DAY_OF_YEAR: return cel_int(days - days_of((civil){c.year, 1, 1}));
    case TIME_DAY_OF_WEEK: return cel_int((days % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
    case TIME_HOURS: return cel_int(rest / 3600);
    case TIME_MINUTES: return cel_int(rest / 60 % 60);
    case TIME_SECONDS: return cel_int(rest % 60);
    case TIME_MILLISECONDS: return cel_int(t.n / 1000000);
    }
    return error(CEL_NO_SUCH_OVERLOAD);
}

/* Hours, minutes and seconds are totals; milliseconds are the part below a second. */
cel_value cel_duration_part_of(cel_value d, cel_time_part part)
{
    switch (part) {
    case TIME_HOURS: return cel_int(d.u.i / billion / 3600);
    case TIME_MINUTES: return cel_int(d.u.i / billion / 60);
    case TIME_SECONDS: return cel_int(d.u.i / billion);
    case TIME_MILLISECONDS: return cel_int(d.u.i / 1000000 % 1000);
    default: return error(CEL_NO_SUCH_OVERLOAD);
    }
}
