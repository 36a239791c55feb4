/* SPDX-License-Identifier: Apache-2.0 */
/* hedge.h - a second attempt beside one that has said nothing for long; the first answer wins.
 *
 * Private to llm/. Where the route says after how long. The rival is a run of its own in the same
 * exchange, at another target of the route, and goes through the same steps; it has no flow: what
 * wakes it wakes the run it stands beside, which then drives it on. The one that has content first
 * answers, the other is cancelled at once; both are charged. What an upload sent is gone and has no
 * rival. */
#ifndef SP_LLM_HEDGE_H
#define SP_LLM_HEDGE_H
#include "worker.h"

/* Of the step that waits for content: begins what is due, drives on what was begun. */
void hedge_go(llm_run *r, flow_why why);
/* May this one of the two speak? Asked when it is about to; the first who asks may. */
bool hedge_wins(llm_run *r);
void hedge_end(llm_run *r);      /* the rival, if there is one, is given up and charged */
llm_run *hedge_lead(llm_run *r); /* the one that answers */
#endif
