/* SPDX-License-Identifier: Apache-2.0 */
/* task_old.c - the words of the extension, made of those of 2025-11-25. (mcp.md 6.1, 6.2, 9.2) */
#include "task_old.h"
#include "call.h"
#include "call_ask.h"
#include "capability.h"
#include "mask.h"
#include "parked_task.h"
#include "rewrite.h"
#include "task.h"
#include "task_follow.h"

static const int64_t RESULT_MS = 600000;

typedef enum { ASKS_STATUS, ASKS_RESULT, CANCELS, LOOKS_BACK, ONLY_ANSWERS } stage;

struct old_task {
    stage at;
    str shown;    /* the task, as its server last showed it */
    str requests; /* what it asks; {0}: nothing */
    str refusal;  /* of tasks/cancel */
    bool stands;  /* a call for its result does, under that name, while it is cancelled */
    parked_name name;
    bool crowded; /* its questions cannot be heard: too many calls wait */
};

struct old_task *task_old_read(visit *v)
{
    struct old_task *t = NEW(v->a, struct old_task);
    if (str_eq(v->q.method->name, S("tasks/cancel"))) t->at = CANCELS;
    if (str_eq(v->q.method->name, S("tasks/update"))) t->at = ONLY_ANSWERS;
    return t;
}

/* Answers */

/* As the client says it; what only the older revision knows is left out. */
static void put_task(visit *v, buf *b, js_value task, str id, str status)
{
    static const struct {
        str theirs, ours;
    } rows[] = {{S("createdAt"), S("createdAt")},
                {S("lastUpdatedAt"), S("lastUpdatedAt")},
                {S("statusMessage"), S("statusMessage")},
                {S("pollInterval"), S("pollIntervalMs")}};
    bool any = true;
    buf_put(b, S("\"taskId\":"));
    buf_put(b, id);
    dialect_put_member(b, S("status"), (str){0}, &any);
    buf_json(b, status);
    js_value ttl = js_get(task, S("ttl"));
    dialect_put_member(b, S("ttlMs"), ttl.kind == JS_NUMBER ? ttl.raw : S("null"), &any);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        js_value said = js_get(task, rows[i].theirs);
        bool hidden = v->call->masks && str_eq(rows[i].theirs, S("statusMessage"));
        if (said.kind == JS_ABSENT) continue;
        dialect_put_member(b, rows[i].ours, hidden ? S("\"" MASK_MARK "\"") : said.raw, &any);
    }
}

static buf open_answer(visit *v, str type)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_open_result(&b, v->msg.id);
    buf_put(&b, S("{\"resultType\":"));
    buf_json(&b, type);
    return b;
}

static str close_answer(visit *v, buf *b)
{
    buf_put(b, S(",\"_meta\":{\"" DIALECT_PREFIX "serverInfo\":"));
    dialect_put_server_info(b, &v->q);
    buf_put(b, S("}}"));
    rpc_close_result(b);
    return buf_str(b);
}

static str acknowledged(visit *v)
{
    buf b = open_answer(v, S("complete"));
    return close_answer(v, &b);
}

static buf open_task(visit *v, str status)
{
    js_value task = js_view(JS_OBJECT, v->call->old->shown);
    buf b = open_answer(v, S("complete"));
    buf_put(&b, S(","));
    put_task(v, &b, task, js_get(v->msg.params, S("taskId")).raw, status);
    return b;
}

/* One whose server wants input that was not asked yet is at work, to a client. */
static str told_status(visit *v)
{
    struct old_task *t = v->call->old;
    str status = js_text(v->a, js_get(js_view(JS_OBJECT, t->shown), S("status")));
    if (t->requests.n || str_eq(status, S("input_required")))
        status = t->requests.n ? S("input_required") : S("working");
    buf b = open_task(v, status);
    if (t->requests.n) buf_put(&b, S(",\"inputRequests\":"));
    buf_put(&b, t->requests);
    return close_answer(v, &b);
}

static str told_result(visit *v, js_value result)
{
    const rewrite_from from = {v->a, v->rq.endpoint->naming, upstream_spec_of(v->call->to)->name};
    const policy_mask *const *masks = v->call->masks;
    if (masks) result = mask_result(v->a, masks, result);
    if (result.kind == JS_ABSENT)
        result = js_view(JS_OBJECT, S("{\"content\":[],\"isError\":true}"));
    buf b = open_task(v, S("completed"));
    buf_put(&b, S(",\"result\":"));
    dialect_modern.write_result(&b, &v->q, rewrite_result(&from, result), NULL);
    return close_answer(v, &b);
}

static str told_error(visit *v, js_value error)
{
    rpc_refusal no;
    (void)dialect_error(v->a, &v->q, error, &no);
    if (v->call->masks) no = (rpc_refusal){.code = RPC_INTERNAL, .text = S("the upstream refused")};
    buf b = open_task(v, S("failed"));
    buf_fmt(&b, ",\"error\":{\"code\":%d,\"message\":", no.code);
    buf_json(&b, no.text);
    if (no.data.n) buf_put(&b, S(",\"data\":"));
    buf_put(&b, no.data);
    buf_put(&b, S("}"));
    return close_answer(v, &b);
}

static str refused(visit *v, const rpc_refusal *no)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    record_text(v->rec, FACT_ERROR_TEXT, no->text);
    rpc_write_error(&b, v->msg.id, no);
    return buf_str(&b);
}

static str too_many(visit *v)
{
    const rpc_refusal no = {.status = 200,
                            .code = RPC_INTERNAL,
                            .text = S("too many calls wait for answers")};
    record_text(v->rec, FACT_ERROR, S("quota"));
    return refused(v, &no);
}

static str not_cancelled(visit *v)
{
    rpc_refusal no;
    (void)dialect_error(v->a, &v->q, js_view(JS_OBJECT, v->call->old->refusal), &no);
    if (v->call->masks)
        no = (rpc_refusal){.status = 200, .code = no.code, .text = S("the upstream refused")};
    record_text(v->rec, FACT_ERROR, S("upstream"));
    return refused(v, &no);
}

/* A new task */

bool task_old_is_new(visit *v, js_value result)
{
    if (!task_params(v).n || !(call_can_ask(v) & CAN_FOLLOW_TASKS)) return false;
    return js_get(js_get(result, S("task")), S("taskId")).kind == JS_STRING;
}

str task_old_made(visit *v, js_value result)
{
    js_value task = js_get(result, S("task"));
    str id = task_follow_seal(v, js_get(task, S("taskId")), true);
    if (!id.n) return (str){0};
    buf b = open_answer(v, S("task"));
    buf_put(&b, S(","));
    put_task(v, &b, task, id, js_text(v->a, js_get(task, S("status"))));
    return close_answer(v, &b);
}

/* The call for its result, while it stands */

static void end_with(visit *v, str body)
{
    struct subject_call *k = v->call;
    k->body = body;
    k->status = 200;
    k->over = true;
    corridor_wake(v, FLOW_WOKEN);
}

static void ask_next(visit *v, stage what)
{
    v->call->old->at = what;
    v->call->task_due = true;
    corridor_wake(v, FLOW_WOKEN);
}

static void on_shown(void *owner, js_value task, js_value requests)
{
    visit *v = owner;
    struct old_task *t = v->call->old;
    if (v->call->over) return;
    t->shown = arena_dup(v->a, task.raw);
    t->requests = arena_dup(v->a, requests.raw);
    end_with(v, t->at == ONLY_ANSWERS ? acknowledged(v) : told_status(v));
}

static void on_done(void *owner, js_value result, js_value error, const err *why)
{
    visit *v = owner;
    v->call->old->at = ASKS_RESULT;
    call_hears.done(v, result, error, why);
}

/* It has ended just now, or for this: the server knows. */
static void on_lost(void *owner)
{
    visit *v = owner;
    struct old_task *t = v->call->old;
    if (v->call->over) return;
    if (t->at == ONLY_ANSWERS)
        end_with(v, acknowledged(v));
    else
        ask_next(v, t->at);
}

static const parked_events awaits = {.shown = on_shown, .done = on_done, .lost = on_lost};

static parked_waiter waiter_of(visit *v)
{
    return (parked_waiter){.w = v->w, .type = &call_type, .self = v->call->self, .ev = &awaits};
}

/* Another caller's, or another server's, of the same id is another. */
static str name_of(visit *v)
{
    str server = upstream_spec_of(v->call->to)->name, who = v->who->id;
    return arena_fmt(v->a, "%zu:" STR_FMT STR_FMT " " STR_FMT, who.n, STR_ARG(who), STR_ARG(server),
                     STR_ARG(v->call->task_id));
}

/* A server hears that its task is cancelled before its questions are declined, lest it takes that
 * for an answer and goes on; but a child that asks has one call at a time. */
bool task_old_begin(visit *v)
{
    struct old_task *t = v->call->old;
    if (!t) return false;
    parked_waiter who = waiter_of(v);
    bool stands = parked_task_find(v->w->shared, name_of(v), &t->name);
    if (t->at == CANCELS) {
        bool in_the_way = stands && upstream_spec_of(v->call->to)->kind == UPSTREAM_STDIO;
        t->stands = stands && !in_the_way;
        if (in_the_way) parked_task_drop(&who, &t->name);
        return in_the_way;
    }
    js_value answers = js_get(v->msg.params, S("inputResponses"));
    if (stands) parked_task_look(&who, &t->name, t->at == ONLY_ANSWERS ? answers : (js_value){0});
    if (!stands && t->at == ONLY_ANSWERS) end_with(v, acknowledged(v)); /* to what nobody asks */
    return stands || t->at == ONLY_ANSWERS;
}

/* What the server is asked */

void task_old_fill(visit *v, link_request *rq)
{
    static const str methods[] = {[ASKS_STATUS] = S("tasks/get"),
                                  [ASKS_RESULT] = S("tasks/result"),
                                  [CANCELS] = S("tasks/cancel"),
                                  [LOOKS_BACK] = S("tasks/get"),
                                  [ONLY_ANSWERS] = S("tasks/get")};
    bool any = false;
    buf b = buf_new(v->a, SIZE_MAX / 2);
    dialect_put_member(&b, S("taskId"), v->call->task_id, &any);
    rq->method = methods[v->call->old->at];
    rq->name = rq->meta = (str){0};
    rq->params = buf_str(&b);
    rq->input_schema = rq->arguments = (js_value){0};
}

static bool is_over(visit *v, js_value task)
{
    str status = js_text(v->a, js_get(task, S("status")));
    return str_eq(status, S("completed")) || str_eq(status, S("failed"));
}

static bool wants_input(js_value task)
{
    return js_text_is(js_get(task, S("status")), S("input_required"));
}

/* The questions come while its result is asked for. */
static bool hear_questions(visit *v, js_value task)
{
    struct old_task *t = v->call->old;
    parked_waiter who = waiter_of(v);
    t->at = ASKS_RESULT;
    link_request rq = call_request_of(v);
    rq.timeout_ms = RESULT_MS;
    t->at = ASKS_STATUS;
    task_holding held = parked_task_hold(&who, name_of(v), task, &rq, &t->name);
    if (held == TASK_HELD) hearing_park(v, &t->name);
    t->crowded = held == TASK_NO_ROOM;
    return held == TASK_HELD;
}

bool task_old_goes_on(visit *v, js_value result, js_value error)
{
    struct old_task *t = v->call->old;
    if (t->at == CANCELS && error.kind != JS_ABSENT) {
        t->refusal = arena_dup(v->a, error.raw);
        ask_next(v, LOOKS_BACK);
        return true;
    }
    if (t->at != ASKS_STATUS || result.kind != JS_OBJECT) return false;
    t->shown = arena_dup(v->a, result.raw);
    if (wants_input(result)) return hear_questions(v, result);
    if (!is_over(v, result)) return false;
    ask_next(v, ASKS_RESULT);
    return true;
}

static bool is_status(visit *v, js_value task)
{
    return is_over(v, task) || wants_input(task) ||
           js_text_is(js_get(task, S("status")), S("working")) ||
           js_text_is(js_get(task, S("status")), S("cancelled"));
}

static void drop_call(visit *v)
{
    struct old_task *t = v->call->old;
    parked_waiter who = waiter_of(v);
    if (t->stands) parked_task_drop(&who, &t->name);
    t->stands = false;
}

str task_old_tell(visit *v, js_value result, js_value error)
{
    struct old_task *t = v->call->old;
    bool fine = result.kind == JS_OBJECT;
    switch (t->at) {
    case ASKS_STATUS:
        if (t->crowded) return too_many(v);
        return fine && is_status(v, result) ? told_status(v) : (str){0};
    case ASKS_RESULT:
        if (error.kind != JS_ABSENT) return told_error(v, error);
        return fine ? told_result(v, result) : (str){0};
    case CANCELS:
        if (fine) drop_call(v);
        return fine ? acknowledged(v) : (str){0};
    case LOOKS_BACK: break;
    case ONLY_ANSWERS: return (str){0};
    }
    if (!fine) return (str){0};
    bool ended = is_over(v, result) || js_text_is(js_get(result, S("status")), S("cancelled"));
    if (ended) drop_call(v);
    return ended ? acknowledged(v) : not_cancelled(v);
}
