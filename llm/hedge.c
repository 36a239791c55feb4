/* SPDX-License-Identifier: Apache-2.0 */
#include "hedge.h"
#include "answer.h"
#include "route.h"

llm_run *hedge_lead(llm_run *r)
{
    return r->winner ? r->winner : r;
}

bool hedge_wins(llm_run *r)
{
    llm_run *first = r->beside ? r->beside : r;
    if (!first->winner) first->winner = r;
    return first->winner == r;
}

/* What an attempt leaves behind stays with the one that made it. */
static llm_run *rival_of(llm_run *r)
{
    llm_run *h = NEW(r->a, llm_run);
    *h = *r;
    h->beside = r;
    h->self = handle_add(loop_handles(r->w->o.loop), &llm_run_type, h);
    h->timer = (loop_timer){0};
    h->hold = (standing_hold){0};
    h->stream = (llm_stream){0};
    h->chat.reader = NULL; /* it marks what was read for one provider */
    h->chat.from = NULL;
    h->call = NULL;
    h->spent = (llm_usage){0};
    h->bill = (llm_bill){0};
    h->at_step = 0;
    return h;
}

/* Through the steps of an attempt, as a flow would, until it has been sent or must wait. */
static void drive(llm_run *h, flow_why why)
{
    llm_run *r = h->beside;
    while (!h->given_up && llm_attempt[h->at_step].run != llm_first_content) {
        flow_go go = llm_attempt[h->at_step].run(h, why);
        r->tried |= h->tried;
        r->attempts = h->attempts;
        why = FLOW_ENTER;
        if (go == FLOW_WAIT) return;
        if (go == FLOW_NEXT) h->at_step++;
        if (go == FLOW_AGAIN) h->at_step = 0;
        h->given_up = go == FLOW_FAIL || go == FLOW_DONE;
    }
}

static void begin(llm_run *r)
{
    r->rival = rival_of(r);
    drive(r->rival, FLOW_ENTER);
}

void hedge_go(llm_run *r, flow_why why)
{
    if (r->rival) {
        drive(r->rival, why);
        return;
    }
    if (!r->route->hedge_ms || !r->call || r->upload || !route_has_more(r->route, r->tried)) return;
    int64_t left = r->sent_ms + r->route->hedge_ms - loop_now_ms(r->w->o.loop);
    if (left <= 0)
        begin(r);
    else
        loop_wake_late(r->w->o.loop, &r->timer, left, &r->flow);
}

void hedge_end(llm_run *r)
{
    llm_run *h = r->rival;
    if (!h) return;
    answer_spend(h, true);
    if (h->call) call_cancel(h->call);
    h->call = NULL;
    usage_add(&r->spent, &h->spent);
    r->bill.cost += h->bill.cost;
    r->bill.has_cost |= h->bill.has_cost;
    r->bill.guessed |= h->bill.guessed;
    handle_drop(loop_handles(h->w->o.loop), h->self);
    r->rival = r->winner = NULL;
}
