/* SPDX-License-Identifier: Apache-2.0 */
/* credential.h - the headers that let a request in at its provider.
 *
 * Most are known when the configuration is read. AWS wants a signature over the very bytes that
 * are sent, so this comes last, after everything else of the request is written. */
#ifndef SP_LLM_CREDENTIAL_H
#define SP_LLM_CREDENTIAL_H
#include "llm.h"

typedef struct {
    str method, target, content_type;
    const str *body; /* what is sent, in `parts` pieces */
    size_t parts;
    int64_t now_ms; /* wall clock */
} credential_request;

/* Ends with {0}; never NULL. Secrets: not to be logged. */
const header *credential_headers(arena *a, const llm_backend *b, const credential_request *rq);
#endif
