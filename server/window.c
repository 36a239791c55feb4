/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <time.h>

enum { SECOND = 1000, DAY = 86400 * SECOND };
#define MONTH_MOST (31LL * DAY)

bool window_is_sound(const ledger_cell *c)
{
    if (!c->name.n || c->name.n > LEDGER_CELL_MOST) return false;
    if (c->window == LEDGER_MONTH) return c->window_ms == 0;
    return c->window_ms >= SECOND && c->window_ms <= MONTH_MOST && c->window_ms % SECOND == 0;
}

static window month_at(int64_t now_ms)
{
    time_t now = (time_t)(now_ms / SECOND);
    struct tm t = {0};
    gmtime_r(&now, &t);
    struct tm first = {.tm_year = t.tm_year, .tm_mon = t.tm_mon, .tm_mday = 1};
    struct tm next = {.tm_year = t.tm_year, .tm_mon = t.tm_mon + 1, .tm_mday = 1};
    return (window){.index = (t.tm_year + 1900LL) * 12 + t.tm_mon,
                    .starts_ms = (int64_t)timegm(&first) * SECOND,
                    .ends_ms = (int64_t)timegm(&next) * SECOND};
}

window window_at(const ledger_cell *c, int64_t now_ms)
{
    if (c->window == LEDGER_MONTH) return month_at(now_ms);
    int64_t index = now_ms / c->window_ms, starts = index * c->window_ms;
    return (window){.index = index, .starts_ms = starts, .ends_ms = starts + c->window_ms};
}

/* Whole and rest apart, and long windows in seconds: no product passes 2^53. */
static int64_t grain(int64_t length_ms)
{
    return length_ms > DAY ? SECOND : 1;
}

static int64_t up(int64_t what, int64_t by)
{
    return (what + by - 1) / by;
}

int64_t window_slides(int64_t previous, int64_t length_ms, int64_t left_ms)
{
    int64_t length = length_ms / grain(length_ms), left = up(left_ms, grain(length_ms));
    return previous / length * left + up(previous % length * left, length);
}

/* How long from now until so little is left of a window that what `previous` leaves is `room`. */
static int64_t slides_to(int64_t previous, int64_t room, int64_t length_ms, int64_t left_ms)
{
    if (previous <= room) return 0;
    int64_t low = 0, high = left_ms; /* of what may be left: low fits */
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (window_slides(previous, length_ms, middle) <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return left_ms - low;
}

int64_t window_room_in(const ledger_cell *c, const window *w, window_load l, int64_t now_ms)
{
    int64_t left = w->ends_ms - now_ms, room = l.limit - l.need;
    if (c->window != LEDGER_SLIDING || room < 0) return left;
    if (l.used <= room) return slides_to(l.previous, room - l.used, c->window_ms, left);
    return left + slides_to(l.used, room, c->window_ms, c->window_ms);
}
