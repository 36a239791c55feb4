/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_legacy.c - MCP up to 2025-11-25: a session that was shaken hands for.
 *
 * The session's own version decides how things are said, not the version header, which only
 * has to name something we know. Newer shapes are said in older words
 * where there are any: structured content that is no object is wrapped as {"result": …}, links
 * become text, and what belongs to the modern hop alone is left out. */
#include "dialect.h"

static bool refused(rpc_refusal *no, int status, int code, str text)
{
    *no = (rpc_refusal){.status = status, .code = code, .text = text};
    return false;
}

bool dialect_open_session(const dialect_context *c, session *out, rpc_refusal *no)
{
    str id = header_get(c->headers, S("mcp-session-id"));
    if (!id.p) return refused(no, 400, RPC_INVALID_REQUEST, S("Mcp-Session-Id is missing"));
    id = dialect_trim(id);
    if (session_open(c->seals, c->a, id, c->bond, c->now_ms, out) &&
        !session_is_revoked(c->revoked, out))
        return true;
    return refused(no, 404, RPC_SESSION_NOT_FOUND, S("Session not found"));
}

static bool read(const dialect_context *c, const rpc_message *m, dialect_request *q,
                 rpc_refusal *no)
{
    str sent = dialect_version_header(c->headers);
    if (sent.p && mcp_version_of(sent) == MCP_VERSIONS)
        return refused(no, 400, RPC_INVALID_REQUEST, S("unsupported MCP-Protocol-Version"));
    if (m->kind == RPC_REQUEST && str_eq(m->method, S("initialize"))) {
        q->version = MCP_2025_11_25;
        return true;
    }
    if (!dialect_open_session(c, &q->session, no)) return false;
    q->has_session = true;
    q->version = q->session.version;
    q->client_name = q->session.client_name;
    q->client_version = q->session.client_version;
    if (m->kind != RPC_REQUEST || mcp_method_is_served(q->method)) return true;
    return refused(no, 200, RPC_METHOD_NOT_FOUND, S("Method not found"));
}

static bool is_envelope(const js_iter *it)
{
    return js_key_is(it, S("resultType")) || js_key_is(it, S("ttlMs")) ||
           js_key_is(it, S("cacheScope"));
}

/* A link to a resource, for clients that do not know the block: its address as text. */
static void put_link_as_text(arena *a, buf *b, js_value block)
{
    buf_put(b, S("{\"type\":\"text\",\"text\":"));
    buf_json(b, js_text(a, js_get(block, S("uri"))));
    buf_put(b, S("}"));
}

static void put_block(buf *b, const dialect_request *q, js_value block)
{
    js_value type = js_get(block, S("type"));
    if (js_text_is(type, S("resource_link")))
        put_link_as_text(b->a, b, block);
    else if (q->version < MCP_2025_03_26 && js_text_is(type, S("audio")))
        buf_put(b, S("{\"type\":\"text\",\"text\":\"[audio]\"}"));
    else
        buf_put(b, block.raw);
}

static void put_content(buf *b, const dialect_request *q, js_value content)
{
    bool any = false;
    if (content.kind != JS_ARRAY) {
        put_block(b, q, content);
        return;
    }
    buf_put(b, S("["));
    for (js_iter it = js_iterate(content); js_next(&it);) {
        if (any) buf_put(b, S(","));
        any = true;
        put_block(b, q, it.value);
    }
    buf_put(b, S("]"));
}

/* Of a prompt: each holds a block. */
static void put_messages(buf *b, const dialect_request *q, js_value messages)
{
    bool any = false;
    buf_put(b, S("["));
    for (js_iter it = js_iterate(messages); js_next(&it);) {
        js_value content = js_get(it.value, S("content"));
        str raw = it.value.raw;
        if (any) buf_put(b, S(","));
        any = true;
        if (content.kind == JS_ABSENT) {
            buf_put(b, raw);
            continue;
        }
        buf_put(b, (str){raw.p, (size_t)(content.raw.p - raw.p)});
        put_content(b, q, content);
        const char *rest = content.raw.p + content.raw.n;
        buf_put(b, (str){rest, (size_t)(raw.p + raw.n - rest)});
    }
    buf_put(b, S("]"));
}

/* Old clients read text blocks only: there must be one that says what the structure says. */
static void put_structured_as_text(buf *b, js_value structured, bool *any)
{
    dialect_put_member(b, S("content"), S("[{\"type\":\"text\",\"text\":"), any);
    buf_json(b, structured.raw);
    buf_put(b, S("}]"));
}

static void put_structured(buf *b, const dialect_request *q, js_value v, bool *any)
{
    if (q->version < MCP_2025_06_18) return;
    if (v.kind == JS_OBJECT) {
        dialect_put_member(b, S("structuredContent"), v.raw, any);
        return;
    }
    dialect_put_member(b, S("structuredContent"), S("{\"result\":"), any);
    buf_put(b, v.raw);
    buf_put(b, S("}"));
}

static void put_meta(buf *b, js_value meta, bool *any)
{
    size_t before = b->n;
    bool had = *any, inside = false;
    dialect_put_member(b, S("_meta"), S("{"), any);
    dialect_put_meta(b->a, b, meta, &inside);
    buf_put(b, S("}"));
    if (inside || !buf_ok(b)) return;
    b->n = before; /* nothing of it travels: as if it had not been there */
    *any = had;
}

static void write_result(buf *b, const dialect_request *q, js_value result,
                         const dialect_hints *hints)
{
    js_value meta = {0}, structured = {0}, content = {0};
    bool any = false, plain = q->version < MCP_2025_06_18;
    (void)hints; /* words of the modern era */
    buf_put(b, S("{"));
    for (js_iter it = js_iterate(result); js_next(&it);) {
        if (is_envelope(&it)) continue;
        if (js_key_is(&it, S("_meta")))
            meta = it.value;
        else if (js_key_is(&it, S("structuredContent")))
            structured = it.value;
        else if (js_key_is(&it, S("content")))
            content = it.value;
        else if (plain && js_key_is(&it, S("messages")) && it.value.kind == JS_ARRAY) {
            dialect_put_member(b, S("messages"), (str){0}, &any);
            put_messages(b, q, it.value);
        } else
            dialect_put_member(b, it.key, it.value.raw, &any);
    }
    js_iter blocks = js_iterate(content);
    bool empty = content.kind != JS_ARRAY || !js_next(&blocks);
    if (structured.kind != JS_ABSENT && empty) {
        put_structured_as_text(b, structured, &any);
    } else if (content.kind == JS_ARRAY && plain) {
        dialect_put_member(b, S("content"), (str){0}, &any);
        put_content(b, q, content);
    } else if (content.kind != JS_ABSENT) {
        dialect_put_member(b, S("content"), content.raw, &any);
    }
    if (structured.kind != JS_ABSENT) put_structured(b, q, structured, &any);
    if (meta.kind == JS_OBJECT) put_meta(b, meta, &any);
    buf_put(b, S("}"));
}

static void write_made(buf *b, const dialect_request *q, str members, const dialect_hints *hints)
{
    (void)q;
    (void)hints; /* words of the modern era; an empty result must be exactly {} */
    buf_put(b, S("{"));
    buf_put(b, members);
    buf_put(b, S("}"));
}

const dialect dialect_legacy = {
    .name = {"legacy", 6},
    .era = ERA_IS_LEGACY,
    .no_method_status = 200,
    .read = read,
    .write_result = write_result,
    .write_made = write_made,
};
