/* SPDX-License-Identifier: Apache-2.0 */
/* refuse.h - errors in the OpenAI shape: {"error":{"message","type","param","code"}}.
 *
 * A refusal is a value: what the client will see. Failures inside have one table from their
 * kind; their text stays in the operator's log, but for MALFORMED and TOO_LARGE, which are
 * about the client's own bytes. */
#ifndef SP_LLM_REFUSE_H
#define SP_LLM_REFUSE_H
#include "../base/buf.h"
#include "../base/err.h"

typedef struct {
    int status;
    const char *type, *code; /* code NULL: null */
    str message;
    str challenge;     /* WWW-Authenticate, {0}: none */
    const char *allow; /* Allow, for 405 */
    bool retry;        /* Retry-After: soon */
} llm_refusal;

llm_refusal refusal_of(const err *e);
llm_refusal refusal_no_model(arena *a, str model); /* the same for hidden and for missing */
str refusal_body(arena *a, const llm_refusal *r);
#endif
