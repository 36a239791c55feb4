/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c - a kept answer is {"items": […], "response": {…}}: the conversation up to and with it,
 * as items of a next input, and the answer as its client got it. */
#include "kept.h"
#include "../authz/digest.h"
#include "../base/form.h"
#include "kept_items.h"
#include "openai_responses.h"

enum { ID_MOST = 256, NAME_BYTES = 16, KEPT_DEPTH = 128 };

/* Callers do not meet, nor does a busy one crowd out another: each has a space of its own. */
static store_key key_of(const llm_run *r, str id)
{
    uint8_t whole[DIGEST_BYTES];
    digest_sha256(r->who->id, whole);
    str whose = digest_hex(r->a, whole, NAME_BYTES);
    return (store_key){arena_fmt(r->a, "llm.responses." STR_FMT, STR_ARG(whose)), id};
}

static bool keeps(const llm_run *r)
{
    return r->rq.config->keep_s > 0 && r->who->kind != CALLER_ANONYMOUS;
}

bool kept_wanted(const llm_run *r)
{
    return r->client == &openai_responses && keeps(r) &&
           js_bool(js_get(r->body.root, S("store")), true);
}

/* Putting */

/* The members of a list, without its brackets; of a plain text, the message it stands for. */
static void put_items(buf *b, js_value list)
{
    if (list.kind == JS_STRING) {
        buf_put(b, S("{\"role\":\"user\",\"content\":"));
        buf_put(b, list.raw);
        buf_put(b, S("}"));
        return;
    }
    js_iter it = js_elements(list);
    for (bool first = true; js_next(&it); first = false) {
        if (!first) buf_put(b, S(","));
        buf_put(b, it.value.raw);
    }
}

static bool is_empty(js_value list)
{
    js_iter it = js_elements(list);
    return list.kind != JS_STRING && !js_next(&it);
}

static void put_both(buf *b, js_value before, js_value after)
{
    buf_put(b, S("["));
    put_items(b, before);
    if (!is_empty(before) && !is_empty(after)) buf_put(b, S(","));
    put_items(b, after);
    buf_put(b, S("]"));
}

static void say_not_kept(const llm_run *r, const char *why)
{
    const log_fact facts[] = {{"caller", r->who->id}, {"error", {why, strlen(why)}}, {0}};
    log_say(r->w->o.log, LOG_WARN_LEVEL, "a response was not kept", facts);
}

void kept_put(llm_run *r, js_value response)
{
    str id = js_text(r->a, js_get(response, S("id")));
    if (r->kept || !id.n || id.n > ID_MOST) return;
    r->kept = true;
    buf b = buf_new(r->a, r->rq.config->keep_most);
    buf_put(&b, S("{\"items\":"));
    put_both(&b, js_get(r->body.root, S("input")), js_get(response, S("output")));
    buf_put(&b, S(",\"response\":"));
    buf_put(&b, response.raw);
    buf_put(&b, S("}"));
    if (!buf_ok(&b))
        say_not_kept(r, "it is longer than llm.responses.size");
    else if (!shelf_put(&r->w->o.shelf, key_of(r, id), buf_str(&b), r->rq.config->keep_s))
        say_not_kept(r, "too much waits for the store");
}

void kept_put_streamed(llm_run *r, str events)
{
    static const str mark = {"\ndata: ", 7};
    const char *last = NULL;
    for (str rest = events; rest.n;) {
        const char *at = memmem(rest.p, rest.n, mark.p, mark.n);
        if (!at) break;
        last = at + mark.n;
        rest = str_drop(events, (size_t)(last - events.p));
    }
    if (!last) return;
    str data = str_cut(str_drop(events, (size_t)(last - events.p)), '\n').head;
    js_value event;
    if (js_check(r->a, data, KEPT_DEPTH, &event)) return;
    kept_put(r, js_get(event, S("response")));
}

/* Taking */

/* By letter, when the store has answered. */
static void got(loop *at, handle who, str value)
{
    llm_run *r = handle_get(loop_handles(at), &llm_run_type, who);
    if (!r) return;
    r->recalled = arena_dup(r->a, value);
    r->recall_ended = true;
    flow_wake(loop_flows(at), r->flow.self, FLOW_WOKEN);
}

static bool ask(llm_run *r, str id, bool takes)
{
    if (!keeps(r) || !id.n || id.n > ID_MOST) return false;
    loop *at = r->w->o.loop;
    const shelf *from = &r->w->o.shelf;
    return takes ? shelf_take(from, key_of(r, id), at, r->self, got)
                 : shelf_get(from, key_of(r, id), at, r->self, got);
}

static js_value recalled(llm_run *r)
{
    js_value root = {0};
    if (!r->recalled.n || js_check(r->a, r->recalled, KEPT_DEPTH, &root)) return (js_value){0};
    return root;
}

/* The request as if its client had sent the whole conversation. */
static const err *go_on_from(llm_run *r, js_value items)
{
    buf b = buf_new(r->a, r->rq.config->keep_most + r->rq.config->body_limit);
    put_both(&b, items, js_get(r->body.root, S("input")));
    if (!buf_ok(&b)) return err_new(r->a, ERR_TOO_LARGE, "the whole conversation is too long");
    const body_edit edits[] = {{S("input"), buf_str(&b)},
                               {S("previous_response_id"), {0}},
                               {{0}, {0}}};
    str whole = body_edited(r->a, r->body.root, edits);
    r->went_on = true;
    return body_read(r->a, whole, r->rq.config->json_depth, &r->body);
}

flow_go kept_recall(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (r->client != &openai_responses) return FLOW_NEXT;
    if (!r->recall_began) {
        r->goes_on_from = js_text(r->a, js_get(r->body.root, S("previous_response_id")));
        r->recall_began = ask(r, r->goes_on_from, false);
        return r->recall_began ? FLOW_WAIT : FLOW_NEXT;
    }
    if (!r->recall_ended) return FLOW_WAIT;
    js_value items = js_get(recalled(r), S("items"));
    const err *e = items.kind == JS_ARRAY ? go_on_from(r, items) : NULL;
    return e ? llm_fail(r, refusal_of(e)) : FLOW_NEXT;
}

/* GET and DELETE */

static flow_go not_found(llm_run *r, str id)
{
    llm_refusal no = refusal_of(&(err){.kind = ERR_NOT_FOUND});
    no.said.message = arena_fmt(r->a, "Response with id '" STR_FMT "' not found.",
                                STR_ARG(str_take(id, ID_MOST)));
    return llm_fail(r, no);
}

/* {id}, or {id}/input_items: the id, and what is asked of it. */
static str_pair asked_for(const llm_run *r)
{
    return str_cut(str_drop(r->place, strlen(r->endpoint->path)), '/');
}

static flow_go find(llm_run *r, flow_why why, bool takes)
{
    str_pair what = asked_for(r);
    str id = what.head;
    bool known = !what.ok || (!takes && str_eq(what.tail, S("input_items")));
    if (!known) id = (str){0};
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (!r->recall_began) {
        r->recall_began = ask(r, id, takes);
        return r->recall_began ? FLOW_WAIT : not_found(r, what.head);
    }
    if (!r->recall_ended) return FLOW_WAIT;
    js_value response = js_get(recalled(r), S("response"));
    return response.kind == JS_OBJECT ? FLOW_NEXT : not_found(r, id);
}

static flow_go look(void *run, flow_why why)
{
    return find(run, why, false);
}

static flow_go forget(void *run, flow_why why)
{
    return find(run, why, true);
}

static const header as_json[] = {{{"content-type", 12}, {"application/json", 16}}, {{0}, {0}}};

/* What it is asked to send as events has happened long ago. */
static const err *whole(llm_run *r, js_value kept, str *body)
{
    *body = js_get(kept, S("response")).raw;
    if (!str_eq(form_get(r->a, exchange_query(r->x), S("stream")), S("true"))) return NULL;
    return err_new(r->a, ERR_MALFORMED,
                   "this response is complete: only one that runs in the background is streamed");
}

static flow_go show(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    str body = {0};
    js_value kept = recalled(r);
    const err *e = asked_for(r).ok ? kept_items_page(r->a, kept, exchange_query(r->x), &body)
                                   : whole(r, kept, &body);
    if (e) return llm_fail(r, refusal_of(e));
    exchange_reply(r->x, 200, as_json, body);
    return FLOW_DONE;
}

static flow_go confirm(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    jnode *j = jn_object(r->a);
    jn_set_text(j, "id", str_drop(r->place, strlen(r->endpoint->path)));
    jn_set_text(j, "object", S("response"));
    jn_set(j, "deleted", jn_bool(r->a, true));
    exchange_reply(r->x, 200, as_json, jn_dump(r->a, j));
    return FLOW_DONE;
}

static const flow_step look_steps[] = {{.name = "identify", .run = llm_identify},
                                       {.name = "look", .run = look},
                                       {.name = "show", .run = show},
                                       {0}};
static const flow_step forget_steps[] = {{.name = "identify", .run = llm_identify},
                                         {.name = "forget", .run = forget},
                                         {.name = "confirm", .run = confirm},
                                         {0}};
const flow llm_kept_flow = {.name = "kept response",
                            .steps = look_steps,
                            .refuse = llm_refuse,
                            .settle = llm_settle,
                            .release = llm_release,
                            .on_gone = FLOW_CANCEL};
const flow llm_forget_flow = {.name = "forget response",
                              .steps = forget_steps,
                              .refuse = llm_refuse,
                              .settle = llm_settle,
                              .release = llm_release,
                              .on_gone = FLOW_CANCEL};
