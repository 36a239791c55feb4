/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - two clocks: one that never jumps, for waiting; one that people read. */
#ifndef SP_CLOCK_H
#define SP_CLOCK_H
#include "arena.h"
#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);                  /* since 1970, UTC */
str clock_rfc3339(arena *a, int64_t wall_ms); /* 2026-11-22T10:00:00.123Z */
/* As peers write it, with any offset; the fraction of a second is dropped. */
bool clock_read_rfc3339(str text, int64_t *wall_ms);
bool clock_read_http(str text, int64_t *wall_ms); /* Sun, 22 Nov 2026 10:00:00 GMT */
#endif
