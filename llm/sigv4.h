/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.h - AWS Signature Version 4 of one request with a body that is whole.
 *
 * Signed are host, content-type, x-amz-date and the session token: nothing that a hop may change.
 * The path is signed as it stands on the wire, encoded once more (the rule for all services but
 * S3). The key's secrets go nowhere but into the signature. Threads: any. */
#ifndef SP_LLM_SIGV4_H
#define SP_LLM_SIGV4_H
#include "../base/header.h"
#include <stdint.h>

typedef struct {
    str access_key_id, secret_access_key;
    str session_token; /* {0}: a long-lived key */
    str region, service;
} sigv4_key;

typedef struct {
    str method, path; /* as sent; no query, which the services we call have none of */
    str host;         /* as in the Host header */
    str content_type, body;
    int64_t now_ms; /* since 1970, UTC */
} sigv4_request;

/* The headers to send beside host and content-type, ending with {0}. */
const header *sigv4_sign(arena *a, const sigv4_key *key, const sigv4_request *rq);
#endif
