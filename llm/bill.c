/* SPDX-License-Identifier: Apache-2.0 */
/* bill.c - reserving for an attempt, and the account of it.
 *
 * Where the client does not say how long the answer may be, one of some length is set aside, and
 * less of it when there is not that much left: so the rest of a quota can be spent, by few at a
 * time. */
#include "bill.h"
#include "../authz/quota_say.h"
#include "estimate.h"
#include "schema.h"
#include "upload.h"
#include "worker.h"

static const int64_t assumed[] = {1024, 128, 16, 1}; /* tokens of an answer */
enum { TRIES = sizeof assumed / sizeof *assumed, BYTES_OF_SOUND = 800 /* a token */ };

static const price nothing; /* of counting tokens */

static bool only_counts(flat_kind k)
{
    return k == FLAT_INPUT_TOKENS || k == FLAT_TOKENIZE || k == FLAT_COUNT_TOKENS;
}

/* A deployment may have a name of its own: it then costs what was asked for. */
static const price *price_here(const llm_run *r)
{
    const prices *all = r->rq.config->prices;
    price_memo *memo = &r->w->prices;
    const llm_backend *b = r->target->backend;
    str seller = schema_seller(b->schema);
    const price *p = NULL;
    if (only_counts(r->endpoint->flat)) return &nothing;
    if (r->target->model.p) p = price_memo_find(memo, all, b->name, seller, r->target->model);
    return p ? p : price_memo_find(memo, all, b->name, seller, r->body.model);
}

static void measure(llm_run *r)
{
    llm_bill *b = &r->bill;
    if (b->measured) return;
    b->measured = true;
    b->answer = estimate_answer(r->endpoint->flat, r->body.root);
    if (only_counts(r->endpoint->flat)) return;
    b->input = estimate_text(r->body.root.raw) + estimate_text(r->recalled);
    if (r->upload) b->input += (int64_t)(upload_length(r) / BYTES_OF_SOUND);
}

static int64_t answer_length(const llm_bill *b)
{
    return b->answer < 0 ? assumed[b->tries] : b->answer;
}

static quota_usage for_quota(const llm_usage *u, const price *p)
{
    return (quota_usage){.input = u->input.v,
                         .cached_input = u->cache_read.v,
                         .cache_write = u->cache_write.v + u->cache_write_1h.v,
                         .output = usage_completion(u),
                         .reasoning = u->reasoning.v,
                         .usd_micro = p ? price_cost(p, u) : 0};
}

static quota_usage estimate(const llm_bill *b)
{
    const llm_usage u = {.input = {true, b->input}, .output = {true, answer_length(b)}};
    return for_quota(&u, b->price);
}

/* Refusals */

static void write_down(const llm_run *r, str quota, bool shadow)
{
    const llm_config *c = r->rq.config;
    question q;
    llm_question(r, r->body.model, r->target->backend->name, false, &q);
    const audit_case about = {c->rules, c->shadow, c->redact, &q, q.llm.endpoint};
    record_text(exchange_record(r->x), shadow ? FACT_QUOTA_SHADOW : FACT_QUOTA, quota);
    audit_quota(&r->w->o.audit, &about, quota, shadow, r->a);
}

static flow_go refuse(llm_run *r, const quota_view *v, llm_refusal no)
{
    record_text(exchange_record(r->x), FACT_LIMITED, S("quota"));
    write_down(r, v->id, false);
    r->tried_in_vain = r->over_quota = true;
    r->refusal = no;
    return FLOW_AGAIN; /* the quota may be of this backend alone */
}

static flow_go refuse_full(llm_run *r, const quota_refusal *full)
{
    static const err used_up = {.kind = ERR_QUOTA};
    llm_refusal no = refusal_of(&used_up);
    if (full->error.n) record_text(exchange_record(r->x), FACT_ERROR_TEXT, full->error);
    if (full->why == QUOTA_UNTOLD)
        no = (llm_refusal){.kind = "permission_error",
                           .said = {.status = 403, .code = S("quota_unknown")}};
    if (full->why == QUOTA_AWAY)
        no = (llm_refusal){.kind = "server_error",
                           .said = {.status = 503, .code = S("quota_unavailable")}};
    no.said.message = full->message;
    no.retry_s = quota_seconds(full->retry_after_ms);
    no.never = no.said.status == 429 && !no.retry_s;
    r->bill.view = full->view;
    r->bill.has_view = no.said.status == 429;
    return refuse(r, &full->view, no);
}

/* The first budget in money that would have to count it; NULL: none. */
static const policy_quota *budget_of(llm_run *r, const question *q)
{
    const policy_due *due = NULL;
    size_t n = policy_quotas_due(r->rq.config->rules, q, r->a, &due);
    for (size_t i = 0; i < n; i++)
        if (due[i].quota->money && !due[i].quota->shadow) return due[i].quota;
    return NULL;
}

static flow_go refuse_unpriced(llm_run *r, const policy_quota *budget)
{
    const quota_view v = {.id = budget->id};
    llm_refusal no = {.kind = "permission_error",
                      .said = {.status = 403, .code = S("price_unknown")}};
    no.said.message = arena_fmt(r->a,
                                "nobody knows what the model `" STR_FMT
                                "` costs, and a budget would have to count it",
                                STR_ARG(str_take(r->body.model, 200)));
    return refuse(r, &v, no);
}

/* The step */

static void note_room(llm_run *r)
{
    llm_bill *b = &r->bill;
    str shadowed = quota_shadowed(b->hold);
    b->has_view = quota_tightest(b->hold, &b->view);
    if (shadowed.p) write_down(r, shadowed, true);
}

static bool may_be_shorter(const llm_bill *b, const quota_refusal *no)
{
    return b->answer < 0 && b->tries + 1 < TRIES &&
           (no->why == QUOTA_USED_UP || no->why == QUOTA_TOO_LARGE);
}

static flow_go ask(llm_run *r)
{
    llm_bill *b = &r->bill;
    question q;
    llm_question(r, r->body.model, r->target->backend->name, false, &q);
    const policy_quota *budget = b->price ? NULL : budget_of(r, &q);
    if (budget) return refuse_unpriced(r, budget);
    for (;;) {
        quota_refusal no = {0};
        const quota_request rq = {.rules = r->rq.config->rules,
                                  .about = &q,
                                  .estimate = estimate(b),
                                  .waiter = r->flow.self};
        switch (quota_reserve(r->w->o.quotas, &rq, r->a, &b->hold, &no)) {
        case QUOTA_ROOM: note_room(r); return FLOW_NEXT;
        case QUOTA_WAIT: return FLOW_WAIT;
        case QUOTA_FULL: break;
        }
        if (!may_be_shorter(b, &no)) return refuse_full(r, &no);
        b->tries++;
    }
}

flow_go llm_reserve(void *run, flow_why why)
{
    llm_run *r = run;
    llm_bill *b = &r->bill;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (why == FLOW_ENTER) {
        if (b->opened) quota_settle(b->hold, NULL, QUOTA_UNSENT); /* it was never made */
        b->hold = NULL;
        b->price = price_here(r);
        b->opened = true;
        b->sent = b->has_view = false;
        b->tries = 0;
    }
    bool any = policy_quota_count(r->rq.config->rules) || r->who->budget;
    if (!r->w->o.quotas || !any) return FLOW_NEXT;
    measure(r);
    return ask(r);
}

/* The account */

static void guess(llm_run *r, llm_usage *u, int64_t seen)
{
    llm_bill *b = &r->bill;
    measure(r);
    int64_t output = answer_length(b) > seen ? answer_length(b) : seen;
    if (!u->input.set) u->input = (opt_int){true, b->input};
    if (usage_completion(u) < output) u->output = (opt_int){true, output - u->reasoning.v};
}

void bill_close(llm_run *r, const bill_end *end)
{
    llm_bill *b = &r->bill;
    llm_usage u = end->used;
    if (!b->opened) return;
    b->opened = false;
    if (!b->sent) {
        quota_settle(b->hold, NULL, QUOTA_UNSENT);
        return;
    }
    if (end->basis == BILL_GUESSED) guess(r, &u, end->seen);
    bool is_free = end->basis == BILL_REFUSED && usage_prompt(&u) + usage_completion(&u) == 0;
    quota_usage q = for_quota(&u, is_free ? &nothing : b->price);
    quota_settle(b->hold, &q, end->again ? QUOTA_AGAIN : QUOTA_DONE);
    if (!b->price) return;
    b->cost += q.usd_micro;
    b->has_cost = true;
    b->guessed |= end->basis == BILL_GUESSED;
}

void bill_say(llm_run *r)
{
    header list[QUOTA_HEADERS];
    if (!r->bill.has_view) return;
    r->bill.has_view = false;
    quota_headers(r->a, &r->bill.view, list);
    for (const header *h = list; h->name.p; h++) exchange_add_header(r->x, h->name, h->value);
}

void bill_record(const llm_run *r)
{
    record *facts = exchange_record(r->x);
    if (!r->bill.has_cost) return;
    record_number(facts, FACT_COST, r->bill.cost);
    if (r->bill.guessed) record_number(facts, FACT_COST_GUESSED, 1);
}
