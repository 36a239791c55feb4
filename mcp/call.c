/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - one call about one subject: find it, ask the rules, call its server, bring back the
 * answer.
 *
 * The client's arguments travel as the bytes they are; everything around them is written anew.
 * A subject that may not be seen is answered by the same bytes as one that does not exist, so the
 * header checks that need its schema come only after the rules have spoken.
 * The head of the answer waits for the first thing to say: when that is the result, it is a
 * plain JSON reply; when it is progress or a log message, it is an event stream that ends with
 * the result.
 * A client that leaves cancels the call, in both eras: there is no resuming yet. */
#include "call.h"
#include "../authz/policy/mask.h"
#include "../base/clock.h"
#include "../base/uri.h"
#include "../transport/sse.h"
#include "call_ask.h"
#include "following.h"
#include "forward.h"
#include "mirror.h"
#include "name.h"
#include "offer.h"
#include "pins.h"
#include "question_of.h"
#include "reply.h"
#include "resource_metadata.h"
#include "round.h"
#include "task.h"
#include "task_follow.h"
#include "task_old.h"

enum { CHUNK = 16 << 10, URI_MOST = 8192 };

const char call_type = 0; /* its address marks our handles */

static str server_name(const upstream *u)
{
    return upstream_spec_of(u)->name;
}

/* Reading: what the params name, and whether they have the shape their method demands */

static flow_go wrong_params(visit *v, str text)
{
    return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, text);
}

static flow_go read_name(visit *v, catalog_kind kind)
{
    if (v->q.name.kind != JS_STRING) return wrong_params(v, S("params.name must be a string"));
    if (v->q.arguments.kind != JS_ABSENT && v->q.arguments.kind != JS_OBJECT)
        return wrong_params(v, S("params.arguments must be an object"));
    v->call->kind = kind;
    v->call->public_name = js_text(v->a, v->q.name);
    return FLOW_NEXT;
}

static flow_go read_uri(visit *v, js_value uri)
{
    struct subject_call *k = v->call;
    if (uri.kind != JS_STRING) return wrong_params(v, S("the uri must be a string"));
    k->public_name = js_text(v->a, uri);
    if (k->public_name.n > URI_MOST) return wrong_params(v, S("the uri is too long"));
    if (name_uri_is_doubtful(v->a, v->rq.endpoint->naming, k->public_name))
        return wrong_params(v, S("the uri is not spelled in its plain form"));
    return FLOW_NEXT;
}

/* completion/complete */
static flow_go read_reference(visit *v)
{
    struct subject_call *k = v->call;
    js_value ref = js_get(v->msg.params, S("ref"));
    js_value argument = js_get(v->msg.params, S("argument")), type = js_get(ref, S("type"));
    if (js_get(argument, S("name")).kind != JS_STRING ||
        js_get(argument, S("value")).kind != JS_STRING)
        return wrong_params(v, S("params.argument must have a name and a value"));
    k->completes = true;
    k->kind = CATALOG_TEMPLATES;
    if (js_text_is(type, S("ref/resource"))) return read_uri(v, js_get(ref, S("uri")));
    js_value name = js_get(ref, S("name"));
    if (!js_text_is(type, S("ref/prompt")) || name.kind != JS_STRING)
        return wrong_params(v, S("params.ref must name a prompt or a resource"));
    k->kind = CATALOG_PROMPTS;
    k->public_name = js_text(v->a, name);
    return FLOW_NEXT;
}

static flow_go read_subject(visit *v)
{
    const flow *serves = v->q.method->served;
    v->call = NEW(v->a, struct subject_call);
    if (serves == &corridor_tools_call) return read_name(v, CATALOG_TOOLS);
    if (serves == &corridor_prompts_get) return read_name(v, CATALOG_PROMPTS);
    if (serves == &corridor_complete) return read_reference(v);
    if (serves == &corridor_task) return task_follow_read(v);
    v->call->kind = CATALOG_RESOURCES;
    return read_uri(v, js_get(v->msg.params, S("uri")));
}

/* Resolving */

static bool is_uri(const struct subject_call *k)
{
    return k->kind == CATALOG_RESOURCES || k->kind == CATALOG_TEMPLATES;
}

str call_uri_data(const visit *v)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("{\"uri\":"));
    buf_json(&b, v->call->public_name);
    buf_put(&b, S("}"));
    return buf_str(&b);
}

void call_unknown(const visit *v, rpc_refusal *no)
{
    const struct subject_call *k = v->call;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    *no = (rpc_refusal){.status = 200, .code = RPC_INVALID_PARAMS};
    if (!is_uri(k)) {
        buf_put(&b, k->kind == CATALOG_TOOLS ? S("Unknown tool: ") : S("Unknown prompt: "));
        buf_put(&b, k->public_name);
        no->text = buf_str(&b);
        return;
    }
    no->text = S("Resource not found");
    no->data = call_uri_data(v);
    if (v->q.speaks == &dialect_legacy) no->code = RPC_RESOURCE_NOT_FOUND;
}

static flow_go unknown(visit *v)
{
    call_unknown(v, &v->no);
    return FLOW_FAIL;
}

static void note_subject(visit *v)
{
    static const fact facts[CATALOG_KINDS] = {FACT_TOOL, FACT_PROMPT, FACT_RESOURCE, FACT_RESOURCE};
    struct subject_call *k = v->call;
    str server = server_name(k->to);
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, server);
    buf_put(&b, S("/"));
    buf_put(&b, k->own);
    record_text(v->rec, facts[k->kind], buf_str(&b));
    record_text(v->rec, FACT_SERVER, server);
}

static bool is_withheld(const visit *v)
{
    const struct subject_call *k = v->call;
    return k->kind == CATALOG_TOOLS &&
           !pins_allow(v->rq.config->pins, v->w->shared, server_name(k->to), k->item);
}

static void forget_place(struct subject_call *k)
{
    if (k->known) catalog_drop(k->known);
    k->known = NULL;
    k->item = NULL;
    k->to = k->clash = NULL;
    k->asking = 0;
}

static flow_go resolve(void *x, flow_why why)
{
    visit *v = x;
    if (v->call && why == FLOW_ENTER) forget_place(v->call);
    if (!v->call && read_subject(v) != FLOW_NEXT) return FLOW_FAIL;
    flow_go go = call_find(v);
    if (go != FLOW_NEXT) return go;
    if (!v->call->to || is_withheld(v)) return unknown(v);
    note_subject(v);
    return FLOW_NEXT;
}

/* Deciding */

static str acting_of(const visit *v)
{
    if (!v->call->completes) return v->q.method->acting;
    return is_uri(v->call) ? S("resources/read") : S("prompts/get");
}

/* Completing is part of choosing: whoever might use it may be helped to. So it is asked as a list
 * is, and like a list it leaves no audit line: nobody acted yet. */
static void put_question(const visit *v, bool helps, question *q)
{
    const struct subject_call *k = v->call;
    question_of(v, acting_of(v), helps, q);
    if (k->kind == CATALOG_TOOLS)
        question_about_tool(q, server_name(k->to), k->item);
    else if (k->kind == CATALOG_PROMPTS)
        question_about(q, SUBJECT_PROMPT, server_name(k->to), k->own);
    else
        question_about(q, SUBJECT_RESOURCE, server_name(k->to), k->own);
    if (!helps) q->args = v->q.arguments;
    q->is_template = k->completes && is_uri(k) && uri_is_template(k->own);
}

static flow_go only_scopes_missing(visit *v, const verdict *said)
{
    v->challenge = resource_scope_challenge(v->rq.config, v->rq.endpoint, v->x, said->scopes);
    return corridor_refuse_with(v, 403, RPC_FORBIDDEN, S("insufficient scope"));
}

/* It is listed, so it may be said why not: to a model, where a model called it. */
static flow_go denied_openly(visit *v, const verdict *said)
{
    str text = said->message.n ? said->message : S("denied by policy");
    if (v->call->kind != CATALOG_TOOLS) return corridor_refuse_with(v, 200, RPC_FORBIDDEN, text);
    reply_json(v, 200, reply_tool_error(v, text));
    return FLOW_DONE;
}

static flow_go authorize(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    question q;
    verdict said = {0};
    put_question(v, v->call->completes || v->call->task_id.n, &q);
    const mcp_config *c = v->rq.config;
    const audit_case asked = {c->rules, c->shadow, c->redact, &q, v->rq.endpoint->path};
    if (v->call->completes)
        policy_decide(c->rules, &q, v->a, &said);
    else
        audit_decide(&v->w->shared->audit, &asked, v->a, &said);
    question_answered(v, &said);
    v->permitted = said.permit;
    if (said.permit) v->call->masks = policy_masks(c->rules, &q, v->a);
    if (said.permit) return FLOW_NEXT;
    if (said.why == DENIED_UNRECORDED) {
        record_text(v->rec, FACT_ERROR, S("unrecorded"));
        return corridor_refuse_with(v, 503, RPC_INTERNAL, S("calls cannot be recorded now"));
    }
    record_text(v->rec, FACT_ERROR, said.why == DENIED_SCHEMA ? S("schema") : S("forbidden"));
    if (said.why == DENIED_SCOPES && v->rq.endpoint->step_up) return only_scopes_missing(v, &said);
    if (!said.listed || said.why == DENIED_SCOPES) return unknown(v);
    return denied_openly(v, &said);
}

/* What goes on with a call that was paid for costs nothing more. */
static flow_go reserve(void *x, flow_why why)
{
    visit *v = x;
    question q;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (v->call->task_id.n || v->call->anew || call_is_paid_for(v)) return FLOW_NEXT;
    put_question(v, false, &q);
    return charge_take(v, &q);
}

/* Calling */

static void put_raw(buf *b, str key, js_value v)
{
    bool any = b->n > 0;
    if (v.kind != JS_ABSENT) dialect_put_member(b, key, v.raw, &any);
}

static str params_of(visit *v)
{
    const struct subject_call *k = v->call;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    (void)buf_need(&b, k->own.n + v->q.arguments.raw.n + 40);
    if (k->completes)
        buf_put(&b, is_uri(k) ? S("\"ref\":{\"type\":\"ref/resource\",")
                              : S("\"ref\":{\"type\":\"ref/prompt\","));
    buf_put(&b, is_uri(k) ? S("\"uri\":") : S("\"name\":"));
    buf_json(&b, k->own);
    if (k->completes) {
        buf_put(&b, S("}"));
        put_raw(&b, S("argument"), js_get(v->msg.params, S("argument")));
        put_raw(&b, S("context"), js_get(v->msg.params, S("context")));
    } else if (!is_uri(k)) {
        put_raw(&b, S("arguments"), v->q.arguments);
    }
    str task = task_params(v);
    if (task.n) buf_put(&b, S(","));
    buf_put(&b, task);
    return buf_str(&b);
}

static str meta_of(const visit *v)
{
    if (!v->q.meta.has_more) return (str){0};
    bool any = false;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    dialect_put_meta(v->a, &b, v->q.meta_raw, &any);
    return buf_str(&b);
}

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

link_request call_request_of(visit *v)
{
    struct subject_call *k = v->call;
    const upstream_spec *spec = upstream_spec_of(k->to);
    link_request rq = {
        .to = k->to,
        .method = v->q.method->name,
        .name = k->completes ? (str){0} : k->own,
        .params = params_of(v),
        .meta = meta_of(v),
        .progress = v->q.meta.progress_token.kind != JS_ABSENT,
        .log_level = v->q.log_level,
        .input_schema = k->item ? k->item->input_schema : (js_value){0},
        .arguments = v->q.arguments,
        .capabilities = call_can_ask(v),
        .again = k->again,
        .caller_id = v->who->id,
        .timeout_ms = spec->timeout_ms,
    };
    rq.hears_logs = hearing_works(v);
    rq.repeatable = forward_may_repeat(spec, k->item ? k->item->annotations : (js_value){0});
    forward_fill(v, spec, &rq);
    if (v->q.has_session) rq.session_id = session_text(v->a, &v->q.session);
    if (k->task_id.n) task_follow_fill(v, &rq);
    return rq;
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

static flow_go forward(void *x, flow_why why)
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

static flow_go relay(void *x, flow_why why)
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

static const flow_step attempt_steps[] = {
    {.name = "resolve", .run = resolve},     /* public name or URI -> server + its own */
    {.name = "authorize", .run = authorize}, /* question -> verdict */
    {.name = "reserve", .run = reserve},     /* room in every quota, once */
    {.name = "forward", .run = forward},     /* starts the call, waits, streams notices */
    {0},
};
static const flow_step call_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "attempt", .sub = attempt_steps, .most = 2}, /* again when its schema was an old one */
    {.name = "relay", .run = relay},                      /* the answer, with back-pressure */
    {0},
};
const flow_step call_look_steps[] = {
    {.name = "resolve", .run = resolve},
    {.name = "authorize", .run = authorize},
    {.name = "forward", .run = forward},
    {.name = "relay", .run = relay},
    {0},
};
static const flow_step subscribe_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "resolve", .run = resolve},
    {.name = "authorize", .run = authorize},
    {.name = "subscribe", .run = call_subscribe},
    {.name = "subscribed", .run = call_subscribed},
    {0},
};
const flow corridor_subscribe = {.name = "resources/subscribe",
                                 .steps = subscribe_steps,
                                 CORRIDOR_ENDS};
const flow corridor_tools_call = {.name = "tools/call", .steps = call_steps, CORRIDOR_ENDS};
const flow corridor_prompts_get = {.name = "prompts/get", .steps = call_steps, CORRIDOR_ENDS};
const flow corridor_resources_read = {.name = "resources/read", .steps = call_steps, CORRIDOR_ENDS};
const flow corridor_task = {.name = "tasks", .steps = call_steps, CORRIDOR_ENDS};
const flow corridor_complete = {.name = "completion/complete", .steps = call_steps, CORRIDOR_ENDS};
/* Their twins, which go on when the client is gone. */
const flow corridor_tools_call_kept = {.name = "tools/call",
                                       .steps = call_steps,
                                       .on_gone = FLOW_DETACH,
                                       CORRIDOR_ENDS};
const flow corridor_prompts_get_kept = {.name = "prompts/get",
                                        .steps = call_steps,
                                        .on_gone = FLOW_DETACH,
                                        CORRIDOR_ENDS};
const flow corridor_resources_read_kept = {.name = "resources/read",
                                           .steps = call_steps,
                                           .on_gone = FLOW_DETACH,
                                           CORRIDOR_ENDS};
