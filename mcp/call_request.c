/* SPDX-License-Identifier: Apache-2.0 */
/* call_request.c - what a call's server is asked.
 *
 * The client's arguments travel as the bytes they are; everything around them is written anew. */
#include "call.h"
#include "call_ask.h"
#include "forward.h"
#include "task.h"
#include "task_follow.h"

static void put_raw(buf *b, str key, js_value v)
{
    bool any = b->n > 0;
    if (v.kind != JS_ABSENT) dialect_put_member(b, key, v.raw, &any);
}

static str params_of(visit *v)
{
    const struct subject_call *k = v->call;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    (void)buf_need(&b, k->own.n + v->q.arguments.raw.n + 40);
    if (k->completes)
        buf_put(&b, call_is_uri(k) ? S("\"ref\":{\"type\":\"ref/resource\",")
                                   : S("\"ref\":{\"type\":\"ref/prompt\","));
    buf_put(&b, call_is_uri(k) ? S("\"uri\":") : S("\"name\":"));
    buf_json(&b, k->own);
    if (k->completes) {
        buf_put(&b, S("}"));
        put_raw(&b, S("argument"), js_get(v->msg.params, S("argument")));
        put_raw(&b, S("context"), js_get(v->msg.params, S("context")));
    } else if (!call_is_uri(k)) {
        put_raw(&b, S("arguments"), v->q.arguments);
    }
    str task = task_params(v);
    if (task.n) buf_put(&b, S(","));
    buf_put(&b, task);
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

link_request call_request_of(visit *v)
{
    struct subject_call *k = v->call;
    const upstream_spec *spec = upstream_spec_of(k->to);
    link_request rq = {
        .to = k->to,
        .method = v->q.method->name,
        .name = k->completes ? (str){0} : k->own,
        .params = params_of(v),
        .meta = meta_of(v),
        .progress = v->q.meta.progress_token.kind != JS_ABSENT,
        .log_level = v->q.log_level,
        .input_schema = k->item ? k->item->input_schema : (js_value){0},
        .arguments = v->q.arguments,
        .capabilities = call_can_ask(v),
        .again = k->again,
        .caller_id = v->who->id,
        .timeout_ms = spec->timeout_ms,
    };
    rq.hears_logs = hearing_works(v);
    rq.repeatable = forward_may_repeat(spec, k->item ? k->item->annotations : (js_value){0});
    forward_fill(v, spec, &rq);
    if (v->q.has_session) rq.session_id = session_text(v->a, &v->q.session);
    if (k->task_id.n) task_follow_fill(v, &rq);
    return rq;
}
