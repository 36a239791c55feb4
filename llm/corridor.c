/* SPDX-License-Identifier: Apache-2.0 */
/* corridor.c - what every request of this door has in common: who is calling, and both ends. */
#include "answer.h"

const char llm_run_type;

enum { THEIRS_MOST = 32 };

flow_go llm_fail(llm_run *r, llm_refusal why)
{
    r->refusal = why;
    return FLOW_FAIL;
}

static flow_go unauthenticated(llm_run *r, const char *why)
{
    str reason = why ? (str){why, strlen(why)} : S("no credential was sent");
    llm_refusal no = refusal_of(&(err){.kind = ERR_UNAUTHENTICATED});
    no.said.message = arena_fmt(r->a, "not authenticated: " STR_FMT, STR_ARG(reason));
    no.challenge = why ? S("Bearer error=\"invalid_token\"") : S("Bearer");
    return llm_fail(r, no);
}

static flow_go unknown_for_now(llm_run *r)
{
    llm_refusal no = refusal_of(&(err){.kind = ERR_UPSTREAM});
    no.said.status = 503;
    no.said.message = S("the issuer of this token cannot be asked now");
    no.retry_s = 1;
    return llm_fail(r, no);
}

flow_go llm_identify(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    identity_detail detail = {0};
    identity_result result = identify(r->w->o.tokens, r->rq.config->who,
                                      identity_credential(r->a, exchange_headers(r->x)), r->now_ms,
                                      !r->keys_asked, &r->who, &detail);
    switch (result) {
    case IDENTITY_OK:
        caller_own(r->a, r->who);
        record_text(exchange_record(r->x), FACT_CALLER, r->who->id);
        return FLOW_NEXT;
    case IDENTITY_NONE: return unauthenticated(r, NULL);
    case IDENTITY_BAD: return unauthenticated(r, detail.why);
    case IDENTITY_AWAY: return unknown_for_now(r);
    case IDENTITY_WANTS_KEYS:
        r->keys_asked = true;
        r->w->o.services.want_keys(r->w->o.services.ctx, &detail, r->flow.self);
        return FLOW_WAIT;
    }
    return unauthenticated(r, "unknown result");
}

void llm_question(const llm_run *r, str model, str backend, bool listing, question *q)
{
    static const str acting = {"/v1/chat/completions",
                               20}; /* what a listed model would be called by */
    str path = endpoint_name(r->endpoint);
    *q = (question){
        .kind = SUBJECT_MODEL,
        .name = model,
        .listing = listing,
        .who = r->who,
        .now_ms = r->now_ms,
        .http = {.method = listing ? S("POST") : exchange_method(r->x),
                 .path = listing ? acting : exchange_path(r->x),
                 .host = exchange_host(r->x),
                 .headers = exchange_headers(r->x)},
        .llm = {.model = model,
                .endpoint = listing ? acting : path,
                .backend = backend,
                .stream = r->body.stream,
                .params = r->body.root},
        .source_ip =
            exchange_record(r->x)->v[FACT_PEER].text, /* the client's, behind trusted proxies */
        .quotas = r->w->o.quotas,
    };
}

/* The provider's limits, for those who wait as they are told. */
static size_t add_theirs(const llm_run *r, header *extra)
{
    size_t n = 0;
    for (const header *h = r->reply_headers; h && h->name.p && n < THEIRS_MOST; h++)
        if (!header_name_is(h->name, S("content-type"))) extra[n++] = *h;
    return n;
}

void llm_refuse(void *run)
{
    llm_run *r = run;
    if (!r->refusal.said.status) r->refusal = refusal_of(&(err){.kind = ERR_BUG});
    const llm_refusal *no = &r->refusal;
    record_text(exchange_record(r->x), FACT_ERROR, (str){no->kind, strlen(no->kind)});
    header extra[THEIRS_MOST + 7] = {{S("content-type"), S("application/json")}};
    size_t n = 1;
    if (no->challenge.p) extra[n++] = (header){S("www-authenticate"), no->challenge};
    if (no->allow) extra[n++] = (header){S("allow"), {no->allow, strlen(no->allow)}};
    if (no->retry_s)
        extra[n++] = (header){S("retry-after"), arena_fmt(r->a, "%lld", (long long)no->retry_s)};
    if (no->never) extra[n++] = (header){S("x-should-retry"), S("false")};
    if (no->theirs) n += add_theirs(r, extra + n);
    if (no->said.retry_after.n && !header_get(extra, S("retry-after")).p)
        extra[n] = (header){S("retry-after"), no->said.retry_after};
    bill_say(r);
    exchange_reply(r->x, no->said.status, extra, refusal_body(r->a, r->client, no));
}

void llm_settle(void *run)
{
    llm_run *r = run;
    loop_timer_stop(r->w->o.loop, &r->timer);
    record *facts = exchange_record(r->x);
    answer_settle(r);
    if (r->call) call_cancel(r->call);
    r->call = NULL;
    if (exchange_gone(r->x)) record_text(facts, FACT_ERROR, S("client_gone"));
    r->rq.finished(r->rq.ctx, r->x);
}

void llm_release(void *run)
{
    llm_run *r = run;
    handle_drop(loop_handles(r->w->o.loop), r->self);
    exchange_release(r->x); /* r lived in its arena */
}
