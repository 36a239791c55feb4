/* SPDX-License-Identifier: Apache-2.0 */
#include "room.h"

enum { REFUSED_MS = 1000, REFUSED_MOST_MS = 60000, HEARD_MOST_MS = 3600 * 1000 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_over(const room_state *r, unsigned unit, const llm_limit *l, int64_t now_ms)
{
    return now_ms - r->of[unit].begin_ms >= l->window_ms;
}

/* A request larger than the whole limit waits for a window of its own. */
static int64_t own_full_until(const room_state *r, unsigned unit, const llm_limit *l, int64_t want,
                              int64_t now_ms)
{
    if (!l->limit || is_over(r, unit, l, now_ms)) return 0;
    if (least(want, l->limit) <= l->limit - r->of[unit].used) return 0;
    return r->of[unit].begin_ms + l->window_ms;
}

/* An estimate of tokens may be too high: one token that is left is enough for the first. */
static int64_t their_full_until(const room_state *r, unsigned unit, int64_t want, int64_t now_ms)
{
    if (r->of[unit].until_ms <= now_ms || !want || r->of[unit].left > 0) return 0;
    return r->of[unit].until_ms;
}

int64_t room_own_full_until(const room_state *r, const llm_limit *limits, const int64_t want[UNITS],
                            int64_t now_ms)
{
    int64_t until = 0;
    for (unsigned u = 0; u < UNITS; u++) {
        int64_t own = own_full_until(r, u, &limits[u], want[u], now_ms);
        if (own > until) until = own;
    }
    return until;
}

int64_t room_full_until(const room_state *r, const llm_limit *limits, const int64_t want[UNITS],
                        int64_t now_ms)
{
    int64_t until = room_own_full_until(r, limits, want, now_ms);
    if (r->full_until_ms > now_ms && r->full_until_ms > until) until = r->full_until_ms;
    for (unsigned u = 0; u < UNITS; u++) {
        int64_t theirs = their_full_until(r, u, want[u], now_ms);
        if (theirs > until) until = theirs;
    }
    return until;
}

room_share room_take(room_state *r, const llm_limit *limits, const int64_t want[UNITS],
                     int64_t now_ms)
{
    room_share s = {0};
    for (unsigned u = 0; u < UNITS; u++) {
        if (limits[u].limit && is_over(r, u, &limits[u], now_ms)) {
            r->of[u].begin_ms = now_ms;
            r->of[u].used = 0;
        }
        r->of[u].used += want[u];
        r->of[u].sent += want[u];
        r->of[u].left -= want[u];
        s.took[u] = want[u];
        s.begin_ms[u] = r->of[u].begin_ms;
        s.sent[u] = r->of[u].sent;
    }
    return s;
}

void room_settle(room_state *r, const room_share *s, const int64_t used[UNITS])
{
    for (unsigned u = 0; u < UNITS; u++)
        if (r->of[u].begin_ms == s->begin_ms[u]) r->of[u].used += used[u] - s->took[u];
}

void room_heard(room_state *r, const room_share *s, const notice *n, int64_t now_ms)
{
    for (unsigned u = 0; u < UNITS; u++) {
        if (!n->of[u].known) continue;
        r->of[u].left = n->of[u].left - (r->of[u].sent - s->sent[u]);
        r->of[u].until_ms = now_ms + least(n->of[u].more_in_ms, HEARD_MOST_MS);
    }
}

void room_refused(room_state *r, const notice *n, int64_t now_ms)
{
    int64_t ms = n->retry_ms;
    for (unsigned u = 0; u < UNITS && ms < 0; u++)
        if (n->of[u].known && n->of[u].left == 0) ms = n->of[u].more_in_ms;
    if (ms < 0) {
        ms = least((int64_t)REFUSED_MS << (r->refusals < 10 ? r->refusals : 10), REFUSED_MOST_MS);
        r->refusals++;
    }
    int64_t until = now_ms + least(ms, HEARD_MOST_MS);
    if (until > r->full_until_ms) r->full_until_ms = until;
}

void room_let_in(room_state *r)
{
    r->refusals = 0;
}
