/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c - what the gateway answers by itself: the handshakes of both eras, ping, notifications.
 *
 * Capabilities are what is served here and some server behind this endpoint has. So a handshake
 * waits, as a list does, for servers that were never shaken hands with; one that cannot be reached
 * may have anything, for it may come back. */
#include "../authz/digest.h"
#include "capability.h"
#include "channel.h"
#include "client_request.h"
#include "corridor.h"
#include "inflight.h"
#include "level.h"
#include "offer.h"
#include "reply.h"
#include "session_state.h"

enum { DISCOVER_TTL_MS = 60000, ALL_INSTRUCTIONS_MOST = 64 << 10 };

static void put_capabilities(const visit *v, buf *b)
{
    unsigned offers = 0;
    bool logs = false;
    for (upstream *const *u = v->rq.endpoint->servers; *u; u++) {
        offers |= offer_of(*u);
        logs = logs || offer_logs(*u) || !offer_is_known(*u);
    }
    buf_put(b, S("\"capabilities\":{\"tools\":{\"listChanged\":true}"));
    if (offers & OFFER_PROMPTS) buf_put(b, S(",\"prompts\":{\"listChanged\":true}"));
    if (offers & OFFER_RESOURCES)
        buf_put(b, S(",\"resources\":{\"subscribe\":true,\"listChanged\":true}"));
    if (offers & OFFER_COMPLETIONS) buf_put(b, S(",\"completions\":{}"));
    if (logs) buf_put(b, S(",\"logging\":{}"));
    if (v->q.speaks == &dialect_modern)
        buf_put(b, S(",\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}"));
    buf_put(b, S("}"));
}

/* With several servers each has a heading, since one may speak of "this server". */
static void put_instructions(const visit *v, buf *b)
{
    upstream *const *servers = v->rq.endpoint->servers;
    bool several = servers[0] && servers[1];
    buf all = buf_new(v->a, SIZE_MAX / 2);
    for (upstream *const *u = servers; *u; u++) {
        str said = offer_instructions(*u, v->a);
        if (!said.n || said.n > ALL_INSTRUCTIONS_MOST - all.n) continue;
        if (all.n) buf_put(&all, S("\n\n"));
        if (several) buf_fmt(&all, "# " STR_FMT "\n\n", STR_ARG(upstream_spec_of(*u)->name));
        buf_put(&all, said);
    }
    if (!all.n) return;
    buf_put(b, S(",\"instructions\":"));
    buf_json(b, buf_str(&all));
}

/* What was only supposed of a server is not to be kept. */
static bool all_are_known(const visit *v)
{
    upstream *const *u = v->rq.endpoint->servers;
    while (*u && offer_is_known(*u)) u++;
    return !*u;
}

static flow_go discover(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    dialect_hints hints = {.ttl_ms = all_are_known(v) ? DISCOVER_TTL_MS : 0};
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("\"supportedVersions\":[\"2026-07-28\"],"));
    put_capabilities(v, &b);
    put_instructions(v, &b);
    reply_made(v, buf_str(&b), &hints);
    return FLOW_DONE;
}

static flow_go ping(void *x, flow_why why)
{
    (void)why;
    reply_made(x, (str){0}, NULL);
    return FLOW_DONE;
}

/* The version asked for when it is of this era and known, else our latest of it: never an error. */
static mcp_version negotiate(arena *a, js_value asked)
{
    mcp_version v = mcp_version_of(js_text(a, asked));
    return v < MCP_2026_07_28 ? v : MCP_2025_11_25;
}

static flow_go initialize(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    js_value asked = js_get(v->msg.params, S("protocolVersion"));
    js_value info = js_get(v->msg.params, S("clientInfo"));
    if (asked.kind != JS_STRING)
        return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS,
                                    S("params.protocolVersion must be a string"));
    session made = {
        .version = negotiate(v->a, asked),
        .capabilities =
            capability_bits(js_get(v->msg.params, S("capabilities")), negotiate(v->a, asked)),
        .instance = v->w->shared->instance,
        .issued_ms = v->now_ms,
        .expires_ms = v->now_ms + SESSION_LIFE_MS,
        .client_name = js_text(v->a, js_get(info, S("name"))),
        .client_version = js_text(v->a, js_get(info, S("version"))),
    };
    digest_random(made.sid, sizeof made.sid);
    v->q.version = made.version;
    record_text(v->rec, FACT_MCP_PROTOCOL, mcp_version_names[made.version]);
    dialect_context c = corridor_context(v);
    str id = session_seal(c.seals, v->a, &made, c.bond);
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("\"protocolVersion\":\""));
    buf_put(&b, mcp_version_names[made.version]);
    buf_put(&b, S("\","));
    put_capabilities(v, &b);
    buf_put(&b, S(",\"serverInfo\":"));
    dialect_put_server_info(&b, &v->q);
    put_instructions(v, &b);
    if (v->channel) channel_begin(v->channel, id, &made);
    reply_made_with(v, (header){S("Mcp-Session-Id"), id}, buf_str(&b));
    return FLOW_DONE;
}

/* From here on this session's calls ask for messages of that level; another session's do not. */
static flow_go set_level(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    int level = mcp_level_of(js_text(v->a, js_get(v->msg.params, S("level"))));
    if (level == MCP_LEVEL_UNKNOWN)
        return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, S("unknown log level"));
    str share = caller_share(v->a, v->who, v->rec->v[FACT_PEER].text);
    if (!session_set_level(v->w->shared->sessions, &v->q.session, share, level)) {
        record_text(v->rec, FACT_LIMITED, S("sessions_per_caller"));
        return corridor_refuse_with(v, 429, RPC_LIMITED, S("too many sessions have settings"));
    }
    reply_made(v, (str){0}, NULL);
    return FLOW_DONE;
}

/* A notification or a response: taken, never answered. */
static flow_go accept(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    js_value id = js_get(v->msg.params, S("requestId"));
    if (v->q.has_session && str_eq(v->msg.method, S("notifications/cancelled")) &&
        id.kind != JS_ABSENT)
        inflight_cancel(v->w, &v->q.session, id.raw, v->who->id);
    if (v->q.has_session && v->msg.kind == RPC_RESPONSE)
        client_request_answer(v->w, &v->q.session, v->who->id, &v->msg);
    reply_empty(v, 202);
    return FLOW_DONE;
}

/* clang-format off */
static const flow_step discover_steps[] = {CORRIDOR_BEGIN, {.name = "acquaint", .run = list_acquaint}, {.name = "discover", .run = discover}, {0}};
static const flow_step ping_steps[] = {CORRIDOR_BEGIN, {.name = "ping", .run = ping}, {0}};
static const flow_step level_steps[] = {CORRIDOR_BEGIN, {.name = "set level", .run = set_level}, {0}};
static const flow_step initialize_steps[] = {CORRIDOR_BEGIN, {.name = "acquaint", .run = list_acquaint}, {.name = "initialize", .run = initialize}, {0}};
static const flow_step notice_steps[] = {CORRIDOR_BEGIN, {.name = "accept", .run = accept}, {0}};
/* clang-format on */
const flow corridor_discover = {.name = "server/discover",
                                .steps = discover_steps,
                                .on_gone = FLOW_DETACH,
                                CORRIDOR_ENDS};
const flow corridor_ping = {.name = "ping", .steps = ping_steps, CORRIDOR_ENDS};
const flow corridor_initialize = {.name = "initialize",
                                  .steps = initialize_steps,
                                  .on_gone = FLOW_DETACH,
                                  CORRIDOR_ENDS};
const flow corridor_notice = {.name = "notice", .steps = notice_steps, CORRIDOR_ENDS};
const flow corridor_set_level = {.name = "logging/setLevel", .steps = level_steps, CORRIDOR_ENDS};
