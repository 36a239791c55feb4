/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - tools/call: find the tool, ask the rules, call the server, bring back what it says.
 *
 * The client's arguments travel as the bytes they are; everything around them is written anew.
 * A tool that may not be seen is answered by the same bytes as one that does not exist, so the
 * header checks that need its schema come only after the rules have spoken.
 * The head of the answer waits for the first thing to say: when that is the result, it is a
 * plain JSON reply; when it is progress or a log message, it is an event stream that ends with
 * the result.
 * A client that leaves cancels the call, in both eras: there is no resuming yet. */
#include "call.h"
#include "../base/clock.h"
#include "../transport/sse.h"
#include "call_ask.h"
#include "forward.h"
#include "mirror.h"
#include "name.h"
#include "pins.h"
#include "question_of.h"
#include "reply.h"
#include "resource_metadata.h"
#include "round.h"
#include "shelf.h"

enum { CHUNK = 16 << 10 };

const char call_type = 0; /* its address marks our handles */

static str server_name(const upstream *u)
{
    return upstream_spec_of(u)->name;
}

/* Shortened names cannot be cut back: each long one is made again and compared. */
static const catalog_tool *find_tool(visit *v, const catalog *c, upstream *u, str own)
{
    struct tool_call *k = v->call;
    const catalog_tool *t = catalog_find(c, own);
    bool prefixed = v->rq.endpoint->naming == NAMING_PREFIX;
    size_t room = NAME_MOST - 2 - server_name(u).n;
    if (t && (!prefixed || own.n <= room)) return t;
    if (!prefixed || !name_is_shortened(k->public_name)) return NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (c->tools[i].name.n <= room) continue;
        str made = name_public(v->a, NAMING_PREFIX, server_name(u), c->tools[i].name);
        if (str_eq(made, k->public_name)) return &c->tools[i];
    }
    return NULL;
}

/* WAIT while its catalog is fetched; NEXT: looked, k->tool may be set. */
static bool knows(visit *v, const catalog *c, upstream *u, str own)
{
    return c && find_tool(v, c, u, own);
}

static flow_go look_in(visit *v, upstream *u, str own)
{
    struct tool_call *k = v->call;
    catalog_view view = catalog_want(v->w, u, v->run.self, k->asked);
    if (view.pending &&
        !knows(v, view.now, u, own)) { /* a list that has it is good enough to call by */
        if (view.now) catalog_drop(view.now);
        k->asked = true;
        return FLOW_WAIT;
    }
    k->asked = false;
    if (!view.now) {
        record_text(v->rec, FACT_MISSING, server_name(u));
        return FLOW_NEXT;
    }
    const catalog_tool *t = find_tool(v, view.now, u, own);
    if (!t || k->tool) {
        k->clash = k->clash || t;
        catalog_drop(view.now);
        return FLOW_NEXT;
    }
    k->known = view.now;
    k->tool = t;
    k->to = u;
    return FLOW_NEXT;
}

static flow_go unknown_tool(visit *v)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("Unknown tool: "));
    buf_put(&b, v->call->public_name);
    return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, buf_str(&b));
}

static flow_go resolve_prefixed(visit *v)
{
    str_pair cut = name_split(v->call->public_name);
    for (upstream *const *u = v->rq.endpoint->servers; cut.ok && *u; u++)
        if (str_eq(server_name(*u), cut.head)) return look_in(v, *u, cut.tail);
    return FLOW_NEXT;
}

/* Every server is asked, since a name that two have belongs to neither. */
static flow_go resolve_bare(visit *v)
{
    struct tool_call *k = v->call;
    for (; v->rq.endpoint->servers[k->asking]; k->asking++)
        if (look_in(v, v->rq.endpoint->servers[k->asking], k->public_name) == FLOW_WAIT)
            return FLOW_WAIT;
    if (k->clash) k->tool = NULL;
    if (k->clash && shelf_clash_is_new(v->w->shelves, k->public_name))
        log_say(v->w->shared->log, LOG_WARN_LEVEL, "two servers have a tool of the same name",
                (log_fact[]){{"tool", k->public_name}, {0}});
    return FLOW_NEXT;
}

static void note_tool(visit *v)
{
    struct tool_call *k = v->call;
    str server = server_name(k->to), tool = k->tool->name;
    char *p = arena_bytes(v->a, server.n + 1 + tool.n);
    memcpy(p, server.p, server.n);
    p[server.n] = '/';
    memcpy(p + server.n + 1, tool.p, tool.n);
    record_text(v->rec, FACT_TOOL, (str){p, server.n + 1 + tool.n});
    record_text(v->rec, FACT_SERVER, server);
}

static bool is_withheld(const visit *v)
{
    const struct tool_call *k = v->call;
    return !pins_allow(v->rq.config->pins, v->w->shared, server_name(k->to), k->tool);
}

static flow_go resolve(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    if (!v->call) {
        if (v->q.name.kind != JS_STRING)
            return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS,
                                        S("params.name must be a string"));
        if (v->q.arguments.kind != JS_ABSENT && v->q.arguments.kind != JS_OBJECT)
            return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS,
                                        S("params.arguments must be an object"));
        v->call = NEW(v->a, struct tool_call);
        v->call->public_name = js_text(v->a, v->q.name);
    }
    flow_go go = v->rq.endpoint->naming == NAMING_PREFIX ? resolve_prefixed(v) : resolve_bare(v);
    if (go != FLOW_NEXT) return go;
    if (!v->call->tool || is_withheld(v)) return unknown_tool(v);
    note_tool(v);
    return FLOW_NEXT;
}

static flow_go only_scopes_missing(visit *v, const verdict *said)
{
    v->challenge = resource_scope_challenge(v->rq.config, v->rq.endpoint, v->x, said->scopes);
    return corridor_refuse_with(v, 403, RPC_FORBIDDEN, S("insufficient scope"));
}

static flow_go authorize(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    question q;
    verdict said = {0};
    question_of(v, v->q.method->acting, false, &q);
    question_about_tool(&q, server_name(v->call->to), v->call->tool);
    q.args = v->q.arguments;
    const mcp_config *c = v->rq.config;
    const audit_case asked = {c->rules, c->shadow, c->redact, &q, v->rq.endpoint->path};
    audit_decide(&v->w->shared->audit, &asked, v->a, &said);
    question_answered(v, &said);
    v->permitted = said.permit;
    if (said.permit) return FLOW_NEXT;
    if (said.why == DENIED_UNRECORDED) {
        record_text(v->rec, FACT_ERROR, S("unrecorded"));
        return corridor_refuse_with(v, 503, RPC_INTERNAL, S("calls cannot be recorded now"));
    }
    record_text(v->rec, FACT_ERROR, said.why == DENIED_SCHEMA ? S("schema") : S("forbidden"));
    if (said.why == DENIED_SCOPES && v->rq.endpoint->step_up) return only_scopes_missing(v, &said);
    if (!said.listed || said.why == DENIED_SCOPES) return unknown_tool(v);
    reply_json(v, 200, reply_tool_error(v, said.message.n ? said.message : S("denied by policy")));
    return FLOW_DONE;
}

static str params_of(const visit *v)
{
    const struct tool_call *k = v->call;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    (void)buf_need(&b, k->tool->name.n + v->q.arguments.raw.n + 40);
    buf_put(&b, S("\"name\":"));
    buf_json(&b, k->tool->name);
    if (v->q.arguments.kind == JS_OBJECT) {
        buf_put(&b, S(",\"arguments\":"));
        buf_put(&b, v->q.arguments.raw);
    }
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
    struct tool_call *k = v->call;
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
    struct tool_call *k = v->call;
    const upstream_spec *spec = upstream_spec_of(k->to);
    link_request rq = {
        .to = k->to,
        .method = S("tools/call"),
        .name = k->tool->name,
        .params = params_of(v),
        .meta = meta_of(v),
        .progress = v->q.meta.progress_token.kind != JS_ABSENT,
        .log_level = v->q.log_level,
        .input_schema = k->tool->input_schema,
        .arguments = v->q.arguments,
        .capabilities = call_can_ask(v),
        .again = k->again,
        .caller_id = v->who->id,
        .timeout_ms = spec->timeout_ms,
    };
    rq.repeatable = forward_may_repeat(spec, k->tool->annotations);
    forward_fill(v, spec, &rq);
    if (v->q.has_session) rq.session_id = session_text(v->a, &v->q.session);
    k->link = link_start(v->w, &rq, &call_type, k->self, &call_hears);
    if (!k->link && !k->over) call_hears.done(v, (js_value){0}, (js_value){0}, NULL);
}

/* Writes what waits for the stream; false: it is full, the flow is woken when it has room. */
static bool pump(visit *v)
{
    struct tool_call *k = v->call;
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
    struct tool_call *k = v->call;
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

static flow_go forward(void *x, flow_why why)
{
    visit *v = x;
    struct tool_call *k = v->call;
    if (why == FLOW_ENTER) {
        if (!v->permitted)
            return FLOW_FAIL; /* a table without `authorize`: our mistake, and closed */
        const char *wrong = NULL;
        if (v->q.speaks == &dialect_modern)
            wrong =
                mirror_params(v->a, exchange_headers(v->x), k->tool->input_schema, v->q.arguments);
        if (wrong)
            return corridor_refuse_with(v, 400, RPC_HEADER_MISMATCH, (str){wrong, strlen(wrong)});
        open_call(v);
        flow_go go = call_take_round(v);
        if (go == FLOW_FAIL) return go;
        if (go == FLOW_NEXT) start(v);
    }
    if (round_is_answered(v, &k->again)) start(v);
    if (why == FLOW_STOP && !k->over) return cancelled(v);
    if (k->over) return FLOW_NEXT;
    if (k->unsent.n == 0) return FLOW_WAIT;
    if (!k->out) k->out = reply_stream(v);
    (void)pump(v);
    return FLOW_WAIT;
}

static flow_go relay(void *x, flow_why why)
{
    visit *v = x;
    struct tool_call *k = v->call;
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

void call_end(visit *v)
{
    struct tool_call *k = v->call;
    call_ask_end(v);
    if (k->link) link_cancel(k->link);
    k->link = NULL;
    handle_drop(loop_handles(v->w->loop), k->self);
    inflight_remove(&k->entry);
    if (k->unsent.p) buf_free(&k->unsent);
    if (k->known) catalog_drop(k->known);
    k->known = NULL;
}

static const flow_step call_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "resolve", .run = resolve},     /* public name -> server + its own name */
    {.name = "authorize", .run = authorize}, /* question -> verdict */
    {.name = "forward", .run = forward},     /* starts the call, waits, streams notices */
    {.name = "relay", .run = relay},         /* the answer, with back-pressure */
    {0},
};
const flow corridor_tools_call = {.name = "tools/call", .steps = call_steps, CORRIDOR_ENDS};
