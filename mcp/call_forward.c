/* SPDX-License-Identifier: Apache-2.0 */
/* call_forward.c - a call on its way to its server, and what comes back on its way to the client.
 *
 * The head of the answer waits for the first thing to say: when that is the result, it is a
 * plain JSON reply; when it is progress or a log message, it is an event stream that ends with
 * the result.
 * A client that leaves cancels the call, in both eras: there is no resuming yet. */
#include "../base/clock.h"
#include "../transport/sse.h"
#include "call.h"
#include "call_ask.h"
#include "following.h"
#include "mirror.h"
#include "offer.h"
#include "reply.h"
#include "round.h"
#include "task.h"
#include "task_old.h"

enum { CHUNK = 16 << 10 };

static void open_call(visit *v)
{
    struct subject_call *k = v->call;
    k->unsent = buf_new(NULL, SIZE_MAX / 2);
    k->started_us = clock_mono_us();
    k->self = handle_add(loop_handles(v->w->loop), &call_type, v);
    if (!v->q.has_session) return;
    k->entry = (inflight_entry){.sid = v->q.session.sid,
                                .id = v->msg.id,
                                .caller_id = v->who->id,
                                .flow = v->run.self};
    inflight_add(v->w->calls, &k->entry);
}

static void start(visit *v)
{
    struct subject_call *k = v->call;
    link_request rq = call_request_of(v);
    if (k->task.n) task_fill(v, &rq);
    k->link = link_start(v->w, &rq, &call_type, k->self, &call_hears);
    if (!k->link && !k->over) call_hears.done(v, (js_value){0}, (js_value){0}, NULL);
}

/* Writes what waits for the stream; false: it is full, the flow is woken when it has room. */
static bool pump(visit *v)
{
    struct subject_call *k = v->call;
    while (k->sent < k->unsent.n) {
        str part = str_take(str_drop(buf_str(&k->unsent), k->sent), CHUNK);
        k->sent += part.n;
        if (sink_write(k->out, part)) continue;
        buf_drop(&k->unsent, k->sent);
        k->sent = 0;
        return false;
    }
    k->unsent.n = k->sent = 0;
    return true;
}

/* The old era's cancellation: no answer is given, the stream just ends. */
static flow_go cancelled(visit *v)
{
    struct subject_call *k = v->call;
    record_text(v->rec, FACT_ERROR, S("cancelled"));
    call_ask_end(v);
    if (v->parent) {
        v->status = 200;
        return FLOW_DONE;
    }
    if (!k->out) k->out = reply_stream(v);
    (void)pump(v);
    sink_end(k->out, NULL);
    return FLOW_DONE;
}

static flow_go begin(visit *v)
{
    if (!offer_covers(v->call->to, v->q.method->name)) {
        call_not_offered(v);
        return FLOW_NEXT;
    }
    if (v->call->anew) {
        start(v);
        return FLOW_NEXT;
    }
    open_call(v);
    flow_go go = call_take_round(v);
    if (go == FLOW_NEXT && !task_old_begin(v) && !hearing_begin(v)) start(v);
    return go;
}

/* Headers that repeat arguments are held to the schema we publish. NULL: they may be so. */
static const char *wrong_headers(const visit *v)
{
    const struct subject_call *k = v->call;
    bool mirrored = k->kind == CATALOG_TOOLS && !v->unwrapped && !k->task_id.n;
    if (v->q.speaks != &dialect_modern || !mirrored) return NULL;
    return mirror_params(v->a, exchange_headers(v->x), k->item->input_schema, v->q.arguments);
}

static flow_go send(visit *v)
{
    if (!v->permitted) return FLOW_FAIL; /* a table without `authorize`: our mistake, and closed */
    if (corridor_is_elsewhere(v, upstream_spec_of(v->call->to)))
        return corridor_refuse_with(v, 404, RPC_SESSION_NOT_FOUND, S("Session not found"));
    const char *wrong = wrong_headers(v);
    if (wrong)
        return corridor_refuse_with(v, 400, RPC_HEADER_MISMATCH, (str){wrong, strlen(wrong)});
    return begin(v) == FLOW_FAIL ? FLOW_FAIL : FLOW_NEXT;
}

static bool is_due_again(struct subject_call *k)
{
    bool due = k->again_due;
    k->again_due = false;
    return due;
}

flow_go call_forward(void *x, flow_why why)
{
    visit *v = x;
    struct subject_call *k = v->call;
    if (why == FLOW_ENTER && send(v) == FLOW_FAIL) return FLOW_FAIL;
    if (why == FLOW_STOP && !k->over) return cancelled(v);
    if (is_due_again(k)) return FLOW_AGAIN;
    if (hearing_is_due(v) || task_is_due(v) || round_is_answered(v, &k->again)) start(v);
    if (k->over) return FLOW_NEXT;
    if (k->unsent.n == 0) return FLOW_WAIT;
    if (!k->out) k->out = reply_stream(v);
    (void)pump(v);
    return FLOW_WAIT;
}

flow_go call_relay(void *x, flow_why why)
{
    visit *v = x;
    struct subject_call *k = v->call;
    if (why == FLOW_ENTER) {
        bool streams = k->out || k->unsent.n > 0;
        if (!streams) {
            if (k->status == 429)
                reply_with(v, k->status, (header){S("Retry-After"), S("1")}, k->body);
            else
                reply_json(v, k->status, k->body);
            return FLOW_DONE;
        }
        if (!k->out) k->out = reply_stream(v);
        sse_write(&k->unsent, S("message"), (str){0}, k->body);
    }
    if (!pump(v)) return FLOW_WAIT;
    sink_end(k->out, NULL);
    return FLOW_DONE;
}

/* Answers and cancellations change a task, though its server may not say so. */
static void tell_followers(const visit *v)
{
    const struct subject_call *k = v->call;
    if (k->to && k->task_id.n && !str_eq(v->q.method->name, S("tasks/get")))
        following_heard(k->to, js_view(JS_STRING, k->task_id));
}

void call_end(visit *v)
{
    struct subject_call *k = v->call;
    tell_followers(v);
    call_ask_end(v);
    task_end(v);
    subscribe_end(v);
    hearing_end(v);
    charge_end(v);
    if (k->link) link_cancel(k->link);
    k->link = NULL;
    handle_drop(loop_handles(v->w->loop), k->self);
    inflight_remove(&k->entry);
    if (k->unsent.p) buf_free(&k->unsent);
    if (k->known) catalog_drop(k->known);
    k->known = NULL;
}
