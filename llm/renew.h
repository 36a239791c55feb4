/* SPDX-License-Identifier: Apache-2.0 */
/* renew.h - whether a request that its provider did not let in is sent once more.
 *
 * Private to llm/. A token may be taken back before its time, and a clock of ours may be wrong:
 * both are learnt from the refusal, and mended once a request. Whatever else a provider refuses is
 * the caller's to hear. */
#ifndef SP_LLM_RENEW_H
#define SP_LLM_RENEW_H
#include "worker.h"

/* After a failed attempt. True: the same target may be tried again. */
bool renew_again(llm_run *r);
#endif
