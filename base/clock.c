/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - the kernel's clocks in the units the rest of the program counts in. */
#include "clock.h"
#include <stdlib.h>
#include <time.h>

static struct timespec now(clockid_t which)
{
    struct timespec t;
    if (clock_gettime(which, &t) != 0) abort();
    return t;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_mono_us(void)
{
    struct timespec t = now(CLOCK_MONOTONIC);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    struct timespec t = now(CLOCK_REALTIME);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

str clock_rfc3339(arena *a, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    int64_t ms = wall_ms % 1000;
    if (ms < 0) { /* before 1970 the fraction still counts forward */
        ms += 1000;
        seconds--;
    }
    struct tm t;
    if (!gmtime_r(&seconds, &t)) return arena_dup(a, S("0000-00-00T00:00:00.000Z"));
    return arena_fmt(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)ms);
}
