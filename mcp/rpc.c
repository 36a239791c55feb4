/* SPDX-License-Identifier: Apache-2.0 */
/* rpc.c - the JSON-RPC envelope, by the letter of MCP rather than of JSON-RPC.
 *
 * MCP narrows JSON-RPC 2.0: an id is a string or an integer and never null, params is an
 * object, batches exist in one revision only. The checks run from the outside in, and the id is
 * taken first of all, so that whatever else is wrong the client can tell which of its
 * requests was refused. Members nobody asked for are ignored: the gateway writes its own
 * envelope toward upstreams, so nothing of this one travels. */
#include "rpc.h"

bool rpc_check(arena *a, str body, unsigned depth, js_value *root, rpc_refusal *no)
{
    const err *e = js_check(a, body, depth, root);
    if (!e) return true;
    bool deep = e->kind == ERR_TOO_LARGE;
    *no = (rpc_refusal){.status = 400,
                        .code = deep ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR,
                        .text = deep ? S("the message is nested too deeply") : S("Parse error")};
    return false;
}

static bool refused(rpc_refusal *no, str text)
{
    *no = (rpc_refusal){.status = 400, .code = RPC_INVALID_REQUEST, .text = text};
    return false;
}

/* A JSON number that is written as an integer, of any length. */
static bool is_integer(str raw)
{
    for (size_t i = 0; i < raw.n; i++)
        if ((raw.p[i] < '0' || raw.p[i] > '9') && !(i == 0 && raw.p[i] == '-')) return false;
    return raw.n > 0;
}

static bool id_may_be(js_value id)
{
    return id.kind == JS_STRING || (id.kind == JS_NUMBER && is_integer(id.raw));
}

typedef struct {
    js_value jsonrpc, id, method;
} envelope;

/* One walk over the members: params may be long, and each look-up would skip it again. */
static envelope read_members(js_value root, rpc_message *out)
{
    envelope e = {0};
    for (js_iter it = js_iterate(root); js_next(&it);) {
        if (js_key_is(&it, S("jsonrpc")))
            e.jsonrpc = it.value;
        else if (js_key_is(&it, S("id")))
            e.id = it.value;
        else if (js_key_is(&it, S("method")))
            e.method = it.value;
        else if (js_key_is(&it, S("params")))
            out->params = it.value;
        else if (js_key_is(&it, S("result")))
            out->result = it.value;
        else if (js_key_is(&it, S("error")))
            out->error = it.value;
    }
    return e;
}

static bool read_response(rpc_message *out, rpc_refusal *no)
{
    out->kind = RPC_RESPONSE;
    bool result = out->result.kind != JS_ABSENT, error = out->error.kind != JS_ABSENT;
    if (!result && !error) return refused(no, S("method is missing"));
    if (result && error) return refused(no, S("a response has a result or an error, not both"));
    if (error && out->error.kind != JS_OBJECT) return refused(no, S("error must be an object"));
    if (result && !out->id.p) return refused(no, S("a result needs an id"));
    return true;
}

bool rpc_read(arena *a, js_value root, rpc_message *out, rpc_refusal *no)
{
    *out = (rpc_message){0};
    if (root.kind == JS_ARRAY) return refused(no, S("batches are not supported"));
    if (root.kind != JS_OBJECT) return refused(no, S("not a JSON-RPC message"));
    envelope e = read_members(root, out);
    if (id_may_be(e.id)) out->id = e.id.raw;
    if (!js_text_is(e.jsonrpc, S("2.0"))) return refused(no, S("jsonrpc must be \"2.0\""));
    if (e.id.kind != JS_ABSENT && !out->id.p)
        return refused(no, S("id must be a string or an integer"));
    if (e.method.kind == JS_ABSENT) return read_response(out, no);
    if (e.method.kind != JS_STRING) return refused(no, S("method must be a string"));
    out->method = js_text(a, e.method);
    out->kind = out->id.p ? RPC_REQUEST : RPC_NOTIFICATION;
    if (out->params.kind != JS_ABSENT && out->params.kind != JS_OBJECT)
        return refused(no, S("params must be an object"));
    return true;
}

static void open_message(buf *b, str id)
{
    buf_put(b, S("{\"jsonrpc\":\"2.0\""));
    if (!id.p) return;
    buf_put(b, S(",\"id\":"));
    buf_put(b, id);
}

void rpc_write_error(buf *b, str id, const rpc_refusal *no)
{
    open_message(b, id);
    buf_put(b, S(",\"error\":{\"code\":"));
    buf_int(b, no->code);
    buf_put(b, S(",\"message\":"));
    buf_json(b, no->text);
    if (no->data.p) {
        buf_put(b, S(",\"data\":"));
        buf_put(b, no->data);
    }
    buf_put(b, S("}}"));
}

void rpc_open_result(buf *b, str id)
{
    open_message(b, id);
    buf_put(b, S(",\"result\":"));
}

void rpc_open_notice(buf *b, str method)
{
    buf_put(b, S("{\"jsonrpc\":\"2.0\",\"method\":"));
    buf_json(b, method);
    buf_put(b, S(",\"params\":"));
}

void rpc_close_result(buf *b)
{
    buf_put(b, S("}"));
}

rpc_refusal rpc_limited(arena *a, str text, int64_t retry_ms)
{
    rpc_refusal no = {.status = 429, .code = RPC_LIMITED, .text = text};
    if (retry_ms <= 0) return no;
    no.retry_s = retry_ms / 1000 + (retry_ms % 1000 > 0);
    no.data = arena_fmt(a, "{\"retryAfterMs\":%lld}", (long long)retry_ms);
    return no;
}
