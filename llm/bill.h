/* SPDX-License-Identifier: Apache-2.0 */
/* bill.h - what an attempt may cost is set aside before it is made, what it did cost is counted.
 *
 * Private to llm/. Each attempt has a bill of its own, also one that is given up for another: it
 * is opened by the step `reserve` and closed once (bill_close). A provider that has not said what
 * it did is taken to have done what was set aside, or what was seen of it where that is more: never
 * nothing. What never reached a provider costs nothing. */
#ifndef SP_LLM_BILL_H
#define SP_LLM_BILL_H
#include "../authz/quota.h"
#include "../base/flow.h"
#include "reply.h"

struct llm_run;
struct price;

typedef struct {
    quota_hold *hold;          /* NULL: no quota names it */
    const struct price *price; /* NULL: not known */
    int64_t input, answer;     /* tokens of the request; of its answer, -1: it does not say */
    unsigned tries;            /* how short an answer is assumed (bill.c) */
    bool measured, opened, sent;
    quota_view view; /* of the tightest quota, or of the one that refuses */
    bool has_view;   /* and it was not told yet */
    int64_t cost;    /* of all attempts, in micro-dollars */
    bool has_cost, guessed;
} llm_bill;

flow_go llm_reserve(void *run, flow_why why);
typedef enum { BILL_SAID, BILL_GUESSED, BILL_REFUSED } bill_basis;
typedef struct {
    llm_usage used; /* as far as the provider has said */
    int64_t seen;   /* tokens of its answer */
    bill_basis basis;
    bool again; /* another attempt at the same request counts it */
} bill_end;
void bill_close(struct llm_run *r, const bill_end *end); /* the attempt is over */
void bill_say(struct llm_run *r);          /* headers, once, with whatever is answered */
void bill_record(const struct llm_run *r); /* at the end */
#endif
