/* SPDX-License-Identifier: Apache-2.0 */
#include "llm.h"
#include "../base/clock.h"
#include "schema.h"
#include "worker.h"
#include <stdlib.h>

llm_worker *llm_worker_new(const llm_worker_options *o)
{
    llm_worker *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->o = *o;
    return w;
}

void llm_worker_free(llm_worker *w)
{
    free(w);
}

bool llm_path(arena *a, const llm_prefixes *p, str path)
{
    str place = endpoint_place(a, p, path);
    return llm_endpoint_find(place, (str){0}) != NULL || endpoint_api(place) != NULL;
}

/* A wrong path or method is refused by a flow of its own, so that it ends like every other request.
 */
static flow_go refuse_place(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    if (!r->endpoint)
        return llm_fail(r, (llm_refusal){.kind = "not_found_error",
                                         .said = {.status = 404,
                                                  .code = S("unknown_path"),
                                                  .message = S("nothing is served at this path")}});
    return llm_fail(r, (llm_refusal){.kind = "invalid_request_error",
                                     .said = {.status = 405,
                                              .code = S("method_not_allowed"),
                                              .message = S("this path takes another method")},
                                     .allow = endpoint_allow(r->a, exchange_path(r->x)).p});
}

static const flow_step wrong_place_steps[] = {{.name = "refuse", .run = refuse_place}, {0}};
static const flow wrong_place = {.name = "wrong place",
                                 .steps = wrong_place_steps,
                                 .refuse = llm_refuse,
                                 .settle = llm_settle,
                                 .release = llm_release,
                                 .on_gone = FLOW_CANCEL};

void llm_serve(llm_worker *w, exchange *x, const llm_request *rq)
{
    arena *a = exchange_arena(x);
    llm_run *r = NEW(a, llm_run);
    r->w = w;
    r->x = x;
    r->a = a;
    r->rq = *rq;
    r->now_ms = clock_wall_ms();
    r->place = endpoint_place(a, &rq->config->prefixes, exchange_path(x));
    r->endpoint = llm_endpoint_find(r->place, exchange_method(x));
    r->client = r->endpoint ? r->endpoint->dialect : endpoint_api(r->place);
    r->self = handle_add(loop_handles(w->o.loop), &llm_run_type, r);
    record *facts = exchange_record(x);
    record_text(facts, FACT_DOOR, S("llm"));
    record_text(facts, FACT_ENDPOINT, r->endpoint ? endpoint_name(r->endpoint) : exchange_path(x));
    str method = exchange_method(x);
    bool right = r->endpoint && r->endpoint->needs != ENDPOINT_NEEDS_UNSET &&
                 str_eq(method, (str){r->endpoint->method, strlen(r->endpoint->method)});
    flow_start(&r->flow, loop_flows(w->o.loop), right ? r->endpoint->steps : &wrong_place, r);
    exchange_attach(x, &r->flow);
}
