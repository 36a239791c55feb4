/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"
#include "pick.h"
#include "route.h"
#include "upload.h"
#include <sys/random.h>

/* In hundredths of an attempt: what a worker has at first, and at most. */
enum { WHOLE = 100, SPARE = 10 * WHOLE, MOST = 1000 * WHOLE };
enum { PAUSE_MOST = 10000 };

unsigned retry_failure(const llm_run *r)
{
    if (r->failed && r->refusal.said.status == 504) return RETRY_IDLE;
    if (r->failed) return r->has_head ? RETRY_RESET : RETRY_CONNECT | RETRY_RESET;
    if (r->broken || r->streamed) return RETRY_RESET; /* nothing of it was content */
    if (r->upstream_status == 429) return RETRY_429;
    return r->upstream_status >= 500 ? RETRY_5XX : 0;
}

void retry_asked(llm_run *r)
{
    llm_worker *w = r->w;
    if (!w->has_budget) w->budget = SPARE;
    w->has_budget = true;
    w->budget += r->route->retry.budget;
    if (w->budget > MOST) w->budget = MOST;
}

/* Doubled with every round, and half of it left to chance, so that those who failed together do
 * not come back together. */
static int64_t pause_ms(const llm_run *r)
{
    uint32_t chance = 0;
    int64_t ms = r->route->retry.back_off_ms;
    for (unsigned i = 1; i < r->rounds && ms < PAUSE_MOST; i++) ms *= 2;
    if (ms > PAUSE_MOST) ms = PAUSE_MOST;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance) abort();
    return ms / 2 + (int64_t)(chance % (uint32_t)(ms / 2 + 1));
}

/* Those that are full say when to come again. */
static int64_t room_in_ms(llm_run *r)
{
    int64_t at = pick_room_at(r), now = loop_now_ms(r->w->o.loop);
    return at > now ? at - now : 0;
}

static bool pay(llm_run *r)
{
    if (r->w->budget < WHOLE) {
        record_text(exchange_record(r->x), FACT_LIMITED, S("retry_budget"));
        return false;
    }
    r->w->budget -= WHOLE;
    return true;
}

static bool next_round(llm_run *r)
{
    int64_t full_ms = room_in_ms(r);
    if (full_ms > PAUSE_MOST || !pay(r)) return false;
    r->tried = 0;
    r->full_ms = 0;
    r->rounds++;
    r->pause_ms = pause_ms(r) + full_ms;
    return true;
}

/* What is gone cannot be sent twice. */
static unsigned failure_of_whole(const llm_run *r)
{
    return upload_is_whole(r) ? retry_failure(r) : 0;
}

static bool may_be_tried(const llm_run *r)
{
    const llm_retry *t = &r->route->retry;
    return (failure_of_whole(r) & t->on) && r->attempts < t->attempts;
}

bool retry_again(llm_run *r)
{
    bool more = route_has_more(r->route, r->tried);
    if (!r->route->retry.attempts) return failure_of_whole(r) && more;
    if (!may_be_tried(r)) return false;
    return more ? pay(r) : next_round(r);
}

/* A rival (hedge.h) has but one round; who asks again and again and is never let in, has to end. */
bool retry_round(llm_run *r)
{
    if (!r->full_ms || !r->attempts || r->over_quota || r->beside) return false;
    return may_be_tried(r) && r->rounds < r->route->retry.attempts && next_round(r);
}

flow_go llm_back_off(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (why == FLOW_LATE) r->pause_ms = 0;
    if (!r->pause_ms) return FLOW_NEXT;
    if (why == FLOW_ENTER) loop_wake_late(r->w->o.loop, &r->timer, r->pause_ms, &r->flow);
    return FLOW_WAIT;
}
