/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.c - what both eras share: choosing between them, _meta, and errors of servers.
 *
 * The choice: modern if the body's _meta names a protocol version or the
 * version header names a modern one. So a message that tries to be both is judged by the
 * stricter era, and never slips past its header checks. */
#include "dialect.h"

str dialect_trim(str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t')) s = str_drop(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

str dialect_version_header(const header *headers)
{
    str v = header_get(headers, S("mcp-protocol-version"));
    return v.p ? dialect_trim(v) : v;
}

static void read_meta(arena *a, js_value meta, dialect_meta *out)
{
    for (js_iter it = js_iterate(meta); js_next(&it);) {
        str key = js_key_text(a, &it);
        if (str_eq(key, S("progressToken"))) {
            if (it.value.kind == JS_STRING || it.value.kind == JS_NUMBER)
                out->progress_token = it.value;
            continue;
        }
        if (!str_starts(key, S(DIALECT_PREFIX))) {
            out->has_more = true;
            continue;
        }
        key = str_drop(key, sizeof DIALECT_PREFIX - 1);
        if (str_eq(key, S("protocolVersion")))
            out->version = it.value;
        else if (str_eq(key, S("clientCapabilities")))
            out->capabilities = it.value;
        else if (str_eq(key, S("clientInfo")))
            out->client_info = it.value;
        else if (str_eq(key, S("logLevel")))
            out->log_level = it.value;
    }
}

static void read_params(arena *a, js_value params, dialect_request *out)
{
    for (js_iter it = js_iterate(params); js_next(&it);) {
        if (js_key_is(&it, S("_meta")))
            out->meta_raw = it.value;
        else if (js_key_is(&it, S("name")))
            out->name = it.value;
        else if (js_key_is(&it, S("arguments")))
            out->arguments = it.value;
        else if (js_key_is(&it, S("cursor")))
            out->cursor = it.value;
        else if (js_key_is(&it, S("requestState")))
            out->request_state = it.value;
        else if (js_key_is(&it, S("inputResponses")))
            out->input_responses = it.value;
    }
    read_meta(a, out->meta_raw, &out->meta);
}

bool dialect_read(const dialect_context *c, const rpc_message *m, dialect_request *out,
                  rpc_refusal *no)
{
    *out = (dialect_request){.server_name = c->server_name};
    read_params(c->a, m->params, out);
    bool modern = out->meta.version.kind != JS_ABSENT ||
                  mcp_version_is_modern(dialect_version_header(c->headers));
    out->speaks = modern ? &dialect_modern : &dialect_legacy;
    if (m->kind == RPC_REQUEST) out->method = mcp_method_find(m->method, out->speaks->era);
    return out->speaks->read(c, m, out, no);
}

void dialect_put_member(buf *b, str raw_key, str raw_value, bool *any)
{
    if (*any) buf_put(b, S(","));
    *any = true;
    buf_put(b, S("\""));
    buf_put(b, raw_key);
    buf_put(b, S("\":"));
    buf_put(b, raw_value);
}

void dialect_put_meta(arena *a, buf *b, js_value meta, bool *any)
{
    for (js_iter it = js_iterate(meta); js_next(&it);) {
        str key = js_key_text(a, &it);
        if (str_starts(key, S(DIALECT_PREFIX)) || str_eq(key, S("progressToken"))) continue;
        dialect_put_member(b, it.key, it.value.raw, any);
    }
}

void dialect_put_server_info(buf *b, const dialect_request *q)
{
    buf_put(b, S("{\"name\":"));
    buf_json(b, q->server_name.n ? q->server_name : S("sallyport"));
    buf_put(b, S(",\"version\":\"" SALLYPORT_VERSION "\"}"));
}

/* Codes that describe our own hop toward the server, or that nobody may interpret, say nothing
 * true about the client's request. */
static bool code_travels(int64_t code, const dialect_request *q)
{
    bool modern = q->speaks == &dialect_modern;
    switch (code) {
    case RPC_METHOD_NOT_FOUND:
    case RPC_INVALID_PARAMS:
    case RPC_INTERNAL: return true;
    case RPC_RESOURCE_NOT_FOUND: return !modern;
    case RPC_MISSING_CAPABILITY: return modern;
    case RPC_URL_ELICITATION: return q->version == MCP_2025_11_25;
    default: break;
    }
    return (code < -32768 || code > -32000) && code >= INT32_MIN && code <= INT32_MAX;
}

static int status_of(int64_t code, const dialect_request *q)
{
    if (code == RPC_METHOD_NOT_FOUND) return q->speaks->no_method_status;
    return code == RPC_MISSING_CAPABILITY ? 400 : 200;
}

bool dialect_error(arena *a, const dialect_request *q, js_value error, rpc_refusal *no)
{
    int64_t code = RPC_INTERNAL;
    js_value data = js_get(error, S("data"));
    str text = js_text(a, js_get(error, S("message")));
    if (!js_int(js_get(error, S("code")), &code)) code = RPC_INTERNAL;
    *no = (rpc_refusal){.status = 200,
                        .code = RPC_INTERNAL,
                        .text = text.p ? text : S("upstream error")};
    if (code == RPC_MISSING_CAPABILITY && q->speaks == &dialect_legacy) {
        no->text = S("the server needs a client capability that is not there");
        if (data.kind != JS_ABSENT) no->data = data.raw;
        return false;
    }
    bool moved = code == RPC_RESOURCE_NOT_FOUND && q->speaks == &dialect_modern;
    if (!moved && !code_travels(code, q)) return true;
    no->code = moved ? RPC_INVALID_PARAMS : (int)code;
    no->status = status_of(code, q);
    if (data.kind != JS_ABSENT) no->data = data.raw;
    return true;
}
