/* SPDX-License-Identifier: Apache-2.0 */
/* call_answer.c - what a server says during a call, and at its end, in the client's words.
 *
 * The link's views end with each event, so here is the one copy: a notice goes into the buffer of
 * the stream, the answer into the body. What a client does not take is kept up to a bound,
 * beyond which notices are left out: they are hints, the result is not.
 * Nothing of an upstream's failure but its kind is told; the text is for the operator. */
#include "../base/clock.h"
#include "../transport/sse.h"
#include "call.h"
#include "call_ask.h"
#include "facet.h"
#include "mask.h"
#include "reply.h"
#include "rewrite.h"
#include "task.h"
#include "task_follow.h"
#include "task_old.h"

enum { NOTICES_MOST = 256 << 10 };

static void put_progress(const visit *v, buf *b, js_value params)
{
    bool any = false;
    buf_put(b, S("{"));
    dialect_put_member(b, S("progressToken"), v->q.meta.progress_token.raw, &any);
    for (js_iter it = js_iterate(params); js_next(&it);)
        if (!js_key_is(&it, S("progressToken")) &&
            !(v->call->masks && js_key_is(&it, S("message"))))
            dialect_put_member(b, it.key, it.value.raw, &any);
    buf_put(b, S("}"));
}

static void on_notice(void *owner, str method, js_value params)
{
    visit *v = owner;
    struct subject_call *k = v->call;
    if (k->over) return;
    bool progress = str_eq(method, S("notifications/progress"));
    bool wanted = progress ? v->q.meta.progress_token.kind != JS_ABSENT : v->q.log_level.n > 0;
    if (!wanted || params.kind != JS_OBJECT || !reply_may_stream(v)) return;
    if (k->masks && !progress) return; /* it may tell what the result must not */
    if (k->unsent.n - k->sent + params.raw.n > NOTICES_MOST) return;
    buf message = buf_new(NULL, SIZE_MAX / 2);
    rpc_open_notice(&message, method);
    if (progress)
        put_progress(v, &message, params);
    else
        buf_put(&message, params.raw);
    rpc_close_result(&message);
    sse_write(&k->unsent, S("message"), (str){0}, buf_str(&message));
    buf_free(&message);
    corridor_wake(v, FLOW_WOKEN);
}

static void failed(visit *v, str kind, str operator_text, str client_text)
{
    rpc_refusal no = {.status = 200, .code = RPC_INTERNAL, .text = client_text};
    buf b = buf_new(v->a, SIZE_MAX / 2);
    record_text(v->rec, FACT_ERROR, kind);
    record_text(v->rec, FACT_ERROR_TEXT, arena_dup(v->a, operator_text));
    rpc_write_error(&b, v->msg.id, &no);
    v->call->body = buf_str(&b);
}

static void busy(visit *v, const err *why)
{
    rpc_refusal no = rpc_limited(v->a, S("the upstream has too many calls under way"), 1000);
    buf b = buf_new(v->a, SIZE_MAX / 2);
    record_text(v->rec, FACT_ERROR, S("quota"));
    record_text(v->rec, FACT_ERROR_TEXT, arena_dup(v->a, why->text));
    rpc_write_error(&b, v->msg.id, &no);
    v->call->body = buf_str(&b);
    v->call->status = no.status;
}

/* What could not be done: for a model to read, where a model called. */
static void failed_openly(visit *v, str text, str data)
{
    if (v->call->kind == CATALOG_TOOLS) {
        v->call->body = reply_tool_error(v, text);
        return;
    }
    const rpc_refusal no = {.status = 200, .code = RPC_INTERNAL, .text = text, .data = data};
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_write_error(&b, v->msg.id, &no);
    v->call->body = buf_str(&b);
}

/* A resource may be kept by whoever got it: as long as its server says, but never for somebody
 * else when the rules tell callers apart. */
static dialect_hints hints_of(const visit *v, js_value result)
{
    dialect_hints h = {.is_private = true};
    if (!js_int(js_get(result, S("ttlMs")), &h.ttl_ms) || h.ttl_ms > CATALOG_TTL_MOST_MS)
        h.ttl_ms = 0;
    if (js_text_is(js_get(result, S("cacheScope")), S("public")))
        h.is_private = corridor_tells_callers_apart(v->rq.config, SUBJECT_RESOURCE);
    return h;
}

static void bring_complete(visit *v, js_value result)
{
    struct subject_call *k = v->call;
    const rewrite_from from = {v->a, v->rq.endpoint->naming, upstream_spec_of(k->to)->name};
    bool cacheable = k->kind == CATALOG_RESOURCES;
    dialect_hints hints = {0};
    buf b = buf_new(v->a, SIZE_MAX / 2);
    if (cacheable) hints = hints_of(v, result);
    if (!k->completes) result = rewrite_result(&from, result);
    (void)buf_need(&b, result.raw.n + v->msg.id.n + 256);
    rpc_open_result(&b, v->msg.id);
    v->q.speaks->write_result(&b, &v->q, result, cacheable ? &hints : NULL);
    rpc_close_result(&b);
    k->body = buf_str(&b);
}

static void bring_task(visit *v, js_value result)
{
    struct subject_call *k = v->call;
    if (task_old_is_new(v, result))
        k->body = task_old_made(v, result);
    else if (!k->old)
        k->body = task_follow_bring(v, result);
    if (!k->body.n)
        failed(v, S("upstream"), S("a task nobody asked for"),
               S("upstream returned unsupported result type"));
}

static void bring_result(visit *v, js_value result, js_value type)
{
    bool is_task = v->call->task_id.n || js_text_is(type, S("task")) || task_old_is_new(v, result);
    if (v->call->masks && !is_task && result.kind == JS_OBJECT) {
        result = mask_result(v->a, v->call->masks, result);
        type = js_get(result, S("resultType"));
    }
    if (result.kind == JS_ABSENT) {
        failed(v, S("masked"), S("the result could not be masked"), S("the result is withheld"));
    } else if (result.kind != JS_OBJECT) {
        failed(v, S("upstream"), S("the result is no object"), S("the upstream answered nonsense"));
    } else if (is_task) {
        bring_task(v, result);
    } else if (type.kind == JS_ABSENT || js_text_is(type, S("complete"))) {
        bring_complete(v, result);
    } else {
        failed(v, S("upstream"), S("unsupported result type"),
               S("upstream returned unsupported result type"));
    }
}

/* A server's way of saying that it has no such resource; each era has its own. */
static bool is_not_found(const visit *v, js_value error)
{
    int64_t code = 0;
    if (v->call->kind != CATALOG_RESOURCES) return false;
    (void)js_int(js_get(error, S("code")), &code);
    js_value uri = js_get(js_get(error, S("data")), S("uri"));
    return code == RPC_RESOURCE_NOT_FOUND ||
           (code == RPC_INVALID_PARAMS && js_text_is(uri, v->call->own));
}

/* Old servers refuse a URI without saying which. */
static bool is_bare_refusal(const visit *v, const rpc_refusal *no)
{
    const struct subject_call *k = v->call;
    return k->kind == CATALOG_RESOURCES && !k->completes && v->q.speaks == &dialect_modern &&
           no->code == RPC_INVALID_PARAMS && !no->data.n;
}

static void bring_error(visit *v, js_value error)
{
    struct subject_call *k = v->call;
    rpc_refusal no;
    bool plain = dialect_error(v->a, &v->q, error, &no);
    record_text(v->rec, FACT_ERROR, S("upstream"));
    record_text(v->rec, FACT_ERROR_TEXT, arena_dup(v->a, str_take(no.text, 512)));
    if (k->masks) no = (rpc_refusal){no.status, no.code, S("the upstream refused"), .data = {0}};
    if (!plain) {
        failed_openly(v, no.text, no.data);
        return;
    }
    if (is_not_found(v, error)) call_unknown(v, &no);
    if (is_bare_refusal(v, &no)) no.data = call_uri_data(v);
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_write_error(&b, v->msg.id, &no);
    k->body = buf_str(&b);
    k->status = no.status;
}

/* Nobody can be helped, or there is nothing to read. */
void call_not_offered(visit *v)
{
    static const str none = S("{\"completion\":{\"values\":[],\"total\":0,\"hasMore\":false}}");
    struct subject_call *k = v->call;
    rpc_refusal no = {0};
    buf b = buf_new(v->a, SIZE_MAX / 2);
    k->over = true;
    k->status = 200;
    if (k->completes) {
        bring_complete(v, js_view(JS_OBJECT, none));
        return;
    }
    call_unknown(v, &no);
    rpc_write_error(&b, v->msg.id, &no);
    k->body = buf_str(&b);
}

static void bring_failure(visit *v, const err *why)
{
    err_kind kind = why ? why->kind : ERR_BUG;
    const char *name = err_kind_name(kind);
    if (kind == ERR_QUOTA)
        busy(v, why);
    else if (kind == ERR_UNSUPPORTED)
        call_not_offered(v);
    else
        failed(v, (str){name, strlen(name)}, why ? why->text : S("no answer"),
               kind == ERR_TIMEOUT ? S("the upstream did not answer in time")
                                   : S("the upstream failed"));
}

static void bring(visit *v, js_value result, js_value type, js_value error, const err *why)
{
    struct subject_call *k = v->call;
    if (k->old && !why) k->body = task_old_tell(v, result, error);
    if (k->body.n) return;
    if (result.kind != JS_ABSENT)
        bring_result(v, result, type);
    else if (error.kind != JS_ABSENT)
        bring_error(v, error);
    else
        bring_failure(v, why);
}

/* The server has another schema than the one whose headers it got, so it did not look at the call:
 * with a fresh list it is made again, once. (mcp.md 9.1) */
static bool is_outdated(const visit *v, js_value error)
{
    const struct subject_call *k = v->call;
    int64_t code = 0;
    (void)js_int(js_get(error, S("code")), &code);
    return code == RPC_HEADER_MISMATCH && k->kind == CATALOG_TOOLS && !k->task_id.n && !k->anew &&
           !k->out && !k->unsent.n;
}

/* The views end with this call: what the answer needs is copied into its body here. */
static void on_done(void *owner, js_value result, js_value error, const err *why)
{
    visit *v = owner;
    struct subject_call *k = v->call;
    unsigned lacked = k->link ? link_lacked(k->link) : 0;
    k->charge.sent |= k->link && link_was_sent(k->link);
    k->link = NULL;
    if (k->over || task_begins(v, result)) return;
    if (k->old && !why && task_old_goes_on(v, result, error)) return;
    if (!why) k->task = (str){0};
    if (is_outdated(v, error)) {
        k->anew = k->again_due = true;
        facet_stale(v, k->to, CATALOG_TOOLS);
        corridor_wake(v, FLOW_WOKEN);
        return;
    }
    js_value type = js_get(result, S("resultType"));
    if (js_text_is(type, S("input_required"))) {
        call_wants_input(v, result);
        return;
    }
    if (call_wants_address(v, error) || call_lacked(v, lacked, result, error)) return;
    call_ask_end(v);
    k->over = true;
    k->status = 200;
    record_number(v->rec, FACT_UPSTREAM_MS, (clock_mono_us() - k->started_us) / 1000);
    bring(v, result, type, error, why);
    corridor_wake(v, FLOW_WOKEN);
}

const link_events call_hears = {.notice = on_notice,
                                .asked = call_asked,
                                .withdrawn = call_withdrawn,
                                .done = on_done};
