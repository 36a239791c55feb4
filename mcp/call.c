/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - one call about one subject: what it names, where that is, whether the rules permit it.
 *
 * A subject that may not be seen is answered by the same bytes as one that does not exist, so the
 * header checks that need its schema come only after the rules have spoken. */
#include "call.h"
#include "../authz/policy/mask.h"
#include "../base/uri.h"
#include "call_ask.h"
#include "name.h"
#include "pins.h"
#include "question_of.h"
#include "reply.h"
#include "resource_metadata.h"
#include "task_follow.h"

enum { URI_MOST = 8192 };

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
    if (!call_is_uri(k)) {
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
    return call_is_uri(v->call) ? S("resources/read") : S("prompts/get");
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
    q->is_template = k->completes && call_is_uri(k) && uri_is_template(k->own);
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

static const flow_step attempt_steps[] = {
    {.name = "resolve", .run = resolve},      /* public name or URI -> server + its own */
    {.name = "authorize", .run = authorize},  /* question -> verdict */
    {.name = "reserve", .run = reserve},      /* room in every quota, once */
    {.name = "forward", .run = call_forward}, /* starts the call, waits, streams notices */
    {0},
};
static const flow_step call_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "attempt", .sub = attempt_steps, .most = 2}, /* again when its schema was an old one */
    {.name = "relay", .run = call_relay},                 /* the answer, with back-pressure */
    {0},
};
const flow_step call_look_steps[] = {
    {.name = "resolve", .run = resolve},
    {.name = "authorize", .run = authorize},
    {.name = "forward", .run = call_forward},
    {.name = "relay", .run = call_relay},
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
