/* SPDX-License-Identifier: Apache-2.0 */
/* link_message.c - writing and reading one JSON-RPC message.
 *
 * The gateway writes the envelope itself; only members its caller gives as bytes travel as they
 * are. In the modern era the envelope stands in params._meta of every request, in the legacy
 * era it was said once, at initialize. (MCP 2026-07-28 basic; reference revisions 2024-11-05 and
 * later.) */
#include "link_message.h"
#include "capability.h"
#include "level.h"

const err *link_message_read(arena *a, str text, link_message *out)
{
    js_value root;
    *out = (link_message){0};
    const err *e = js_check(a, text, LINK_DEPTH, &root);
    if (e) return e;
    if (root.kind != JS_OBJECT) return err_new(a, ERR_MALFORMED, "not a JSON-RPC message");
    for (js_iter it = js_iterate(root); js_next(&it);) {
        if (js_key_is(&it, S("id")))
            out->id = it.value;
        else if (js_key_is(&it, S("method")))
            out->method = it.value;
        else if (js_key_is(&it, S("params")))
            out->params = it.value;
        else if (js_key_is(&it, S("result")))
            out->result = it.value;
        else if (js_key_is(&it, S("error")))
            out->error = it.value;
    }
    bool answered = out->result.kind == JS_OBJECT, refused = out->error.kind == JS_OBJECT;
    if (out->method.kind == JS_STRING) {
        out->kind = out->id.kind == JS_ABSENT ? LINK_NOTICE : LINK_QUESTION;
    } else if (answered != refused) {
        out->kind = LINK_ANSWER;
        if (answered)
            out->error = (js_value){0};
        else
            out->result = (js_value){0};
    } else {
        return err_new(a, ERR_MALFORMED, "a message with neither method, result nor error");
    }
    return NULL;
}

bool link_message_answers(const link_message *m, int64_t id)
{
    int64_t theirs;
    return m->kind == LINK_ANSWER && js_int(m->id, &theirs) && theirs == id;
}

int64_t link_message_code(const link_message *m)
{
    int64_t code;
    return js_int(js_get(m->error, S("code")), &code) ? code : 0;
}

bool link_message_knows(js_value version)
{
    static const str known[] = {S("2025-11-25"), S("2025-06-18"), S("2025-03-26"), S("2024-11-05")};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (js_text_is(version, known[i])) return true;
    }
    return false;
}

bool link_message_modern(js_value result)
{
    for (js_iter it = js_iterate(js_get(result, S("supportedVersions"))); js_next(&it);) {
        if (js_text_is(it.value, LINK_MODERN)) return true;
    }
    return false;
}

static void head(buf *b, int64_t id, str method)
{
    buf_put(b, S("{\"jsonrpc\":\"2.0\","));
    if (id) {
        buf_put(b, S("\"id\":"));
        buf_int(b, id);
        buf_put(b, S(","));
    }
    buf_put(b, S("\"method\":"));
    buf_json(b, method);
    buf_put(b, S(",\"params\":{"));
}

static void member(buf *b, bool *first, str text)
{
    if (!text.n) return;
    if (!*first) buf_put(b, S(","));
    *first = false;
    buf_put(b, text);
}

#define CLIENT_INFO "{\"name\":\"sallyport\",\"version\":\"" SALLYPORT_VERSION "\"}"

static void meta(buf *b, upstream_era era, int64_t id, const link_request *rq)
{
    bool first = true;
    buf_put(b, S("\"_meta\":{"));
    if (era == ERA_MODERN) {
        member(b, &first,
               S("\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                 "\"io.modelcontextprotocol/clientInfo\":" CLIENT_INFO ","
                 "\"io.modelcontextprotocol/clientCapabilities\":"));
        capability_put(b, rq->capabilities, MCP_2026_07_28);
        if (rq->log_level.p) {
            member(b, &first, S("\"io.modelcontextprotocol/logLevel\":"));
            buf_json(b, rq->log_level);
        }
    }
    if (rq->progress) {
        member(b, &first, S("\"progressToken\":"));
        buf_int(b, id);
    }
    member(b, &first, rq->meta);
    buf_put(b, S("}"));
}

void link_message_request(buf *b, upstream_era era, int64_t id, const link_request *rq)
{
    head(b, id, rq->method);
    bool first = true;
    member(b, &first, rq->params);
    if (era == ERA_MODERN) member(b, &first, rq->again);
    if (era == ERA_MODERN || rq->progress || rq->meta.n) {
        if (!first) buf_put(b, S(","));
        meta(b, era, id, rq);
    }
    buf_put(b, S("}}"));
}

void link_message_initialize(buf *b, int64_t id, unsigned capabilities)
{
    head(b, id, S("initialize"));
    buf_put(b, S("\"protocolVersion\":\"2025-11-25\",\"capabilities\":"));
    capability_put(b, capabilities, MCP_2025_11_25);
    buf_put(b, S(",\"clientInfo\":" CLIENT_INFO "}}"));
}

void link_message_initialized(buf *b)
{
    buf_put(b, S("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
}

void link_message_level(buf *b, int64_t id, int level)
{
    head(b, id, S("logging/setLevel"));
    buf_put(b, S("\"level\":"));
    buf_json(b, mcp_level_names[level]);
    buf_put(b, S("}}"));
}

void link_message_cancelled(buf *b, int64_t id)
{
    head(b, 0, S("notifications/cancelled"));
    buf_fmt(b, "\"requestId\":%lld,\"reason\":\"the caller has gone\"}}", (long long)id);
}

void link_message_reply(buf *b, const link_message *asked)
{
    buf_put(b, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_put(b, asked->id.raw);
    if (js_text_is(asked->method, S("ping"))) {
        buf_put(b, S(",\"result\":{}}"));
    } else {
        buf_put(b, S(",\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}"));
    }
}

void link_message_say(buf *b, str id, str said)
{
    buf_put(b, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_put(b, id);
    buf_put(b, S(","));
    buf_put(b, said);
    buf_put(b, S("}"));
}

/* What lacks the members of its kind is none: clients check what they get. An unknown level is
 * never wanted. */
static bool log_wanted(arena *a, js_value params, str least)
{
    if (!least.p || js_get(params, S("data")).kind == JS_ABSENT) return false;
    int level = mcp_level_of(js_text(a, js_get(params, S("level"))));
    return level != MCP_LEVEL_UNKNOWN && level >= mcp_level_of(least);
}

/* The same object without one member. */
static js_value without(arena *a, js_value object, str name)
{
    buf b = buf_new(a, object.raw.n + 2);
    bool first = true;
    buf_put(&b, S("{"));
    for (js_iter it = js_iterate(object); js_next(&it);) {
        if (js_key_is(&it, name)) continue;
        buf_put(&b, first ? S("\"") : S(",\""));
        first = false;
        buf_put(&b, it.key);
        buf_put(&b, S("\":"));
        buf_put(&b, it.value.raw);
    }
    buf_put(&b, S("}"));
    return js_view(JS_OBJECT, buf_str(&b));
}

bool link_message_wanted(arena *a, const link_message *m, link_wanted want, str *method,
                         js_value *params)
{
    if (m->kind != LINK_NOTICE || m->params.kind != JS_OBJECT) return false;
    if (js_text_is(m->method, S("notifications/message"))) {
        *method = S("notifications/message");
        *params = m->params;
        return log_wanted(a, m->params, want.log_level);
    }
    if (!want.token || !js_text_is(m->method, S("notifications/progress"))) return false;
    int64_t token;
    if (!js_int(js_get(m->params, S("progressToken")), &token) || token != want.token) return false;
    if (js_get(m->params, S("progress")).kind != JS_NUMBER) return false;
    *method = S("notifications/progress");
    *params = without(a, m->params, S("progressToken"));
    return true;
}

void link_log_init(link_log *l, js_value initialized)
{
    js_value capabilities = js_get(initialized, S("capabilities"));
    l->has_log = js_get(capabilities, S("logging")).kind == JS_OBJECT;
    atomic_store(&l->told, MCP_LEVELS);
}

bool link_log_wants(link_log *l, str wanted, int *level)
{
    *level = wanted.p && l->has_log ? mcp_level_of(wanted) : MCP_LEVEL_UNKNOWN;
    if (*level == MCP_LEVEL_UNKNOWN) return false;
    int told = atomic_load(&l->told);
    while (*level < told)
        if (atomic_compare_exchange_weak(&l->told, &told, *level)) return true;
    return false;
}
