/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.c - a few atomics, each change decided by one compare-and-swap. */
#include "breaker.h"

const breaker_rule breaker_usual = {.failures = 5, .pause_ms = 1000, .pause_most_ms = 30000};

/* {window:32, failed:16, calls:16}: both counts stop at their most. */
enum { COUNT_MOST = 0xffff, COUNT_BITS = 16 };

breaker_state breaker_look(const breaker *b, int64_t now_ms)
{
    int64_t until = atomic_load(&b->open_until_ms);
    if (!until) return BREAKER_CLOSED;
    return now_ms < until ? BREAKER_OPEN : BREAKER_TRIAL;
}

bool breaker_lets_in(const breaker *b, int64_t now_ms)
{
    breaker_state now = breaker_look(b, now_ms);
    return now == BREAKER_CLOSED || (now == BREAKER_TRIAL && !atomic_load(&b->trying));
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

/* Counts one more call of this window; true: too many of them failed. */
static bool count(breaker *b, const breaker_rule *rule, bool failed, int64_t now_ms)
{
    if (!rule->percent || !rule->window_ms) return false;
    uint64_t window = (uint64_t)(now_ms / rule->window_ms) & UINT32_MAX;
    uint64_t had = atomic_load(&b->recent), calls, bad;
    do {
        bool same = had >> (2 * COUNT_BITS) == window;
        calls = (same ? had & COUNT_MOST : 0) + 1;
        bad = (same ? had >> COUNT_BITS & COUNT_MOST : 0) + failed;
        if (calls > COUNT_MOST) return false;
    } while (!atomic_compare_exchange_weak(&b->recent, &had,
                                           window << (2 * COUNT_BITS) | bad << COUNT_BITS | calls));
    return failed && calls >= rule->least && bad * 100 >= calls * rule->percent;
}

void breaker_worked(breaker *b, const breaker_rule *rule, int64_t now_ms)
{
    if (atomic_load_explicit(&b->failures, memory_order_relaxed)) atomic_store(&b->failures, 0);
    (void)count(b, rule, false, now_ms);
    if (!atomic_load_explicit(&b->open_until_ms, memory_order_relaxed)) return;
    atomic_store(&b->closed_ms, now_ms);
    if (!rule->forgets_ms) atomic_store(&b->trips, 0);
    atomic_store(&b->open_until_ms, 0);
}

static bool open_for(breaker *b, const breaker_rule *rule, int64_t was_until, int64_t now_ms)
{
    enum { DOUBLED_MOST = 20 };
    bool forgotten = !was_until && now_ms - atomic_load(&b->closed_ms) > rule->forgets_ms;
    unsigned trips = forgotten ? 0 : atomic_load(&b->trips);
    int64_t pause = rule->pause_ms << (trips < DOUBLED_MOST ? trips : DOUBLED_MOST);
    int64_t until = now_ms + (pause < rule->pause_most_ms ? pause : rule->pause_most_ms);
    if (!atomic_compare_exchange_strong(&b->open_until_ms, &was_until, until)) return false;
    atomic_store(&b->trips, trips + 1);
    atomic_store(&b->failures, 0);
    atomic_store(&b->recent, 0);
    return true;
}

/* Calls that began before it opened fail late; they say nothing new. */
bool breaker_failed(breaker *b, const breaker_rule *rule, int64_t now_ms)
{
    int64_t until = atomic_load(&b->open_until_ms);
    if (until) {
        if (now_ms >= until) (void)open_for(b, rule, until, now_ms);
        return false;
    }
    bool often = count(b, rule, true, now_ms);
    bool in_a_row = atomic_fetch_add(&b->failures, 1) + 1 >= rule->failures;
    return (often || in_a_row) && open_for(b, rule, 0, now_ms);
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
