/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - a conversation: POST of any client dialect, to a backend of any.
 *
 * identify, read, route; then attempts, each at the next target of the route: one that the rules
 * deny is skipped (the chosen backend is a fact of the question), one that cannot be
 * reached or is full is followed by the next, as long as nothing of an answer went to the client.
 */
#include "answer.h"
#include "kept.h"
#include "pick.h"
#include "retry.h"
#include "route.h"
#include "upload.h"

static flow_go read_form(llm_run *r, flow_why why)
{
    flow_go go = upload_read(r, why);
    if (go == FLOW_NEXT) record_text(exchange_record(r->x), FACT_MODEL, r->body.model);
    return go;
}

static flow_go read_request(void *run, flow_why why)
{
    llm_run *r = run;
    if (flat_is_form(r->endpoint->flat)) return read_form(r, why);
    if (why == FLOW_GONE) return FLOW_FAIL;
    bool whole = false;
    str bytes = {0};
    const err *e = exchange_body(r->x, r->rq.config->body_limit, &whole, &bytes);
    if (!e && !whole) return FLOW_WAIT;
    if (!e) e = body_read(r->a, bytes, r->rq.config->json_depth, &r->body);
    if (e) return llm_fail(r, refusal_of(e));
    record_text(exchange_record(r->x), FACT_MODEL, r->body.model);
    return FLOW_NEXT;
}

/* Each of its targets asks for a model of its own, whatever the client says. */
static bool names_models(const llm_route *route)
{
    for (size_t i = 0; i < route->target_count; i++)
        if (!route->to[i].model.p) return false;
    return true;
}

static flow_go route(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    question q;
    llm_question(r, r->body.model, (str){0}, false, &q);
    r->route = route_find(r->rq.config, &q, r->a);
    if (!r->route) return llm_fail(r, refusal_no_model(r->a, r->body.model));
    retry_asked(r);
    if (r->body.model.n || names_models(r->route)) return FLOW_NEXT;
    return llm_fail(r, refusal_of(&(err){.kind = ERR_MALFORMED,
                                         .text = S("'model' is empty: name the model to use")}));
}

static llm_refusal denial(const llm_run *r)
{
    if (!r->said.listed && r->said.why != DENIED_SCOPES)
        return refusal_no_model(r->a, r->body.model);
    llm_refusal no = {.kind = "permission_error",
                      .said = {.status = 403, .code = S("denied_by_policy")}};
    no.said.message = r->said.message.p ? r->said.message : S("denied by policy");
    if (r->said.why == DENIED_SCOPES)
        no.said.message = S("the token lacks a scope this model needs");
    return no;
}

/* When none is left, what the last one asked did is the answer, or that all are full, rather than
 * that the rest is denied. */
static flow_go pick(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    r->target = pick_target(r);
    if (r->target) return FLOW_NEXT;
    if (retry_round(r)) return FLOW_AGAIN;
    if (pick_all_full(r)) return llm_fail(r, pick_refusal(r));
    return r->tried_in_vain ? FLOW_FAIL : llm_fail(r, denial(r));
}

static llm_refusal unrecorded(void)
{
    return (llm_refusal){.kind = "server_error",
                         .said = {.status = 503,
                                  .code = S("audit_unavailable"),
                                  .message = S("requests cannot be recorded now")}};
}

static flow_go authorize(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    record *facts = exchange_record(r->x);
    question q;
    llm_question(r, r->body.model, r->target->backend->name, false, &q);
    const llm_config *c = r->rq.config;
    const audit_case asked = {c->rules, c->shadow, c->redact, &q, q.llm.endpoint};
    audit_decide(&r->w->o.audit, &asked, r->a, &r->said);
    record_text(facts, FACT_VERDICT, r->said.permit ? S("permit") : S("deny"));
    record_text(facts, FACT_RULE, r->said.rule);
    if (r->said.error.p) record_text(facts, FACT_RULE_ERROR, r->said.error);
    if (r->said.shadow)
        record_text(facts, FACT_SHADOW, (str){r->said.shadow, strlen(r->said.shadow)});
    if (r->said.why == DENIED_UNRECORDED) return llm_fail(r, unrecorded());
    return r->said.permit ? FLOW_NEXT : FLOW_AGAIN;
}

/* Held before the provider is asked: what it would answer costs money. */
static flow_go take_stream(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    if (!r->body.stream || r->holds_stream) return FLOW_NEXT;
    unsigned most = r->rq.config->streams_per_caller;
    str share = caller_share(r->a, r->who, exchange_record(r->x)->v[FACT_PEER].text);
    r->holds_stream = tally_take(r->w->o.streams, share, most, r->a);
    if (r->holds_stream) return FLOW_NEXT;
    record_text(exchange_record(r->x), FACT_LIMITED, S("streams_per_caller"));
    llm_refusal no = refusal_of(&(err){.kind = ERR_QUOTA});
    no.said.message = arena_fmt(r->a, "no more than %u streams at the same time", most);
    no.retry_s = 1;
    return llm_fail(r, no);
}

bool llm_still_permitted(llm_run *r)
{
    flow_go go = authorize(r, FLOW_ENTER);
    if (go == FLOW_AGAIN) r->refusal = denial(r);
    return go == FLOW_NEXT && take_stream(r, FLOW_ENTER) == FLOW_NEXT;
}

/* Each target may be passed over once a round, and there are no more rounds than retries. */
enum { ATTEMPTS = 20 * (ROUTE_TARGETS + 1) };
const flow_step llm_attempt[] = {
    {.name = "back off", .run = llm_back_off},
    {.name = "pick", .run = pick},
    {.name = "authorize", .run = authorize},
    {.name = "reserve", .run = llm_reserve},
    {.name = "stream", .run = take_stream},
    {.name = "borrow", .run = llm_borrow},
    {.name = "translate", .run = llm_translate},
    {.name = "room", .run = llm_room},
    {.name = "send", .run = llm_send},
    {.name = "first content", .run = llm_first_content},
    {0},
};
static const flow_step steps[] = {
    {.name = "identify", .run = llm_identify},
    {.name = "read", .run = read_request},
    {.name = "recall", .run = kept_recall},
    {.name = "route", .run = route},
    {.name = "attempt", .sub = llm_attempt, .most = ATTEMPTS},
    {.name = "relay", .run = llm_relay},
    {0},
};
const flow llm_chat_flow = {
    .name = "chat",
    .steps = steps,
    .refuse = llm_refuse,
    .settle = llm_settle,
    .release = llm_release,
    .on_gone = FLOW_CANCEL,
};
