/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.c - a few atomics, each change decided by one compare-and-swap. */
#include "breaker.h"

enum { FAILURES = 5, PAUSE_MS = 1000, PAUSE_MOST_MS = 30000 };

breaker_state breaker_look(const breaker *b, int64_t now_ms)
{
    int64_t until = atomic_load(&b->open_until_ms);
    if (!until) return BREAKER_CLOSED;
    return now_ms < until ? BREAKER_OPEN : BREAKER_TRIAL;
}

breaker_state breaker_begin(breaker *b, int64_t now_ms)
{
    breaker_state now = breaker_look(b, now_ms);
    if (now == BREAKER_TRIAL && atomic_exchange(&b->trying, true)) return BREAKER_OPEN;
    return now;
}

void breaker_end(breaker *b, breaker_state began)
{
    if (began == BREAKER_TRIAL) atomic_store(&b->trying, false);
}

void breaker_worked(breaker *b)
{
    if (atomic_load_explicit(&b->failures, memory_order_relaxed)) atomic_store(&b->failures, 0);
    if (!atomic_load_explicit(&b->open_until_ms, memory_order_relaxed)) return;
    atomic_store(&b->trips, 0);
    atomic_store(&b->open_until_ms, 0);
}

static bool open_for(breaker *b, int64_t was_until, int64_t now_ms)
{
    unsigned trips = atomic_load(&b->trips);
    int64_t pause = (int64_t)PAUSE_MS << (trips < 5 ? trips : 5);
    int64_t until = now_ms + (pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS);
    if (!atomic_compare_exchange_strong(&b->open_until_ms, &was_until, until)) return false;
    atomic_fetch_add(&b->trips, 1);
    atomic_store(&b->failures, 0);
    return true;
}

/* Calls that began before it opened fail late; they say nothing new. */
bool breaker_failed(breaker *b, int64_t now_ms)
{
    int64_t until = atomic_load(&b->open_until_ms);
    if (until) {
        if (now_ms >= until) (void)open_for(b, until, now_ms);
        return false;
    }
    return atomic_fetch_add(&b->failures, 1) + 1 >= FAILURES && open_for(b, 0, now_ms);
}

bool breaker_enter(breaker *b, unsigned most)
{
    if (atomic_fetch_add(&b->calls, 1) < most || !most) return true;
    breaker_leave(b);
    return false;
}

void breaker_leave(breaker *b)
{
    atomic_fetch_sub(&b->calls, 1);
}
