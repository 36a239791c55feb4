/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - the arithmetic of a ledger's windows (base/ledger.h), for every store the same.
 *
 * Pure. The Lua of ledger_redis.c does the same with doubles, so nothing here needs a whole number
 * past 2^53. */
#ifndef SP_WINDOW_H
#define SP_WINDOW_H
#include "../base/ledger.h"

typedef struct {
    int64_t index, starts_ms, ends_ms;
} window;

/* A cell with a name and a window within its bounds? */
bool window_is_sound(const ledger_cell *c);
window window_at(const ledger_cell *c, int64_t now_ms);
/* Of what the window before took, what counts while so much of this one is left; rounded up. */
int64_t window_slides(int64_t previous, int64_t length_ms, int64_t left_ms);

typedef struct {
    int64_t limit, used; /* of this window alone */
    int64_t previous;    /* sliding: all that the one before took; else 0 */
    int64_t need;
} window_load;
/* When `need` more fits if nothing is given back; the window's end at the earliest when it never
 * does by itself. */
int64_t window_room_in(const ledger_cell *c, const window *w, window_load l, int64_t now_ms);
#endif
