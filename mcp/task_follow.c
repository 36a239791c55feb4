/* SPDX-License-Identifier: Apache-2.0 */
/* task_follow.c - from a sealed task id to a server's own, and back. (mcp.md 6.2) */
#include "task_follow.h"
#include "call.h"
#include "call_ask.h"
#include "capability.h"
#include "mask.h"
#include "request_state.h"
#include "rewrite.h"
#include "task_old.h"

enum { TASK_ID_MOST = 1024, TASK_LIFE_MS = 24 * 3600 * 1000 };

static state_bond bond_of(const visit *v, str endpoint)
{
    return (state_bond){.caller_id = v->who->id, .endpoint = endpoint, .method = S("tasks")};
}

/* What is inside a sealed id; absent: it is no good. */
static js_value opened(const visit *v, str endpoint, str id, arena *a)
{
    js_value inside = {0};
    request_state state = {0};
    state_bond bond = bond_of(v, endpoint);
    bool known = state_open(v->w->shared->seals, a, id, &bond, v->now_ms, &state) &&
                 state.kind == STATE_TASK && !js_check(a, state.theirs, 4, &inside);
    return known ? inside : (js_value){0};
}

bool task_follow_is_his(const visit *v, str endpoint, str id, arena *scratch)
{
    return opened(v, endpoint, id, scratch).kind != JS_ABSENT;
}

flow_go task_follow_undeclared(visit *v)
{
    buf b = buf_new(v->a, 1024);
    buf_put(&b, S("{\"requiredCapabilities\":"));
    capability_put(&b, CAN_FOLLOW_TASKS, MCP_2026_07_28);
    buf_put(&b, S("}"));
    (void)corridor_refuse_with(v, 400, RPC_MISSING_CAPABILITY, S("tasks were not declared"));
    v->no.data = buf_str(&b);
    return FLOW_FAIL;
}

flow_go task_follow_read(visit *v)
{
    struct subject_call *k = v->call;
    js_value id = js_get(v->msg.params, S("taskId")), inside = {0};
    if (!(call_can_ask(v) & CAN_FOLLOW_TASKS)) return task_follow_undeclared(v);
    if (id.kind == JS_STRING)
        inside = opened(v, corridor_endpoint_text(v), js_text(v->a, id), v->a);
    if (inside.kind == JS_ABSENT)
        return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, S("Unknown task"));
    k->kind = CATALOG_TOOLS;
    k->public_name = js_text(v->a, js_get(inside, S("tool")));
    k->task_id = js_get(inside, S("task")).raw;
    if (js_bool(js_get(inside, S("old")), false)) k->old = task_old_read(v);
    return FLOW_NEXT;
}

void task_follow_fill(visit *v, link_request *rq)
{
    if (v->call->old) {
        task_old_fill(v, rq);
        return;
    }
    bool any = false;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    js_value answers = js_get(v->msg.params, S("inputResponses"));
    dialect_put_member(&b, S("taskId"), v->call->task_id, &any);
    if (answers.kind == JS_OBJECT) dialect_put_member(&b, S("inputResponses"), answers.raw, &any);
    rq->name = js_text(v->a, js_view(JS_STRING, v->call->task_id));
    rq->params = buf_str(&b);
    rq->input_schema = rq->arguments = (js_value){0};
}

str task_follow_seal(visit *v, js_value id, bool is_of_old)
{
    buf inside = buf_new(v->a, SIZE_MAX / 2), out = buf_new(v->a, SIZE_MAX / 2);
    state_bond bond = bond_of(v, corridor_endpoint_text(v));
    if (id.kind != JS_STRING || id.raw.n > TASK_ID_MOST) return (str){0};
    buf_put(&inside, S("{\"tool\":"));
    buf_json(&inside, v->call->public_name);
    buf_put(&inside, S(",\"task\":"));
    buf_put(&inside, id.raw);
    buf_put(&inside, is_of_old ? S(",\"old\":true}") : S("}"));
    const request_state made = {.kind = STATE_TASK,
                                .expires_ms = v->now_ms + TASK_LIFE_MS,
                                .theirs = buf_str(&inside)};
    buf_json(&out, state_seal(v->w->shared->seals, v->a, &made, &bond));
    return buf_str(&out);
}

static void put_tail(visit *v, buf *b, js_value meta, bool any)
{
    dialect_put_member(b, S("_meta"), S("{"), &any);
    any = false;
    if (meta.kind == JS_OBJECT) dialect_put_meta(v->a, b, meta, &any);
    dialect_put_member(b, S(DIALECT_PREFIX "serverInfo"), (str){0}, &any);
    dialect_put_server_info(b, &v->q);
    buf_put(b, S("}}"));
}

/* What a task came to is a tool's result, and may name resources. */
static str member(visit *v, const js_iter *it, str id)
{
    const rewrite_from from = {v->a, v->rq.endpoint->naming, upstream_spec_of(v->call->to)->name};
    const policy_mask *const *masks = v->call->masks;
    js_value result = it->value;
    if (js_key_is(it, S("taskId"))) return id;
    if (masks && js_key_is(it, S("result"))) result = mask_result(v->a, masks, result);
    if (result.kind == JS_ABSENT) return S("{\"content\":[],\"isError\":true}");
    if (js_key_is(it, S("result"))) return rewrite_result(&from, result).raw;
    if (masks && js_key_is(it, S("statusMessage"))) return S("\"" MASK_MARK "\"");
    if (masks && js_key_is(it, S("error")))
        return S("{\"code\":-32603,\"message\":\"the upstream refused\"}");
    return it->value.raw;
}

str task_follow_bring(visit *v, js_value result)
{
    bool any = false, follows = v->call->task_id.n > 0;
    str id = follows ? js_get(v->msg.params, S("taskId")).raw
                     : task_follow_seal(v, js_get(result, S("taskId")), false);
    if (!id.n || (!follows && !(call_can_ask(v) & CAN_FOLLOW_TASKS))) return (str){0};
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_open_result(&b, v->msg.id);
    buf_put(&b, S("{"));
    for (js_iter it = js_iterate(result); js_next(&it);)
        if (!js_key_is(&it, S("_meta"))) dialect_put_member(&b, it.key, member(v, &it, id), &any);
    put_tail(v, &b, js_get(result, S("_meta")), any);
    rpc_close_result(&b);
    return buf_str(&b);
}
