/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - from a task to its result.
 *
 * tasks/result blocks until there is one, and carries the server's questions (MCP 2025-11-25
 * basic/utilities/tasks), so there is nothing to poll. A task may take longer than a call. */
#include "task.h"
#include "call.h"
#include "call_ask.h"
#include "capability.h"

enum { TASK_MS = 600000, TASK_ID_MOST = 1024 };

static bool is_followed(visit *v)
{
    return call_can_ask(v) & CAN_FOLLOW_TASKS;
}

/* Who follows it may come for it as long as its sealed id is good. */
str task_params(visit *v)
{
    const struct subject_call *k = v->call;
    if (k->kind != CATALOG_TOOLS || !k->item || k->task_id.n) return (str){0};
    if (!k->item->only_as_task) return (str){0};
    return is_followed(v) ? S("\"task\":{\"ttl\":86400000}") : S("\"task\":{\"ttl\":600000}");
}

bool task_begins(visit *v, js_value result)
{
    struct subject_call *k = v->call;
    if (k->task.n || !task_params(v).n || is_followed(v)) return false;
    js_value id = js_get(js_get(result, S("task")), S("taskId"));
    if (id.kind != JS_STRING || id.raw.n > TASK_ID_MOST) return false;
    k->task = arena_dup(v->a, id.raw);
    k->task_due = true;
    corridor_wake(v, FLOW_WOKEN);
    return true;
}

bool task_is_due(visit *v)
{
    bool due = v->call->task_due;
    v->call->task_due = false;
    return due;
}

void task_fill(visit *v, link_request *rq)
{
    buf b = buf_new(v->a, TASK_ID_MOST + 64);
    buf_put(&b, S("\"taskId\":"));
    buf_put(&b, v->call->task);
    rq->method = S("tasks/result");
    rq->name = rq->meta = rq->again = (str){0};
    rq->params = buf_str(&b);
    rq->input_schema = rq->arguments = (js_value){0};
    rq->timeout_ms = TASK_MS;
}

/* Nobody waits for the answer: its owner is nobody. */
void task_end(visit *v)
{
    static const link_events deaf = {0};
    struct subject_call *k = v->call;
    if (!k->task.n || v->w->draining) return;
    link_request rq = call_request_of(v);
    int64_t timeout_ms = rq.timeout_ms;
    task_fill(v, &rq);
    rq.method = S("tasks/cancel");
    rq.timeout_ms = timeout_ms;
    k->task = (str){0};
    (void)link_start(v->w, &rq, &call_type, 0, &deaf);
}
