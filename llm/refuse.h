/* SPDX-License-Identifier: Apache-2.0 */
/* refuse.h - what a client sees of a request that came to nothing.
 *
 * A refusal is a value; the client's dialect gives it its shape. Failures inside have one table
 * from their kind; their text stays in the operator's log, but for MALFORMED and TOO_LARGE, which
 * are about the client's own bytes. */
#ifndef SP_LLM_REFUSE_H
#define SP_LLM_REFUSE_H
#include "dialect.h"

typedef struct {
    llm_error said;
    const char *kind;  /* for the record: "permission_error" */
    str challenge;     /* WWW-Authenticate, {0}: none */
    const char *allow; /* Allow, for 405 */
    int64_t retry_s;   /* Retry-After; 0: not said */
    bool never;        /* it is not worth another try */
    bool theirs;       /* the provider's own error: its rate-limit headers go along */
} llm_refusal;

llm_refusal refusal_of(const err *e);
llm_refusal refusal_no_model(arena *a, str model); /* the same for hidden and for missing */
/* What the provider answered instead, in neutral words: its status as the client is to see it, its
 * message. */
llm_refusal refusal_theirs(arena *a, const llm_error *e, const llm_dialect *asked,
                           const llm_dialect *provider);
str refusal_body(arena *a, const llm_dialect *asked, const llm_refusal *r);
#endif
