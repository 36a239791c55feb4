/* SPDX-License-Identifier: Apache-2.0 */
/* call_ask.c - input_required toward modern clients, and the choice of the way. (mcp.md 9.1-9.3) */
#include "call_ask.h"
#include "call.h"
#include "capability.h"
#include "inquiry.h"
#include "level.h"
#include "parked.h"
#include "reply.h"
#include "request_state.h"
#include "round.h"
#include "ticket.h"

enum { AGAIN_MOST = 8, REQUESTS_MOST = 16, PAID_ROUNDS = 16 };

/* Only these may ask in between. (MCP 2026-07-28 basic/patterns) */
static bool may_ask_in_between(const visit *v)
{
    static const str methods[] = {S("tools/call"), S("prompts/get"), S("resources/read")};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_eq(v->q.method->name, methods[i])) return true;
    return false;
}

static bool follows_task(const visit *v)
{
    return v->q.method->served == &corridor_task;
}

/* An old client without a stream, or in a batch, has nowhere to be asked. */
unsigned call_can_ask(visit *v)
{
    bool is_tool = v->call && v->call->kind == CATALOG_TOOLS;
    unsigned bits = capability_bits(v->q.meta.capabilities, MCP_2026_07_28);
    if (follows_task(v)) return bits;
    if (!may_ask_in_between(v)) return 0;
    if (v->q.speaks == &dialect_modern) return is_tool ? bits : bits & ~(unsigned)CAN_FOLLOW_TASKS;
    return reply_takes_stream(v) ? v->q.session.capabilities : 0;
}

/* Answers made here */

static void end_with(visit *v, const rpc_refusal *no)
{
    struct subject_call *k = v->call;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_write_error(&b, v->msg.id, no);
    k->body = buf_str(&b);
    k->status = no->status;
    k->over = true;
    record_text(v->rec, FACT_ERROR_TEXT, no->text);
    corridor_wake(v, FLOW_WOKEN);
}

static void lacks(visit *v, unsigned bits)
{
    buf data = buf_new(v->a, 1024);
    buf_put(&data, S("{\"requiredCapabilities\":"));
    capability_put(&data, bits, MCP_2026_07_28);
    buf_put(&data, S("}"));
    record_text(v->rec, FACT_ERROR, S("unsupported"));
    end_with(v,
             &(rpc_refusal){.status = 400,
                            .code = RPC_MISSING_CAPABILITY,
                            .text = S("the server needs a client capability that was not declared"),
                            .data = buf_str(&data)});
}

static void failed_upstream(visit *v, str text)
{
    record_text(v->rec, FACT_ERROR, S("upstream"));
    end_with(v, &(rpc_refusal){.status = 200, .code = RPC_INTERNAL, .text = text});
}

/* `requests`: the value of inputRequests, or {0}; state {0}: none. */
static void require_input(visit *v, str requests, str state)
{
    struct subject_call *k = v->call;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_open_result(&b, v->msg.id);
    buf_put(&b, S("{\"resultType\":\"input_required\""));
    if (requests.n) {
        buf_put(&b, S(",\"inputRequests\":"));
        buf_put(&b, requests);
    }
    if (state.n) {
        buf_put(&b, S(",\"requestState\":"));
        buf_json(&b, state);
    }
    buf_put(&b, S(",\"_meta\":{\"" DIALECT_PREFIX "serverInfo\":"));
    dialect_put_server_info(&b, &v->q);
    buf_put(&b, S("}}"));
    rpc_close_result(&b);
    k->body = buf_str(&b);
    k->status = 200;
    k->over = true;
    corridor_wake(v, FLOW_WOKEN);
}

/* The client's state */

static state_bond bond_of(const visit *v)
{
    dialect_context c = corridor_context(v);
    return (state_bond){.caller_id = c.bond.caller_id,
                        .endpoint = c.bond.endpoint,
                        .method = v->q.method->name,
                        .subject = v->call->public_name,
                        .arguments = v->q.arguments};
}

static str seal_state(visit *v, request_state *made)
{
    state_bond bond = bond_of(v);
    made->round = v->call->rounds < 255 ? v->call->rounds + 1 : 255;
    made->expires_ms = v->now_ms + STATE_LIFE_MS;
    return state_seal(v->w->shared->seals, v->a, made, &bond);
}

/* Parked calls */

static void on_input(void *owner, js_value requests, const parked_name *name)
{
    visit *v = owner;
    request_state made = {.kind = STATE_PARKED,
                          .instance = v->w->shared->instance,
                          .parked = name->call};
    memcpy(made.nonce, name->nonce, sizeof made.nonce);
    v->call->waits = false;
    v->call->rounds = name->round;
    require_input(v, requests.raw, seal_state(v, &made));
}

/* Each round has a level of its own; the server knows the first one's. */
static void on_notice(void *owner, str method, js_value params)
{
    const visit *v = owner;
    bool is_message = str_eq(method, S("notifications/message"));
    int level = mcp_level_of(js_text(v->a, js_get(params, S("level"))));
    if (!is_message || level >= mcp_level_of(v->q.log_level))
        call_hears.notice(owner, method, params);
}

static void on_done(void *owner, js_value result, js_value error, const err *why)
{
    visit *v = owner;
    v->call->waits = false;
    call_hears.done(owner, result, error, why);
}

static void on_lost(void *owner)
{
    visit *v = owner;
    v->call->waits = false;
    record_text(v->rec, FACT_ERROR, S("malformed"));
    end_with(v, &(rpc_refusal){.status = 200,
                               .code = RPC_INVALID_PARAMS,
                               .text = S("requestState invalid or expired")});
}

static const parked_events awaits = {.input = on_input,
                                     .notice = on_notice,
                                     .done = on_done,
                                     .lost = on_lost};

static parked_waiter waiter_of(visit *v)
{
    return (parked_waiter){.w = v->w, .type = &call_type, .self = v->call->self, .ev = &awaits};
}

/* The link is not cancelled here, though the call is over: its event is still running. */
static bool park(visit *v, const link_question *q)
{
    struct subject_call *k = v->call;
    parked_waiter who = waiter_of(v);
    if (!parked_begin(&who, v->who->id, k->link, q, &k->parked)) {
        failed_upstream(v, S("too many calls wait for answers"));
        return false;
    }
    k->link = NULL;
    k->waits = true;
    charge_park(v);
    hearing_park(v, &k->parked);
    return true;
}

static flow_go resume(visit *v, const request_state *state, js_value answers)
{
    struct subject_call *k = v->call;
    if (state->instance != v->w->shared->instance) return FLOW_FAIL;
    k->parked = (parked_name){.call = state->parked, .round = state->round - 1};
    memcpy(k->parked.nonce, state->nonce, sizeof k->parked.nonce);
    k->waits = true;
    parked_waiter who = waiter_of(v);
    parked_resume(&who, v->who->id, &k->parked, answers);
    return FLOW_WAIT;
}

static void go_on_with_theirs(visit *v, const request_state *state, js_value answers)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    bool any = false;
    if (answers.kind == JS_OBJECT) dialect_put_member(&b, S("inputResponses"), answers.raw, &any);
    if (state) {
        dialect_put_member(&b, S("requestState"), (str){0}, &any);
        buf_json(&b, state->theirs);
    }
    v->call->again = buf_str(&b);
}

static flow_go no_such_state(visit *v)
{
    return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, S("requestState invalid or expired"));
}

bool call_is_paid_for(visit *v)
{
    str text = js_text(v->a, v->q.request_state);
    request_state state = {0};
    state_bond bond = bond_of(v);
    if (v->q.speaks != &dialect_modern || v->q.request_state.kind != JS_STRING ||
        !state_open(v->w->shared->seals, v->a, text, &bond, v->now_ms, &state))
        return false;
    if (state.kind == STATE_PARKED) return state.instance == v->w->shared->instance;
    return state.paid && ticket_take(v->w->shared, state.nonce, &v->call->charge);
}

flow_go call_take_round(visit *v)
{
    if (v->q.speaks != &dialect_modern || !may_ask_in_between(v)) return FLOW_NEXT;
    js_value text = v->q.request_state, answers = v->q.input_responses;
    request_state state = {0};
    if (text.kind == JS_ABSENT) {
        go_on_with_theirs(v, NULL, answers);
        return FLOW_NEXT;
    }
    state_bond bond = bond_of(v);
    if (text.kind != JS_STRING ||
        !state_open(v->w->shared->seals, v->a, js_text(v->a, text), &bond, v->now_ms, &state))
        return no_such_state(v);
    v->call->rounds = state.round;
    if (state.kind == STATE_PARKED)
        return resume(v, &state, answers) == FLOW_WAIT ? FLOW_WAIT : no_such_state(v);
    if (state.kind == STATE_UPSTREAM) go_on_with_theirs(v, &state, answers);
    if (state.kind == STATE_ASKED) go_on_with_theirs(v, NULL, answers);
    return FLOW_NEXT;
}

/* What servers say */

bool call_asked(void *owner, const link_question *q)
{
    visit *v = owner;
    if (v->call->over || follows_task(v)) return false;
    return v->q.speaks == &dialect_modern ? park(v, q) : round_asks(v, q);
}

void call_withdrawn(void *owner, str id)
{
    round_withdraws(owner, id);
}

/* What is asked for beyond what was declared; ~0: not a set of questions at all. */
static unsigned missing(visit *v, js_value requests)
{
    unsigned bits = 0, n = 0;
    for (js_iter it = js_iterate(requests); js_next(&it);) {
        str method = js_text(v->a, js_get(it.value, S("method")));
        unsigned needed = capability_needed(method, js_get(it.value, S("params")));
        if (!needed || ++n > REQUESTS_MOST) return ~0U;
        bits |= needed & ~call_can_ask(v);
    }
    return bits;
}

/* Nothing of it waits here. Where there is no room, and where server and client go on and on, it is
 * paid for now, and again with the answers. */
static void keep_paid(visit *v, request_state *made)
{
    made->paid = v->call->rounds < PAID_ROUNDS &&
                 ticket_keep(v->w, v->who->id, &v->call->charge, made->nonce);
}

static void pass_on(visit *v, js_value result)
{
    js_value requests = js_get(result, S("inputRequests"));
    js_value theirs = js_get(result, S("requestState"));
    unsigned lack = missing(v, requests);
    bool asks = requests.kind == JS_OBJECT, has_state = theirs.kind == JS_STRING;
    request_state made = {.kind = has_state ? STATE_UPSTREAM : STATE_ASKED,
                          .theirs = js_text(v->a, theirs)};
    if (lack == ~0U || (!asks && !has_state)) {
        failed_upstream(v, S("the upstream asked for nonsense"));
    } else if (lack) {
        lacks(v, lack);
    } else {
        keep_paid(v, &made);
        bool carries = has_state || made.paid;
        str state = carries ? seal_state(v, &made) : (str){0};
        if (carries && !state.n)
            failed_upstream(v, S("the upstream's state is too long"));
        else
            require_input(v, asks ? requests.raw : (str){0}, state);
    }
}

void call_wants_input(visit *v, js_value result)
{
    if (!may_ask_in_between(v))
        failed_upstream(v, S("upstream returned unsupported result type"));
    else if (v->q.speaks == &dialect_modern)
        pass_on(v, result);
    else
        round_begins(v, result);
}

static bool put_addresses(visit *v, buf *b, js_value list)
{
    unsigned n = 0;
    buf_put(b, S("{"));
    for (js_iter it = js_iterate(list); js_next(&it);) {
        bool url = js_text_is(js_get(it.value, S("mode")), S("url")) &&
                   js_get(it.value, S("url")).kind == JS_STRING;
        if (!url || n == REQUESTS_MOST) return false;
        buf_fmt(b, "%s\"url%u\":{\"method\":\"elicitation/create\",\"params\":", n ? "," : "",
                n + 1);
        n++;
        if (!inquiry_put(v->a, b, S("elicitation/create"), it.value, MCP_2026_07_28)) return false;
        buf_put(b, S("}"));
    }
    buf_put(b, S("}"));
    return n > 0;
}

/* The call is made anew when the client comes back; how often is bounded. */
bool call_wants_address(visit *v, js_value error)
{
    int64_t code;
    if (v->q.speaks != &dialect_modern || !may_ask_in_between(v) ||
        !js_int(js_get(error, S("code")), &code) || code != RPC_URL_ELICITATION)
        return false;
    buf b = buf_new(v->a, INQUIRY_MOST);
    if (v->call->rounds >= AGAIN_MOST ||
        !put_addresses(v, &b, js_get(js_get(error, S("data")), S("elicitations"))))
        return false;
    if (!(call_can_ask(v) & CAN_ELICIT_URL)) {
        lacks(v, CAN_ELICIT_URL);
        return true;
    }
    request_state made = {.kind = STATE_AGAIN};
    keep_paid(v, &made);
    require_input(v, buf_str(&b), seal_state(v, &made));
    return true;
}

bool call_lacked(visit *v, unsigned bits, js_value result, js_value error)
{
    bool is_error = js_bool(js_get(result, S("isError")), false);
    bits &= ~call_can_ask(v);
    if (!bits || v->q.speaks != &dialect_modern || (error.kind == JS_ABSENT && !is_error))
        return false;
    call_ask_end(v);
    lacks(v, bits);
    return true;
}

void call_ask_end(visit *v)
{
    struct subject_call *k = v->call;
    round_end(v);
    if (!k->waits) return;
    parked_waiter who = waiter_of(v);
    parked_leave(&who, &k->parked);
    k->waits = false;
}
