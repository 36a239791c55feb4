/* SPDX-License-Identifier: Apache-2.0 */
/* corridor.c - the steps every message takes, and its ends.
 *
 * A request starts in `entry`, whose list ends where reading ends. Reading knows the method, and
 * its row names the whole list; since all lists begin with the same steps, going over to
 * another one at that point is only looking at a longer copy of the same table. Who may go on
 * is decided here from the row alone (method.h): no step of any flow has a say in it, but
 * `authorize` where the row asks for a rule.
 * What can be refused by the head alone is refused before the body is asked for. */
#include "corridor.h"
#include "../base/clock.h"
#include "channel.h"
#include "level.h"
#include "reply.h"
#include "search.h"
#include "session_end.h"
#include "session_state.h"
#include "tape_sink.h"

static const flow_step entry_steps[] = {CORRIDOR_BEGIN, {0}};
static const flow entry = {.name = "mcp", .steps = entry_steps, CORRIDOR_ENDS};
const flow corridor_item = {.name = "mcp batch item", .steps = entry_steps, CORRIDOR_ENDS};

flow_go corridor_refuse_with(visit *v, int status, int code, str text)
{
    v->no = (rpc_refusal){.status = status, .code = code, .text = text};
    return FLOW_FAIL;
}

void corridor_wake(visit *v, flow_why why)
{
    flow_wake(loop_flows(v->w->loop), v->run.self, why);
}

static flow_go challenged(visit *v, const char *why)
{
    v->challenge = mcp_challenge(v->rq.config, v->rq.endpoint, v->x, why);
    return corridor_refuse_with(v, 401, RPC_UNAUTHENTICATED,
                                why ? S("the credential was not accepted")
                                    : S("a credential is needed"));
}

flow_go corridor_identify(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    if (v->who) return FLOW_NEXT; /* an item of a batch */
    const identity_services *services = &v->w->services;
    identity_detail detail = {0};
    bool may_wait = !v->asked_for_keys && services->want_keys;
    v->credential = identity_credential(v->a, exchange_headers(v->x));
    switch (identify(v->w->tokens, v->rq.config->who, v->credential, v->now_ms, may_wait, &v->who,
                     &detail)) {
    case IDENTITY_OK: break;
    case IDENTITY_NONE: return challenged(v, NULL);
    case IDENTITY_WANTS_KEYS:
        if (!may_wait) return challenged(v, "unknown key");
        v->asked_for_keys = true;
        services->want_keys(services->ctx, &detail, v->run.self);
        return FLOW_WAIT;
    case IDENTITY_BAD: return challenged(v, detail.why ? detail.why : "invalid token");
    case IDENTITY_AWAY:
        return corridor_refuse_with(v, 503, RPC_INTERNAL,
                                    S("the issuer of this token cannot be asked now"));
    }
    if (!v->who) return challenged(v, "invalid token");
    caller_own(v->a, v->who);
    record_text(v->rec, FACT_CALLER, v->who->id);
    return FLOW_NEXT;
}

bool corridor_tells_callers_apart(const mcp_config *c, subject_kind kind)
{
    return c->who->given != NULL || policy_depends_on_caller(c->rules, kind);
}

/* Endpoints may share a path when their hosts differ. */
str corridor_endpoint_text(const visit *v)
{
    const mcp_endpoint *e = v->rq.endpoint;
    if (!e->hosts || !e->hosts->p) return e->path;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, e->path);
    for (const str *h = e->hosts; h->p; h++) {
        buf_put(&b, S(" "));
        buf_put(&b, *h);
    }
    return buf_str(&b);
}

dialect_context corridor_context(const visit *v)
{
    return (dialect_context){
        .a = v->a,
        .headers = v->channel ? channel_headers(v) : exchange_headers(v->x),
        .seals = v->w->shared->seals,
        .revoked = v->w->shared->revoked,
        .bond = {.caller_id = v->who->id, .endpoint = corridor_endpoint_text(v)},
        .now_ms = v->now_ms,
        .server_name = v->rq.config->instance_name,
    };
}

/* DELETE ends a session of the old era; the modern era has none. */
static flow_go end_session(visit *v)
{
    dialect_context c = corridor_context(v);
    session s;
    if (mcp_version_is_modern(dialect_version_header(c.headers)))
        return corridor_refuse_with(v, 405, RPC_INVALID_REQUEST, S("there are no sessions to end"));
    if (!dialect_open_session(&c, &s, &v->no)) return FLOW_FAIL;
    session_end(v->w, &s, v->now_ms);
    reply_empty(v, 204);
    return FLOW_DONE;
}

/* The old era's stream for what belongs to no request, or the rest of one that broke. */
static flow_go open_stream(visit *v)
{
    dialect_context c = corridor_context(v);
    if (mcp_version_is_modern(dialect_version_header(c.headers)))
        return corridor_refuse_with(v, 405, RPC_INVALID_REQUEST, S("Method not allowed"));
    v->q.speaks = &dialect_legacy;
    if (v->rq.endpoint->sse && !exchange_header(v->x, S("mcp-session-id")).p) {
        v->permitted = true;
        flow_become(&v->run, &corridor_channel);
        return FLOW_NEXT;
    }
    if (!dialect_open_session(&c, &v->q.session, &v->no)) return FLOW_FAIL;
    v->q.has_session = v->permitted = true;
    v->q.version = v->q.session.version;
    v->q.client_name = v->q.session.client_name;
    v->q.client_version = v->q.session.client_version;
    record_text(v->rec, FACT_MCP_PROTOCOL, mcp_version_names[v->q.version]);
    bool again = exchange_header(v->x, S("last-event-id")).p != NULL;
    flow_become(&v->run, again ? &corridor_resume : &corridor_get);
    return FLOW_NEXT;
}

bool corridor_is_elsewhere(const visit *v, const upstream_spec *at)
{
    bool stays = at->kind == UPSTREAM_STDIO || at->isolation == ISOLATION_SESSION;
    return stays && v->q.has_session && v->q.session.instance != v->w->shared->instance;
}

static const struct {
    const flow *plain, *kept;
} twins[] = {
    {&corridor_tools_call, &corridor_tools_call_kept},
    {&corridor_prompts_get, &corridor_prompts_get_kept},
    {&corridor_resources_read, &corridor_resources_read_kept},
    {&corridor_get, &corridor_get_kept},
};

bool corridor_is_keepable(const visit *v)
{
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        if (v->run.f == twins[i].plain) return true;
    return false;
}

void corridor_keep(visit *v)
{
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        if (v->run.f != twins[i].plain) continue;
        flow_become(&v->run, twins[i].kept);
        return;
    }
}

static bool is_json(str type)
{
    str media = dialect_trim(str_cut(type, ';').head);
    return header_name_is(media, S("application/json"));
}

static flow_go body_refused(visit *v, const err *e)
{
    record_text(v->rec, FACT_ERROR_TEXT, e->text);
    exchange_close_after(v->x);
    if (e->kind == ERR_TOO_LARGE)
        return corridor_refuse_with(v, 413, RPC_INVALID_REQUEST, S("the body is too large"));
    if (e->kind == ERR_UNSUPPORTED)
        return corridor_refuse_with(v, 415, RPC_INVALID_REQUEST, S("the body must not be encoded"));
    return corridor_refuse_with(v, 400, RPC_INVALID_REQUEST, S("the body could not be read"));
}

/* NEXT: v->root is the checked body. */
static flow_go read_body(visit *v)
{
    str body;
    bool whole = false;
    const mcp_config *config = v->rq.config;
    const err *e = exchange_body(v->x, config->body_limit, &whole, &body);
    if (e) return body_refused(v, e);
    if (!whole) return FLOW_WAIT;
    if (!rpc_check(v->a, body, config->json_depth, &v->root, &v->no)) return FLOW_FAIL;
    return FLOW_NEXT;
}

static flow_go read_request(visit *v)
{
    const mcp_method *m = v->q.method;
    if (v->parent && m->served == &corridor_initialize)
        return corridor_refuse_with(v, 400, RPC_INVALID_REQUEST,
                                    S("initialize must not be in a batch"));
    v->permitted = m->needs == NEEDS_CALLER || m->needs == NEEDS_FILTER;
    const flow *searched = search_take(v);
    flow_become(&v->run, searched ? searched : m->served);
    return FLOW_NEXT;
}

static flow_go read_message(visit *v)
{
    dialect_context c = corridor_context(v);
    if (!rpc_read(v->a, v->root, &v->msg, &v->no)) return FLOW_FAIL;
    bool readable = dialect_read(&c, &v->msg, &v->q, &v->no);
    record_text(v->rec, FACT_MCP_METHOD,
                v->msg.kind == RPC_RESPONSE ? S("response") : str_take(v->msg.method, 128));
    if (!readable) return FLOW_FAIL;
    if (v->channel && v->q.speaks != &dialect_legacy)
        return corridor_refuse_with(v, 400, RPC_INVALID_REQUEST, S("the new era has no channels"));
    reply_accept(v);
    record_text(v->rec, FACT_MCP_PROTOCOL, mcp_version_names[v->q.version]);
    if (v->q.has_session) {
        int level = session_level(v->w->shared->sessions, &v->q.session);
        v->q.log_level = mcp_level_names[level == SESSION_LEVEL_NONE ? MCP_LEVEL_INFO : level];
    }
    if (v->msg.kind == RPC_REQUEST) return read_request(v);
    flow_become(&v->run, &corridor_notice);
    return FLOW_NEXT;
}

flow_go corridor_read(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    if (v->parent) return read_message(v);
    str verb = exchange_method(v->x);
    if (str_eq(verb, S("DELETE"))) return end_session(v);
    if (str_eq(verb, S("GET"))) return open_stream(v);
    if (!str_eq(verb, S("POST")))
        return corridor_refuse_with(v, 405, RPC_INVALID_REQUEST, S("Method not allowed"));
    if (!is_json(exchange_header(v->x, S("content-type"))))
        return corridor_refuse_with(v, 415, RPC_INVALID_REQUEST,
                                    S("Content-Type must be application/json"));
    if (v->rq.endpoint->sse && !v->channel && !channel_find(v, &v->channel))
        return corridor_refuse_with(v, 404, RPC_SESSION_NOT_FOUND, S("Session not found"));
    flow_go go = read_body(v);
    if (go != FLOW_NEXT) return go;
    if (v->root.kind != JS_ARRAY) return read_message(v);
    if (v->channel)
        return corridor_refuse_with(v, 400, RPC_INVALID_REQUEST, S("a channel takes no batches"));
    flow_become(&v->run, &corridor_batch);
    return FLOW_NEXT;
}

static str failure_name(const visit *v)
{
    switch (v->no.status) {
    case 401: return S("unauthenticated");
    case 403: return S("forbidden");
    case 404: return S("not_found");
    case 413: return S("too_large");
    case 415: return S("unsupported");
    case 429: return S("quota");
    default: break;
    }
    if (v->no.code == RPC_INTERNAL) return S("upstream");
    return v->no.code == RPC_METHOD_NOT_FOUND ? S("not_found") : S("malformed");
}

void corridor_refuse(void *x)
{
    visit *v = x;
    if (!v->no.status)
        v->no = (rpc_refusal){.status = 500, .code = RPC_INTERNAL, .text = S("Internal error")};
    if (!v->rec->v[FACT_ERROR].set) record_text(v->rec, FACT_ERROR, failure_name(v));
    if (!v->rec->v[FACT_ERROR_TEXT].set) record_text(v->rec, FACT_ERROR_TEXT, v->no.text);
    reply_refusal(v);
}

void corridor_settle(void *x)
{
    visit *v = x;
    if (v->call) call_end(v);
    if (v->list) list_end(v);
    if (v->listen) listen_end(v);
    if (v->resume) resume_end(v);
    if (v->kept) tape_sink_end(v);
    if (!v->status && !exchange_gone(v->x))
        corridor_refuse(v); /* a flow that forgot: our mistake */
    if (v->parent) {
        batch_item_over(v->parent);
        return;
    }
    if (exchange_gone(v->x) && !v->rec->v[FACT_ERROR].set)
        record_text(v->rec, FACT_ERROR, S("cancelled"));
    record_number(v->rec, FACT_DURATION_US, clock_mono_us() - exchange_started_us(v->x));
    if (v->rq.finished) v->rq.finished(v->rq.ctx, v->x);
}

void corridor_release(void *x)
{
    visit *v = x;
    if (v->parent || (v->listen && !listen_lets_go(v))) return;
    exchange_release(v->x);
}

void mcp_serve(mcp_worker *w, exchange *x, const mcp_request *rq)
{
    arena *a = exchange_arena(x);
    visit *v = NEW(a, visit);
    v->w = w;
    v->x = x;
    v->a = a;
    v->rec = exchange_record(x);
    v->rq = *rq;
    v->now_ms = clock_wall_ms();
    v->q.speaks = &dialect_modern;
    record_text(v->rec, FACT_DOOR, S("mcp"));
    if (!v->rec->v[FACT_PEER].set) record_text(v->rec, FACT_PEER, exchange_peer(x));
    record_text(v->rec, FACT_ENDPOINT, rq->endpoint->path);
    flow_start(&v->run, loop_flows(w->loop), &entry, v);
    exchange_attach(x, &v->run);
}
