/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - a provider's answer on its way to the client.
 *
 * Private to llm/. Three ways through: the bytes as they came, with a tap that reads usage and how
 * the stream ends; the events as they came, but for those the client did not ask for; or
 * events of one dialect written as events of another. Nothing goes to the client before the first
 * content, so that another target can still be tried (llm_first_content). */
#ifndef SP_LLM_ANSWER_H
#define SP_LLM_ANSWER_H
#include "worker.h"

extern const call_events llm_answer_events;

flow_go llm_borrow(void *run, flow_why why); /* the token a cloud lends, where one is wanted */
void answer_begin(llm_run *r);               /* forgets what an earlier attempt left */
void answer_open(llm_run *r);                /* the client's stream begins */
void answer_keep(llm_run *r); /* on its way into the store before the client knows its name */
/* The provider's headers for the client; what is translated is of another type than what came. */
const header *answer_headers(llm_run *r, str type);
void answer_say(llm_run *r); /* losses and quotas, once, with whatever is answered */
flow_go llm_first_content(void *run, flow_why why);
flow_go llm_relay(void *run, flow_why why);
/* This attempt is over: what it used is charged, once. `again`: another counts the request. */
void answer_spend(llm_run *r, bool again);
void answer_settle(llm_run *r); /* usage into the record, whatever became of it */
#endif
