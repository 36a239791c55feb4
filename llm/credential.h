/* SPDX-License-Identifier: Apache-2.0 */
/* credential.h - the headers that let a request in at its provider.
 *
 * Most are known when the configuration is read. AWS wants a signature over the very bytes that
 * are sent, so this comes last, after everything else of the request is written. A backend may
 * take a key of the caller's own instead: no header of the client's is handed on, so it reaches
 * the provider in the place of the backend's key and nowhere else. */
#ifndef SP_LLM_CREDENTIAL_H
#define SP_LLM_CREDENTIAL_H
#include "llm.h"

typedef struct {
    str method, target, content_type;
    const str *body; /* what is sent, in `parts` pieces */
    size_t parts;
    int64_t now_ms;       /* wall clock */
    const header *client; /* where a key of the caller's own may be */
    const caller *who;
    const lease_token *lent; /* to the backend; NULL, or {0}: nothing */
} credential_request;

/* Does this request want what is lent to the backend? Not with a key of the caller's own. */
bool credential_is_lent(arena *a, const llm_backend *b, const credential_request *rq);

/* Has the caller what this backend asks of it? */
bool credential_is_there(arena *a, const llm_backend *b, const credential_request *rq);

/* Ends with {0}; never NULL. Secrets: not to be logged. */
const header *credential_headers(arena *a, const llm_backend *b, const credential_request *rq);
#endif
