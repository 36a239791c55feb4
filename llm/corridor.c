/* SPDX-License-Identifier: Apache-2.0 */
/* corridor.c - what every request of this door has in common: who is calling, and both ends. */
#include "../base/clock.h"
#include "worker.h"

const char llm_run_type;

flow_go llm_fail(llm_run *r, llm_refusal why)
{
    r->refusal = why;
    return FLOW_FAIL;
}

static flow_go unauthenticated(llm_run *r, const char *why)
{
    str reason = why ? (str){why, strlen(why)} : S("no credential was sent");
    return llm_fail(r,
                    (llm_refusal){
                        .status = 401,
                        .type = "authentication_error",
                        .code = "invalid_api_key",
                        .message = arena_fmt(r->a, "not authenticated: " STR_FMT, STR_ARG(reason)),
                        .challenge = why ? S("Bearer error=\"invalid_token\"") : S("Bearer"),
                    });
}

flow_go llm_identify(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    identity_detail detail = {0};
    identity_result result =
        identify(r->w->o.tokens, r->rq.config->who, exchange_header(r->x, S("authorization")),
                 clock_wall_ms(), !r->keys_asked, &r->who, &detail);
    switch (result) {
    case IDENTITY_OK:
        caller_own(r->a, r->who);
        record_text(exchange_record(r->x), FACT_CALLER, r->who->id);
        return FLOW_NEXT;
    case IDENTITY_NONE: return unauthenticated(r, NULL);
    case IDENTITY_BAD: return unauthenticated(r, detail.why);
    case IDENTITY_WANTS_KEYS:
        r->keys_asked = true;
        r->w->o.services.want_keys(r->w->o.services.ctx, detail.issuer, r->flow.self);
        return FLOW_WAIT;
    }
    return unauthenticated(r, "unknown result");
}

void llm_question(const llm_run *r, str model, str backend, bool listing, question *q)
{
    static const str acting = {"/v1/chat/completions",
                               20}; /* what a listed model would be called by */
    str path = exchange_path(r->x);
    *q = (question){
        .kind = SUBJECT_MODEL,
        .name = model,
        .listing = listing,
        .who = r->who,
        .now_ms = clock_wall_ms(),
        .http = {.method = listing ? S("POST") : exchange_method(r->x),
                 .path = listing ? acting : path,
                 .host = exchange_host(r->x),
                 .headers = exchange_headers(r->x)},
        .llm = {.model = model,
                .endpoint = listing ? acting : path,
                .backend = backend,
                .stream = r->body.stream,
                .params = r->body.root},
        .source_ip =
            exchange_record(r->x)->v[FACT_PEER].text, /* the client's, behind trusted proxies */
    };
}

void llm_refuse(void *run)
{
    llm_run *r = run;
    if (!r->refusal.status) r->refusal = refusal_of(&(err){.kind = ERR_BUG});
    str body = refusal_body(r->a, &r->refusal);
    record_text(exchange_record(r->x), FACT_ERROR, (str){r->refusal.type, strlen(r->refusal.type)});
    header extra[5] = {{S("content-type"), S("application/json")}};
    size_t n = 1;
    if (r->refusal.challenge.p) extra[n++] = (header){S("www-authenticate"), r->refusal.challenge};
    if (r->refusal.allow)
        extra[n++] = (header){S("allow"), {r->refusal.allow, strlen(r->refusal.allow)}};
    if (r->refusal.retry) extra[n++] = (header){S("retry-after"), S("1")};
    exchange_reply(r->x, r->refusal.status, extra, body);
}

void llm_settle(void *run)
{
    llm_run *r = run;
    if (r->call) call_cancel(r->call);
    r->call = NULL;
    record *facts = exchange_record(r->x);
    if (r->tap) usage_record(usage_tap_total(r->tap), facts);
    if (exchange_gone(r->x)) record_text(facts, FACT_ERROR, S("client_gone"));
    r->rq.finished(r->rq.ctx, r->x);
}

void llm_release(void *run)
{
    llm_run *r = run;
    handle_drop(loop_handles(r->w->o.loop), r->self);
    exchange_release(r->x); /* r lived in its arena */
}
