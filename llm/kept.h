/* SPDX-License-Identifier: Apache-2.0 */
/* kept.h - answers of the Responses API, kept for providers that keep none.
 *
 * Where the configuration says for how long, an answer that was translated is kept with all that
 * led to it, for its caller alone; callers without a name keep nothing. A request that goes on
 * from it (`previous_response_id`) is read with the kept items before its own, so every target of
 * a route can answer it. What is not found here is the provider's business.
 * Private to llm/. */
#ifndef SP_LLM_KEPT_H
#define SP_LLM_KEPT_H
#include "worker.h"

/* Would this request's answer be kept, were it translated? */
bool kept_wanted(const llm_run *r);
/* Keeps the response: once, whatever is said again. */
void kept_put(llm_run *r, js_value response);
/* The same for a stream whose last events stand in `events`. */
void kept_put_streamed(llm_run *r, str events);

/* The step that reads what a request goes on from. */
flow_go kept_recall(void *run, flow_why why);
/* GET, DELETE /v1/responses/{id}; GET /v1/responses/{id}/input_items */
extern const flow llm_kept_flow, llm_forget_flow;
#endif
