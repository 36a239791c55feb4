/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - how much more a provider takes now, by its limits as configured and as it said itself.
 *
 * A configured limit has windows that begin with the first request after the one before. What the
 * provider said holds until the time it said; what was sent since it was asked is taken off, for
 * its answer could not know of it. After a 429 nothing is sent for as long as it says, or a
 * little longer each time when it says nothing.
 * Pure: times are the caller's, monotonic. Threads: one at a time (standing.h has the lock). */
#ifndef SP_LLM_ROOM_H
#define SP_LLM_ROOM_H
#include "notice.h"

typedef struct {
    int64_t limit, window_ms; /* limit 0: none */
} llm_limit;

typedef struct {
    struct {
        int64_t begin_ms, used;       /* of the window */
        int64_t left, until_ms, sent; /* as the provider said; sent: ever, by us */
    } of[UNITS];
    int64_t full_until_ms; /* it refused */
    unsigned refusals;     /* in a row, without a time */
} room_state;

/* What one request took: to be settled once. */
typedef struct {
    int64_t took[UNITS], begin_ms[UNITS], sent[UNITS];
} room_share;

/* 0: there is room for this. Else when it is worth asking again. limits[UNITS] */
int64_t room_full_until(const room_state *r, const llm_limit *limits, const int64_t want[UNITS],
                        int64_t now_ms);
/* The same by the configured limits alone. */
int64_t room_own_full_until(const room_state *r, const llm_limit *limits, const int64_t want[UNITS],
                            int64_t now_ms);
room_share room_take(room_state *r, const llm_limit *limits, const int64_t want[UNITS],
                     int64_t now_ms);
/* What it came to, in the place of what was taken. */
void room_settle(room_state *r, const room_share *s, const int64_t used[UNITS]);
void room_heard(room_state *r, const room_share *s, const notice *n, int64_t now_ms);
void room_refused(room_state *r, const notice *n, int64_t now_ms);
void room_let_in(room_state *r); /* it did not refuse */
#endif
