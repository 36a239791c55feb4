/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - what the files of this product share: one worker's state, one request's state.
 *
 * Private to llm/. A run lives in its exchange's arena and dies with it. */
#ifndef SP_LLM_WORKER_H
#define SP_LLM_WORKER_H
#include "body.h"
#include "endpoint.h"
#include "llm.h"
#include "refuse.h"
#include "usage.h"

struct llm_worker {
    llm_worker_options o;
    uint64_t turn; /* spreads weighted targets; a counter is enough, chance is not needed */
};

typedef struct llm_run {
    flow_run flow;
    llm_worker *w;
    exchange *x;
    arena *a;
    llm_request rq;
    const llm_endpoint *endpoint;
    const caller *who;
    bool keys_asked, holds_stream;

    llm_body body;
    const llm_route *route;
    const llm_target *target;
    uint64_t tried; /* bit per target of the route */
    verdict said;   /* of the last target asked */
    llm_refusal refusal;

    handle self; /* what the upstream call knows us by */
    call *call;  /* NULL: none open */
    int upstream_status;
    bool has_head, coded, streamed, ended, failed;
    header *reply_headers;
    buf answer; /* a whole answer, collected */
    sink *out;  /* a streamed one */
    usage_tap *tap;
    int64_t sent_ms;
} llm_run;

extern const char llm_run_type; /* its address marks our handles */

/* The steps that every endpoint begins with. */
flow_go llm_identify(void *run, flow_why why);
void llm_refuse(void *run); /* flow.refuse: writes run->refusal in the OpenAI shape */
void llm_settle(void *run);
void llm_release(void *run);
flow_go llm_fail(llm_run *r, llm_refusal why); /* remembers why, returns FLOW_FAIL */

extern const flow llm_chat_flow, llm_models_flow, llm_model_flow;

/* Fills the question about a model as this caller asks it now. */
void llm_question(const llm_run *r, str model, str backend, bool listing, question *q);
#endif
