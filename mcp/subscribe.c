/* SPDX-License-Identifier: Apache-2.0 */
/* subscribe.c - resources/subscribe and unsubscribe: a session's wishes, told on its GET stream.
 *
 * A wish is a URI in the session's row, no more; what it means is found out by the stream, wherever
 * that is, now or when it is opened. So a session without a stream costs the server nothing.
 * The rules were asked by the steps before (call.c); they are asked again before each notice. */
#include "call.h"
#include "facet.h"
#include "feed.h"
#include "reply.h"
#include "session_end.h"
#include "session_state.h"
#include "watch.h"

static const int64_t PATIENCE_MS = 1000, LOOK_MS = 5;

struct subscribing {
    loop_timer look;
    int64_t until_ms;
    upstream *side; /* held: the caller's facet; NULL: none */
};

flow_go call_subscribe(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    if (!v->permitted) return FLOW_FAIL;
    str share = caller_share(v->a, v->who, v->rec->v[FACT_PEER].text);
    if (session_wish(v->w->shared->sessions, &v->q.session, share, v->call->public_name)) {
        session_wishes_changed(v->w, &v->q.session);
        return FLOW_NEXT;
    }
    record_text(v->rec, FACT_LIMITED, S("sessions_per_caller"));
    v->no = rpc_limited(v->a, S("too many subscriptions"), 1000);
    return FLOW_FAIL;
}

static void look_again(void *v)
{
    corridor_wake(v, FLOW_WOKEN);
}

static bool is_known(const struct subject_call *k)
{
    upstream *side = k->subscribing->side;
    bool apart = side && feed_is_wanted(side) && feed_now(side) != FEED_NONE;
    return watch_stands(k->to, WATCH_RESOURCE, k->own) &&
           (!apart || watch_stands(side, WATCH_RESOURCE, k->own));
}

/* Who has the answer may change the resource at once and wait to be told: so the server must know
 * by then, where somebody listens at all. The resource is watched here, too, until the stream does.
 */
flow_go call_subscribed(void *x, flow_why why)
{
    visit *v = x;
    struct subject_call *k = v->call;
    int64_t now = loop_now_ms(v->w->loop);
    (void)why;
    if (!k->subscribing && feed_is_wanted(k->to)) {
        k->subscribing = NEW(v->a, struct subscribing);
        k->subscribing->until_ms = now + PATIENCE_MS;
        k->subscribing->side = facet_of_caller(v, k->to);
        watch_add(k->to, WATCH_RESOURCE, k->own);
        if (k->subscribing->side) watch_add(k->subscribing->side, WATCH_RESOURCE, k->own);
    }
    if (k->subscribing && now < k->subscribing->until_ms && !is_known(k)) {
        loop_timer_start(v->w->loop, &k->subscribing->look, LOOK_MS, look_again, v);
        return FLOW_WAIT;
    }
    reply_made(v, (str){0}, NULL);
    return FLOW_DONE;
}

void subscribe_end(visit *v)
{
    struct subject_call *k = v->call;
    if (!k->subscribing) return;
    loop_timer_stop(v->w->loop, &k->subscribing->look);
    watch_remove(k->to, WATCH_RESOURCE, k->own);
    if (k->subscribing->side) {
        watch_remove(k->subscribing->side, WATCH_RESOURCE, k->own);
        upstream_release(k->subscribing->side);
    }
    k->subscribing = NULL;
}

/* What was never subscribed to is not, afterwards, either. */
static flow_go unsubscribe(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    js_value uri = js_get(v->msg.params, S("uri"));
    if (uri.kind != JS_STRING)
        return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, S("the uri must be a string"));
    session_unwish(v->w->shared->sessions, &v->q.session, js_text(v->a, uri));
    session_wishes_changed(v->w, &v->q.session);
    reply_made(v, (str){0}, NULL);
    return FLOW_DONE;
}

static const flow_step unsubscribe_steps[] = {CORRIDOR_BEGIN,
                                              {.name = "unsubscribe", .run = unsubscribe},
                                              {0}};
const flow corridor_unsubscribe = {.name = "resources/unsubscribe",
                                   .steps = unsubscribe_steps,
                                   CORRIDOR_ENDS};
