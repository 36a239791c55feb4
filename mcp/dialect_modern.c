/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_modern.c - MCP 2026-07-28: every request carries its own context.
 *
 * The envelope is in params._meta and the headers repeat it, so that a proxy may route without
 * reading bodies; both must agree. The checks stand in one fixed order, since what a
 * client is told first is part of the contract (a missing _meta is told before a missing
 * header, an unknown version before an unknown method).
 * A session header, a Last-Event-ID: ignored, as the revision demands. */
#include "dialect.h"
#include "level.h"
#include "mirror.h"

static bool refused(rpc_refusal *no, int code, str text)
{
    *no = (rpc_refusal){.status = 400, .code = code, .text = text};
    return false;
}

static bool check_version(const dialect_context *c, const dialect_request *q, rpc_refusal *no)
{
    if (q->meta.version.kind != JS_STRING)
        return refused(no, RPC_INVALID_PARAMS,
                       S("params._meta must hold " DIALECT_PREFIX "protocolVersion"));
    str asked = js_text(c->a, q->meta.version), sent = dialect_version_header(c->headers);
    if (!sent.p) return refused(no, RPC_HEADER_MISMATCH, S("MCP-Protocol-Version is missing"));
    if (!str_eq(sent, asked))
        return refused(no, RPC_HEADER_MISMATCH, S("MCP-Protocol-Version differs from the body"));
    if (mcp_version_of(asked) == MCP_2026_07_28) return true;
    buf data = buf_new(c->a, 1024 + 6 * asked.n);
    buf_put(&data, S("{\"supported\":[\"2026-07-28\"],\"requested\":"));
    buf_json(&data, asked);
    buf_put(&data, S("}"));
    *no = (rpc_refusal){.status = 400,
                        .code = RPC_UNSUPPORTED_VERSION,
                        .text = S("Unsupported protocol version"),
                        .data = buf_str(&data)};
    return false;
}

/* The member Mcp-Name repeats; false when the method has none. */
static bool named(const rpc_message *m, const dialect_request *q, js_value *name)
{
    if (!q->method || !q->method->subject.n || str_eq(q->method->subject, S("ref"))) return false;
    *name = str_eq(q->method->subject, S("name")) ? q->name : js_get(m->params, q->method->subject);
    return true;
}

static bool check_headers(const dialect_context *c, const rpc_message *m, const dialect_request *q,
                          rpc_refusal *no)
{
    str method = header_get(c->headers, S("mcp-method")), name, text;
    if (!method.p) return refused(no, RPC_HEADER_MISMATCH, S("Mcp-Method is missing"));
    if (!str_eq(dialect_trim(method), m->method))
        return refused(no, RPC_HEADER_MISMATCH, S("Mcp-Method differs from the body"));
    js_value body = {0};
    if (!named(m, q, &body)) return true;
    name = header_get(c->headers, S("mcp-name"));
    if (!name.p) return refused(no, RPC_HEADER_MISMATCH, S("Mcp-Name is missing"));
    if (!mirror_decode(c->a, name, &text))
        return refused(no, RPC_HEADER_MISMATCH, S("Mcp-Name is badly encoded"));
    if (body.kind != JS_STRING || !str_eq(text, js_text(c->a, body)))
        return refused(no, RPC_HEADER_MISMATCH, S("Mcp-Name differs from the body"));
    return true;
}

static bool read_context(const dialect_context *c, dialect_request *q, rpc_refusal *no)
{
    if (q->meta.capabilities.kind != JS_OBJECT)
        return refused(no, RPC_INVALID_PARAMS,
                       S("params._meta must hold " DIALECT_PREFIX "clientCapabilities"));
    q->client_name = js_text(c->a, js_get(q->meta.client_info, S("name")));
    q->client_version = js_text(c->a, js_get(q->meta.client_info, S("version")));
    if (q->meta.log_level.kind == JS_ABSENT) return true;
    q->log_level = js_text(c->a, q->meta.log_level);
    if (mcp_level_of(q->log_level) == MCP_LEVEL_UNKNOWN)
        return refused(no, RPC_INVALID_PARAMS, S("unknown log level"));
    return true;
}

static bool read(const dialect_context *c, const rpc_message *m, dialect_request *q,
                 rpc_refusal *no)
{
    q->version = MCP_2026_07_28;
    if (m->kind != RPC_REQUEST) return true; /* accepted and ignored, no headers are defined */
    if (!check_version(c, q, no) || !check_headers(c, m, q, no) || !read_context(c, q, no))
        return false;
    if (mcp_method_is_served(q->method)) return true;
    *no = (rpc_refusal){.status = 404, .code = RPC_METHOD_NOT_FOUND, .text = S("Method not found")};
    return false;
}

/* What every result ends with; `meta`: what a server said beside it. */
static void put_tail(arena *a, buf *b, const dialect_request *q, js_value meta, bool any)
{
    buf_put(b, any ? S(",\"resultType\":\"complete\",\"_meta\":{")
                   : S("\"resultType\":\"complete\",\"_meta\":{"));
    any = false;
    if (meta.kind == JS_OBJECT) dialect_put_meta(a, b, meta, &any);
    buf_put(b,
            any ? S(",\"" DIALECT_PREFIX "serverInfo\":") : S("\"" DIALECT_PREFIX "serverInfo\":"));
    dialect_put_server_info(b, q);
    buf_put(b, S("}}"));
}

static void put_hints(buf *b, const dialect_hints *hints, bool any)
{
    buf_put(b, any ? S(",\"ttlMs\":") : S("\"ttlMs\":"));
    buf_int(b, hints->ttl_ms > 0 ? hints->ttl_ms : 0);
    buf_put(b,
            hints->is_private ? S(",\"cacheScope\":\"private\"") : S(",\"cacheScope\":\"public\""));
}

static bool is_hint(const js_iter *it)
{
    return js_key_is(it, S("ttlMs")) || js_key_is(it, S("cacheScope"));
}

static void write_result(buf *b, const dialect_request *q, js_value result,
                         const dialect_hints *hints)
{
    js_value meta = {0};
    bool any = false;
    buf_put(b, S("{"));
    for (js_iter it = js_iterate(result); js_next(&it);) {
        if (js_key_is(&it, S("_meta")))
            meta = it.value;
        else if (!js_key_is(&it, S("resultType")) && !is_hint(&it))
            dialect_put_member(b, it.key, it.value.raw, &any);
    }
    if (hints) put_hints(b, hints, any);
    put_tail(b->a, b, q, meta, any || hints);
}

static void write_made(buf *b, const dialect_request *q, str members, const dialect_hints *hints)
{
    buf_put(b, S("{"));
    buf_put(b, members);
    if (hints) put_hints(b, hints, members.n > 0);
    put_tail(NULL, b, q, (js_value){0}, members.n > 0 || hints);
}

const dialect dialect_modern = {
    .name = {"modern", 6},
    .era = ERA_IS_MODERN,
    .no_method_status = 404,
    .read = read,
    .write_result = write_result,
    .write_made = write_made,
};
