/* SPDX-License-Identifier: Apache-2.0 */
/* hearing.c - a call at a legacy server over HTTP, which may log and ask on its session's own
 * stream instead of the call's.
 *
 * So that stream is opened before the call, and kept a while for the next one (feed.c), for who
 * can be asked something or asked for messages in as many words; nobody else pays for it. A
 * server that lets its stream wait is not waited for again for a while. A parked call keeps the
 * stream open: what its server asks next may come after its client has taken his time. */
#include "call.h"
#include "call_ask.h"
#include "capability.h"
#include "facet.h"
#include "feed.h"
#include "offer.h"
#include "session_state.h"

static const int64_t PATIENCE_MS = 500, LOOK_MS = 5, LATE_MS = 60000;

struct hearing {
    upstream *side; /* held */
    loop_timer look;
    int64_t until_ms;
    bool waits, logs; /* logs: they were asked for */
};

static bool asks_for_logs(const visit *v)
{
    if (v->q.speaks == &dialect_modern) return v->q.log_level.p;
    return v->q.has_session &&
           session_level(v->w->shared->sessions, &v->q.session) != SESSION_LEVEL_NONE;
}

static void look_again(void *v)
{
    corridor_wake(v, FLOW_WOKEN);
}

static bool must_wait(visit *v, struct hearing *h)
{
    int64_t now_ms = loop_now_ms(v->w->loop);
    h->waits = feed_now(h->side) == FEED_UNTRIED && now_ms < h->until_ms;
    if (h->waits) loop_timer_start(v->w->loop, &h->look, LOOK_MS, look_again, v);
    if (h->until_ms && now_ms >= h->until_ms && feed_now(h->side) == FEED_UNTRIED)
        atomic_store(&v->call->to->stream_late_ms, now_ms + LATE_MS);
    return h->waits;
}

bool hearing_begin(visit *v)
{
    struct subject_call *k = v->call;
    int64_t now_ms = loop_now_ms(v->w->loop);
    bool apart = k->to->spec.kind == UPSTREAM_HTTP && upstream_era_now(k->to, now_ms) == ERA_LEGACY;
    bool logs = apart && offer_logs(k->to) && asks_for_logs(v),
         asks = apart && (call_can_ask(v) & ~(unsigned)CAN_FOLLOW_TASKS);
    upstream *side = logs || asks ? facet_of_session(v, k->to) : NULL;
    if (!side) return false;
    k->hearing = NEW(v->a, struct hearing);
    k->hearing->side = side;
    k->hearing->logs = logs;
    if (now_ms >= atomic_load(&k->to->stream_late_ms)) k->hearing->until_ms = now_ms + PATIENCE_MS;
    feed_open(side);
    return must_wait(v, k->hearing);
}

bool hearing_is_due(visit *v)
{
    struct hearing *h = v->call->hearing;
    return h && h->waits && !must_wait(v, h);
}

bool hearing_works(const visit *v)
{
    const struct hearing *h = v->call->hearing;
    return h && h->logs && feed_now(h->side) == FEED_STANDS;
}

static void leave(void *side_)
{
    upstream *side = side_;
    feed_leave(side);
    upstream_release(side);
}

void hearing_park(visit *v, const parked_name *name)
{
    struct hearing *h = v->call->hearing;
    if (!h) return;
    loop_timer_stop(v->w->loop, &h->look);
    parked_carry(v->w, name, leave, h->side);
    v->call->hearing = NULL;
}

void hearing_end(visit *v)
{
    struct hearing *h = v->call->hearing;
    if (!h) return;
    loop_timer_stop(v->w->loop, &h->look);
    leave(h->side);
    v->call->hearing = NULL;
}
