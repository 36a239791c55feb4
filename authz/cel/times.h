/* SPDX-License-Identifier: Apache-2.0 */
/* times.h - timestamps and durations: text, arithmetic, calendar.
 *
 * A timestamp is seconds since 1970 and nanoseconds from 0 up, years 1 to 9999 of the proleptic
 * Gregorian calendar. A duration is nanoseconds in 64 bits, about 292 years either way. Nothing
 * here asks the C library for the time or its zone. Errors come without a place in the source. */
#ifndef SP_CEL_TIMES_H
#define SP_CEL_TIMES_H
#include "value.h"

cel_value cel_time_of(int64_t seconds, uint32_t nanos); /* error when outside the years */
cel_value cel_time_parse(str s);                        /* RFC 3339, the offset required */
cel_value cel_duration_of(int64_t nanos);
cel_value cel_duration_parse(str s); /* 1h30m, -1.5s, 0 */
str cel_time_text(arena *a, cel_value t);
str cel_duration_text(arena *a, cel_value d);

cel_value cel_time_plus(cel_value t, int64_t nanos);
cel_value cel_time_since(cel_value later, cel_value earlier); /* a duration */

/* The calendar: days since 1970-01-01, and the year a day is in. */
int64_t cel_time_days(int64_t year, int64_t month, int64_t day);
int64_t cel_time_year(int64_t days);

typedef enum {
    TIME_YEAR,
    TIME_MONTH,        /* from 0 */
    TIME_DATE,         /* from 1 */
    TIME_DAY_OF_MONTH, /* from 0 */
    TIME_DAY_OF_YEAR,  /* from 0 */
    TIME_DAY_OF_WEEK,  /* Sunday is 0 */
    TIME_HOURS,
    TIME_MINUTES,
    TIME_SECONDS,
    TIME_MILLISECONDS
} cel_time_part;
/* Of the clock `offset` seconds east of UTC. */
cel_value cel_time_part_of(cel_value t, cel_time_part part, int64_t offset);
/* "UTC", "+05:30", "-08:00", "02:00"; false for a name, which zone.h knows about. */
bool cel_time_offset(str zone, int64_t *seconds);
cel_value cel_duration_part_of(cel_value d, cel_time_part part);
#endif
