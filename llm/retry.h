/* SPDX-License-Identifier: Apache-2.0 */
/* retry.h - whether a request that failed is tried once more.
 *
 * Private to llm/. Only while nothing of an answer went to the client. Another target comes at
 * once; one that was tried already only after a pause. What is tried again is a share of what is
 * asked (the budget): retries must not bury a provider that is down already. */
#ifndef SP_LLM_RETRY_H
#define SP_LLM_RETRY_H
#include "worker.h"

void retry_asked(llm_run *r); /* once a request: it adds to the budget */
/* RETRY_* that the failure of an attempt may be called; 0: it was none another could mend. */
unsigned retry_failure(const llm_run *r);
/* After a failed attempt. True: the next one may begin, with llm_back_off. */
bool retry_again(llm_run *r);
/* No target is left of a round. True: another round may begin, since some were passed over as full
 * and the others failed, and may be well by now. */
bool retry_round(llm_run *r);
flow_go llm_back_off(void *run, flow_why why);
#endif
