/* SPDX-License-Identifier: Apache-2.0 */
/* round.c - the questions of one call that are out, and what comes of their answers.
 *
 * An answer comes from another request of the client's, outside this call's flow: it is kept, or
 * passed on at once to a server that waits for it, and the flow is woken. Steps do the rest.
 * A modern server that only gives a state back is asked again after a pause, so that none can
 * make us spin. (mcp.md 9.1) */
#include "round.h"
#include "../transport/sse.h"
#include "call.h"
#include "call_ask.h"
#include "capability.h"
#include "client_request.h"
#include "inquiry.h"
#include "reply.h"

enum { ROUNDS_MOST = 8, OPEN_MOST = 16, ASKED_MOST = 64, ANSWER_MOST = 4 << 20 };
static const int64_t PATIENCE_MS = 600000, PACE_MS = 250;

typedef struct item {
    struct item *next;
    client_request wire;
    visit *v;
    str key; /* a legacy server's id, or the name in inputRequests; both raw */
    str method;
    bool open;
    str said; /* to a modern server: the result, once there */
} item;

struct round {
    item *items;
    unsigned open, asked, count;
    bool of_result; /* a modern server's */
    bool answered;
    str state; /* its requestState, raw; {0}: none */
    loop_timer timer;
};

static round *round_of(visit *v)
{
    if (!v->call->round) v->call->round = NEW(v->a, round);
    return v->call->round;
}

static void put_event(visit *v, const buf *message)
{
    sse_write(&v->call->unsent, S("message"), (str){0}, buf_str(message));
    corridor_wake(v, FLOW_WOKEN);
}

/* The client may forget a question that is still open. */
static void take_back(visit *v, item *i)
{
    if (!i->open) return;
    i->open = false;
    v->call->round->open--;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_open_notice(&b, S("notifications/cancelled"));
    buf_put(&b, S("{\"requestId\":"));
    buf_json(&b, client_request_id(&i->wire, v->a));
    buf_put(&b, S(",\"reason\":\"no longer needed\"}"));
    rpc_close_result(&b);
    client_request_end(v->w, &i->wire);
    if (v->call->out) put_event(v, &b);
}

/* The call fails, in the words of its method. */
static void fail_with(visit *v, str text)
{
    struct subject_call *k = v->call;
    if (k->over) return;
    round_end(v);
    record_text(v->rec, FACT_ERROR, S("unanswered"));
    record_text(v->rec, FACT_ERROR_TEXT, text);
    k->over = true;
    k->status = 200;
    if (v->q.method->served == &corridor_tools_call) {
        k->body = reply_tool_error(v, text);
    } else {
        buf b = buf_new(v->a, SIZE_MAX / 2);
        const rpc_refusal no = {.status = 200, .code = RPC_INTERNAL, .text = text};
        rpc_write_error(&b, v->msg.id, &no);
        k->body = buf_str(&b);
    }
    corridor_wake(v, FLOW_WOKEN);
}

static void close_item(item *i)
{
    i->open = false;
    i->v->call->round->open--;
}

static void settle_if_answered(visit *v)
{
    round *r = v->call->round;
    if (!r->of_result || r->open) return;
    r->answered = true;
    corridor_wake(v, FLOW_WOKEN);
}

/* Without an answer. */
static void unanswered(item *i)
{
    visit *v = i->v;
    if (!v->call->round->of_result) {
        if (v->call->link) link_answer(v->call->link, i->key, inquiry_unanswered(i->method));
        return;
    }
    if (str_eq(i->method, S("elicitation/create")))
        i->said = S("{\"action\":\"cancel\"}");
    else
        fail_with(v, S("the client did not answer the server's question"));
}

static void answer_server(visit *v, const item *i, js_value result, js_value error)
{
    bool fine = result.kind != JS_ABSENT;
    buf b = buf_new(NULL, SIZE_MAX / 2);
    buf_put(&b, fine ? S("\"result\":") : S("\"error\":"));
    buf_put(&b, fine ? result.raw : error.raw);
    if (v->call->link) link_answer(v->call->link, i->key, buf_str(&b));
    buf_free(&b);
}

static void on_answer(void *i_, client_request *wire, js_value result, js_value error)
{
    item *i = i_;
    visit *v = i->v;
    (void)wire;
    close_item(i);
    bool fits = result.raw.n <= ANSWER_MOST && error.raw.n <= ANSWER_MOST;
    bool of_result = v->call->round->of_result;
    if (!fits || (of_result && result.kind != JS_OBJECT))
        unanswered(i);
    else if (of_result)
        i->said = arena_dup(v->a, result.raw);
    else
        answer_server(v, i, result, error);
    if (!v->call->over) settle_if_answered(v);
}

static void out_of_patience(void *v_)
{
    visit *v = v_;
    round *r = v->call->round;
    for (item *i = r->items; i && !v->call->over; i = i->next) {
        if (!i->open) continue;
        take_back(v, i);
        unanswered(i);
    }
    if (!v->call->over) settle_if_answered(v);
}

/* The question as an event of the stream. False: it cannot be asked. */
static bool send_question(visit *v, item *i, js_value params)
{
    buf b = buf_new(v->a, INQUIRY_MOST + 4096);
    str id = client_request_open(v->w, &i->wire, v->a);
    if (!id.p) return false;
    buf_put(&b, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_json(&b, id);
    buf_put(&b, S(",\"method\":"));
    buf_json(&b, i->method);
    buf_put(&b, S(",\"params\":"));
    bool sayable = inquiry_put(v->a, &b, i->method, params, v->q.version) && buf_put(&b, S("}"));
    if (!sayable) {
        client_request_end(v->w, &i->wire);
        return false;
    }
    put_event(v, &b);
    return true;
}

static bool may_ask(visit *v, const round *r, str method, js_value params)
{
    unsigned needed = capability_needed(method, params);
    return needed && !(needed & ~call_can_ask(v)) && params.raw.n <= INQUIRY_MOST &&
           r->open < OPEN_MOST && r->asked < ASKED_MOST && reply_may_stream(v);
}

/* It is open, or there were no words for it. */
static item *ask(visit *v, str key, str method, js_value params)
{
    round *r = v->call->round;
    item *i = NEW(v->a, item);
    *i = (item){.v = v, .key = arena_dup(v->a, key), .method = arena_dup(v->a, method)};
    i->wire = (client_request){.sid = v->q.session.sid,
                               .caller_id = v->who->id,
                               .answered = on_answer,
                               .ctx = i};
    i->next = r->items;
    r->items = i;
    r->asked++;
    i->open = send_question(v, i, params);
    if (!i->open) return i;
    r->open++;
    loop_timer_start(v->w->loop, &r->timer, PATIENCE_MS, out_of_patience, v);
    return i;
}

bool round_asks(visit *v, const link_question *q)
{
    const round *r = round_of(v);
    return may_ask(v, r, q->method, q->params) && ask(v, q->id, q->method, q->params)->open;
}

void round_withdraws(visit *v, str id)
{
    for (item *i = v->call->round ? v->call->round->items : NULL; i; i = i->next)
        if (i->open && str_eq(i->key, id)) take_back(v, i);
}

static bool ask_all(visit *v, js_value requests)
{
    round *r = v->call->round;
    for (js_iter it = js_iterate(requests); js_next(&it);) {
        str method = js_text(v->a, js_get(it.value, S("method")));
        js_value params = js_get(it.value, S("params"));
        if (!may_ask(v, r, method, params)) return false;
        item *i = ask(v, it.key, method, params);
        if (!i->open) unanswered(i);
        if (v->call->over) return true;
    }
    return true;
}

static void paced(void *v_)
{
    settle_if_answered(v_);
}

void round_begins(visit *v, js_value result)
{
    round *r = round_of(v);
    js_value requests = js_get(result, S("inputRequests"));
    js_value state = js_get(result, S("requestState"));
    round_end(v);
    r->items = NULL;
    r->asked = 0;
    r->answered = false;
    r->of_result = true;
    r->state = state.kind == JS_STRING ? arena_dup(v->a, state.raw) : (str){0};
    if (requests.kind != JS_OBJECT && !r->state.n) {
        fail_with(v, S("the upstream asked for nonsense")); /* not a reason to call again */
    } else if (++r->count > ROUNDS_MOST) {
        fail_with(v, S("the server asks without end"));
    } else if (!ask_all(v, requests)) {
        fail_with(v, S("the server needs what this client cannot be asked"));
    } else if (v->call->over || r->open) {
        return;
    } else if (r->items) {
        settle_if_answered(v);
    } else {
        loop_timer_start(v->w->loop, &r->timer, PACE_MS, paced, v);
    }
}

bool round_is_answered(visit *v, str *again)
{
    round *r = v->call->round;
    if (!r || !r->answered) return false;
    bool any = false;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    r->answered = false;
    if (r->items) buf_put(&b, S("\"inputResponses\":{"));
    for (const item *i = r->items; i; i = i->next) dialect_put_member(&b, i->key, i->said, &any);
    if (r->items) buf_put(&b, S("}"));
    if (r->state.n) {
        buf_put(&b, r->items ? S(",\"requestState\":") : S("\"requestState\":"));
        buf_put(&b, r->state);
    }
    *again = buf_str(&b);
    return true;
}

void round_end(visit *v)
{
    round *r = v->call->round;
    if (!r) return;
    loop_timer_stop(v->w->loop, &r->timer);
    for (item *i = r->items; i; i = i->next) take_back(v, i);
}
