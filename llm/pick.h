/* SPDX-License-Identifier: Apache-2.0 */
/* pick.h - which target of its route a request is sent to.
 *
 * Private to llm/. First those that work and have room, by priority, then by weight or by the
 * route's sticky key; then those that are left out for failing, the least bad first, for it may be
 * well again; last those that are full, so that the rules are asked of them too. What is full when
 * its time comes is not sent to (llm_room). Never are more left out than the route allows.
 * Keys: "header:NAME", "prompt_cache_key", "caller"; the first of them that the request has. */
#ifndef SP_LLM_PICK_H
#define SP_LLM_PICK_H
#include "worker.h"

const llm_target *pick_target(llm_run *r); /* the next that was not tried; NULL: none */
flow_go llm_room(void *run, flow_why why); /* takes what this attempt will use */
/* The attempt is over, whatever became of it. Twice is fine. */
void pick_over(llm_run *r, int64_t tokens);
/* Is it for want of room that nothing was answered? Then what is said of it. */
bool pick_all_full(const llm_run *r);
llm_refusal pick_refusal(llm_run *r);
/* When some target of the route has room; 0: now. */
int64_t pick_room_at(llm_run *r);
#endif
