/* SPDX-License-Identifier: Apache-2.0 */
/* estimate.h - what a request may use, before anybody has counted.
 *
 * A guess, put right by the settlement: text is taken for four bytes a token, and what looks like
 * a picture or a file in base64 for what those usually come to. Of the answer the client says how
 * long it may be; where it does not, the one who asks says what to assume. Pure. Threads: any. */
#ifndef SP_LLM_ESTIMATE_H
#define SP_LLM_ESTIMATE_H
#include "flat.h"

int64_t estimate_text(str body); /* tokens */
/* Tokens of an answer at most, of all that are asked for together; -1: the request does not say. */
int64_t estimate_answer(flat_kind kind, js_value body);
#endif
