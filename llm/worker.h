/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - what the files of this product share: one worker's state, one request's state.
 *
 * Private to llm/. A run lives in its exchange's arena and dies with it. */
#ifndef SP_LLM_WORKER_H
#define SP_LLM_WORKER_H
#include "bill.h"
#include "endpoint.h"
#include "frames.h"
#include "price_memo.h"
#include "refuse.h"
#include "usage.h"

struct llm_worker {
    llm_worker_options o;
    uint64_t turn;   /* spreads weighted targets; a counter is enough, chance is not needed */
    unsigned budget; /* retries that may be made, in hundredths (retry.c) */
    bool has_budget;
    price_memo prices;
};

typedef struct llm_upload llm_upload;

typedef struct llm_run {
    flow_run flow;
    llm_worker *w;
    exchange *x;
    arena *a;
    llm_request rq;
    str place; /* the path, as it is under the usual prefixes */
    const llm_endpoint *endpoint;
    const caller *who;
    int64_t now_ms; /* wall clock, when it came */
    bool keys_asked, holds_stream;

    const llm_dialect *client, *provider; /* of this attempt */
    llm_body body;
    llm_chat chat;  /* read whole only for a provider of another family: chat.reader */
    llm_loss *loss; /* NULL: the bytes pass */
    bool passes, hides_usage, losses_said;
    llm_head head;
    lease_token lent;     /* to the backend of this attempt */
    bool renewed;         /* once a request: what lets it in was had anew */
    llm_upload *upload;   /* a form with a file; NULL: none */
    const flat_row *flat; /* an endpoint without a conversation, at this target */
    str request[3];       /* the body that is sent */
    const llm_route *route;
    const llm_target *target;
    uint64_t tried;     /* bit per target of the route */
    standing_hold hold; /* of this attempt */
    int64_t full_ms;    /* when the first of those that are full may have room; 0: none is */
    struct llm_run *beside, *rival, *winner; /* hedge.h */
    size_t at_step;                          /* of one beside another */
    bool given_up, noted;                    /* noted: its failure was, and is not charged yet */
    unsigned attempts, rounds;
    int64_t pause_ms; /* before the next attempt */
    loop_timer timer;
    verdict said; /* of the last target asked */
    llm_refusal refusal;

    str goes_on_from, recalled; /* previous_response_id; what the store had of it */
    bool recall_began, recall_ended, went_on, kept;

    handle self; /* what the upstream call knows us by */
    call *call;  /* NULL: none open */
    int upstream_status;
    bool has_head, coded, streamed, ended, failed;
    bool fresh; /* nothing of the answer came yet: its first byte says whether it is a stream */
    bool tried_in_vain; /* some target was asked and did not answer well: see refusal */
    bool over_quota;    /* that is a quota's of ours, and nothing was asked since */
    const err *broken;  /* what came cannot be read on */
    const header *upstream_headers;
    header *reply_headers; /* those of them that the client gets */
    buf answer;            /* a whole answer, collected */
    sink *out;             /* a streamed one */
    llm_usage used, spent; /* by a whole answer; by the attempts that are over */
    llm_bill bill;
    usage_tap *tap; /* the bytes pass; else: */
    llm_frames *frames;
    llm_stream stream;
    buf piece; /* for the client, not sent yet */
    int64_t sent_ms;
} llm_run;

extern const char llm_run_type; /* its address marks our handles */

/* The steps that every endpoint begins with. */
flow_go llm_identify(void *run, flow_why why);
void llm_refuse(void *run); /* flow.refuse: writes run->refusal as the client's dialect does */
flow_go llm_translate(void *run, flow_why why);
flow_go llm_send(void *run, flow_why why);
void llm_settle(void *run);
void llm_release(void *run);
/* What was learnt late may change what the rules say of this target; false: see run->refusal. */
bool llm_still_permitted(llm_run *r);
flow_go llm_fail(llm_run *r, llm_refusal why); /* remembers why, returns FLOW_FAIL */

extern const flow_step llm_attempt[]; /* one attempt; ends with llm_first_content and {0} */
extern const flow llm_chat_flow, llm_models_flow, llm_model_flow;

/* Fills the question about a model as this caller asks it now. */
void llm_question(const llm_run *r, str model, str backend, bool listing, question *q);
#endif
