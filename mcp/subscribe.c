/* SPDX-License-Identifier: Apache-2.0 */
/* subscribe.c - resources/subscribe and unsubscribe: a session's wishes, told on its GET stream.
 *
 * A wish is a URI in the session's row, no more; what it means is found out by the stream, wherever
 * that is, now or when it is opened. So a session without a stream costs the server nothing.
 * The rules were asked by the steps before (call.c); they are asked again before each notice. */
#include "call.h"
#include "reply.h"
#include "session_end.h"
#include "session_state.h"

static flow_go answer(visit *v)
{
    session_wishes_changed(v->w, &v->q.session);
    reply_made(v, (str){0}, NULL);
    return FLOW_DONE;
}

flow_go call_subscribe(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    if (!v->permitted) return FLOW_FAIL;
    str share = caller_share(v->a, v->who, v->rec->v[FACT_PEER].text);
    if (session_wish(v->w->shared->sessions, &v->q.session, share, v->call->public_name))
        return answer(v);
    record_text(v->rec, FACT_LIMITED, S("sessions_per_caller"));
    return corridor_refuse_with(v, 429, RPC_LIMITED, S("too many subscriptions"));
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
    return answer(v);
}

static const flow_step unsubscribe_steps[] = {CORRIDOR_BEGIN,
                                              {.name = "unsubscribe", .run = unsubscribe},
                                              {0}};
const flow corridor_unsubscribe = {.name = "resources/unsubscribe",
                                   .steps = unsubscribe_steps,
                                   CORRIDOR_ENDS};
