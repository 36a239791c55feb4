/* SPDX-License-Identifier: Apache-2.0 */
/* zone.c - TZif read as it lies, and the rule of POSIX's TZ behind it.
 *
 * A file holds everything twice, in 32 bits for old readers and in 64; the first half is stepped
 * over. Files come fat (every change until 2037) or slim (the changes until now, the rule for the
 * rest), so the rule is not optional. Files that count leap seconds are refused: the times they
 * hold are not those of CEL. */
#include "zone.h"
#include "library.h"
#include "times.h"

enum {
    HEADER = 44,
    TIMES = 4096,
    TYPES = 256,
    TYPE_SIZE = 6,
    NAMES = 1024,
    LEAPS = 64,
    DAY = 86400,
    OFFSET_MOST = 93599, /* RFC 8536 3.2: 25:59:59 */
    HOURS_MOST = 167     /* of a time in the rule, RFC 8536 3.3.1 */
};

typedef struct {
    uint32_t isut, isstd, leap, time, type, name;
    char version;
} header;

/* A day of the year: Mm.w.d, or its number with the leap day counted or not. */
typedef struct {
    char kind; /* M, J or 0 */
    int month, week, day;
    int64_t time;
} change;

typedef struct {
    bool known, summer;
    int64_t standard, saving; /* seconds east of UTC */
    change start, end;
} rule;

struct cel_zone {
    const unsigned char *times, *indexes, *types;
    size_t time_count;
    rule after;
};

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static const unsigned char *bytes_of(str s)
{
    return (const unsigned char *)s.p;
}

static bool take_header(str *s, header *h)
{
    if (s->n < HEADER || !str_starts(*s, S("TZif"))) return false;
    const unsigned char *p = bytes_of(*s);
    *h = (header){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32),
                  be32(p + 36), be32(p + 40), s->p[4]};
    *s = str_drop(*s, HEADER);
    return h->time <= TIMES && h->type <= TYPES && h->name <= NAMES && h->leap <= LEAPS &&
           h->isut <= h->type && h->isstd <= h->type;
}

/* Every factor is bounded by take_header. */
static size_t block_size(const header *h, size_t time_size)
{
    return h->time * (time_size + 1) + h->type * (size_t)TYPE_SIZE + h->name +
           h->leap * (time_size + 4) + h->isstd + h->isut;
}

static int64_t type_offset(const cel_zone *z, unsigned type)
{
    return (int32_t)be32(z->types + (size_t)type * TYPE_SIZE);
}

/* Times rise, types exist and say offsets that can be. */
static bool sound(const cel_zone *z, const header *h)
{
    for (uint32_t i = 0; i < h->time; i++) {
        if (z->indexes[i] >= h->type) return false;
        if (i && be64(z->times + 8 * (size_t)i) <= be64(z->times + 8 * ((size_t)i - 1)))
            return false;
    }
    for (uint32_t i = 0; i < h->type; i++) {
        int64_t offset = type_offset(z, i);
        if (offset > OFFSET_MOST || offset < -OFFSET_MOST) return false;
    }
    return true;
}

static bool take(str *s, char c)
{
    if (!s->n || *s->p != c) return false;
    *s = str_drop(*s, 1);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_number(str *s, int most, int *value)
{
    *value = 0;
    if (!s->n || !is_digit(*s->p)) return false;
    while (s->n && is_digit(*s->p)) {
        *value = *value * 10 + (*s->p - '0');
        if (*value > most) return false;
        *s = str_drop(*s, 1);
    }
    return true;
}

/* EST, or <-03>. */
static bool take_name(str *s)
{
    size_t n = 0;
    if (take(s, '<')) {
        str_pair cut = str_cut(*s, '>');
        *s = cut.tail;
        return cut.ok && cut.head.n >= 3;
    }
    for (; s->n && is_letter(*s->p); n++) *s = str_drop(*s, 1);
    return n >= 3;
}

/* [+-]h[:m[:s]] */
static bool take_time(str *s, int most_hours, int64_t *seconds)
{
    bool negative = take(s, '-');
    if (!negative) (void)take(s, '+');
    int hours, minutes = 0, rest = 0;
    if (!take_number(s, most_hours, &hours)) return false;
    if (take(s, ':')) {
        if (!take_number(s, 59, &minutes)) return false;
        if (take(s, ':') && !take_number(s, 59, &rest)) return false;
    }
    *seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60 + rest;
    if (negative) *seconds = -*seconds;
    return true;
}

static bool take_day(str *s, change *c)
{
    if (take(s, 'M')) {
        c->kind = 'M';
        return take_number(s, 12, &c->month) && c->month && take(s, '.') &&
               take_number(s, 5, &c->week) && c->week && take(s, '.') && take_number(s, 6, &c->day);
    }
    c->kind = take(s, 'J') ? 'J' : '0';
    return take_number(s, 365, &c->day) && (c->day || c->kind == '0');
}

static bool take_change(str *s, change *c)
{
    c->time = 7200; /* two in the morning */
    return take(s, ',') && take_day(s, c) && (!take(s, '/') || take_time(s, HOURS_MOST, &c->time));
}

/* std offset [dst [offset] , start [/time] , end [/time]]; POSIX counts offsets to the west. */
static bool parse_rule(str s, rule *r)
{
    *r = (rule){0};
    if (!s.n) return true;
    if (!take_name(&s) || !take_time(&s, 24, &r->standard)) return false;
    r->known = true;
    r->standard = -r->standard;
    if (!s.n) return true;
    r->summer = true;
    r->saving = r->standard + 3600;
    if (!take_name(&s)) return false;
    if (s.n && *s.p != ',') {
        if (!take_time(&s, 24, &r->saving)) return false;
        r->saving = -r->saving;
    }
    return take_change(&s, &r->start) && take_change(&s, &r->end) && !s.n;
}

const cel_zone *cel_zone_parse(arena *a, str tzif)
{
    header h;
    if (!take_header(&tzif, &h) || h.version < '2' || block_size(&h, 4) > tzif.n) return NULL;
    tzif = str_drop(tzif, block_size(&h, 4));
    if (!take_header(&tzif, &h) || !h.type || h.leap || block_size(&h, 8) > tzif.n) return NULL;
    const unsigned char *p = bytes_of(tzif);
    cel_zone *z = NEW(a, cel_zone);
    z->time_count = h.time;
    z->times = p;
    z->indexes = p + h.time * (size_t)8;
    z->types = z->indexes + h.time;
    if (!sound(z, &h)) return NULL;
    str footer = str_drop(tzif, block_size(&h, 8));
    if (!take(&footer, '\n')) return NULL;
    str_pair cut = str_cut(footer, '\n');
    return cut.ok && parse_rule(cut.head, &z->after) ? z : NULL;
}

static int64_t change_day(const change *c, int64_t year)
{
    int64_t first = cel_time_days(year, 1, 1);
    bool leap = cel_time_days(year + 1, 1, 1) - first == 366;
    if (c->kind == '0') return first + c->day;
    if (c->kind == 'J') return first + c->day - 1 + (leap && c->day >= 60);
    first = cel_time_days(year, c->month, 1);
    int64_t next =
        c->month == 12 ? cel_time_days(year + 1, 1, 1) : cel_time_days(year, c->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + (c->day - weekday + 7) % 7 + (int64_t)(c->week - 1) * 7;
    return day < next ? day : day - 7; /* the fifth is the last */
}

static int64_t rule_offset(const rule *r, int64_t seconds)
{
    if (!r->summer) return r->standard;
    int64_t local = seconds + r->standard;
    int64_t year = cel_time_year(local / DAY - (local % DAY < 0));
    int64_t start = change_day(&r->start, year) * DAY + r->start.time - r->standard;
    int64_t end = change_day(&r->end, year) * DAY + r->end.time - r->saving;
    bool summer =
        start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    return summer ? r->saving : r->standard;
}

int64_t cel_zone_offset(const cel_zone *z, int64_t seconds)
{
    size_t low = 0, high = z->time_count;
    while (low < high) { /* how many changes there were by then */
        size_t middle = (low + high) / 2;
        if (be64(z->times + 8 * middle) <= seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == z->time_count && z->after.known) return rule_offset(&z->after, seconds);
    return type_offset(z, low ? z->indexes[low - 1] : 0);
}

bool cel_zone_name(str name)
{
    enum { MOST = 64 };
    if (!name.n || name.n > MOST || str_eq(name, S("localtime"))) return false;
    bool fresh = true; /* at the start of a part, where a letter must be */
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (fresh && !is_letter(c)) return false;
        fresh = c == '/';
        if (!fresh && !is_letter(c) && !is_digit(c) && c != '_' && c != '+' && c != '-')
            return false;
    }
    return !fresh;
}

struct cel_zone_entry {
    cel_zone_entry *next;
    str name;
    const cel_zone *zone;
};

const cel_zone *cel_zone_known(const cel_zone_book *book, str name)
{
    for (const cel_zone_entry *e = book->first; e; e = e->next) {
        if (str_eq(e->name, name)) return e->zone;
    }
    return NULL;
}

static const cel_zone *read_zone(const cel_zones *from, arena *a, str name)
{
    str tzif = {0};
    if (!from->load || !cel_zone_name(name)) return NULL;
    const err *e = from->load(from->ctx, a, name, &tzif);
    return e ? NULL : cel_zone_parse(a, tzif);
}

const cel_zone *cel_zone_load(const cel_zone_book *book, arena *a, str name)
{
    return book->source.literals ? NULL : read_zone(&book->source, a, name);
}

const char *cel_zone_learn(cel_zone_book *book, arena *a, str name)
{
    if (cel_zone_known(book, name)) return NULL;
    if (!cel_zone_name(name)) return "no name of a time zone";
    if (!book->source.load) return "names of time zones are not known here";
    const cel_zone *zone = read_zone(&book->source, a, name);
    if (!zone) return "no such time zone";
    cel_zone_entry *e = NEW(a, cel_zone_entry);
    *e = (cel_zone_entry){book->first, name, zone};
    book->first = e;
    return NULL;
}

/* A name that is no literal costs what reading a file may cost. */
cel_value cel_fn_time_part_zone(cel_scope *s, const cel_function *f, const cel_value *args)
{
    enum { READING = 16384 };
    str name = cel_text(args[1]);
    int64_t offset = 0;
    if (!name.n) return cel_failed(CEL_BAD_ARGUMENT);
    if (!cel_time_offset(name, &offset)) {
        const cel_zone *zone = cel_zone_known(s->zones, name);
        if (!zone && !cel_spend(s, READING)) return cel_failed(CEL_COST_EXCEEDED);
        if (!zone) zone = cel_zone_load(s->zones, s->scratch, name);
        if (!zone) return cel_failed(CEL_BAD_ARGUMENT);
        offset = cel_zone_offset(zone, args[0].u.i);
    }
    return cel_time_part_of(args[0], (cel_time_part)f->op, offset);
}
