/* SPDX-License-Identifier: Apache-2.0 */
/* introspection.h - tokens that only their issuer can read (RFC 7662).
 *
 * An issuer with an introspection endpoint is asked about each of its tokens, and about those that
 * are no JWT; signatures are then not looked at. Its word is taken for a while, never longer than
 * the token lives. No answer, an odd one, or one about somebody else's token lets nobody in.
 * Pure. Ownership: claims are the caller's to json_decref(). Threads: any. */
#ifndef SP_INTROSPECTION_H
#define SP_INTROSPECTION_H
#include "jwt.h"

enum { INTROSPECTION_ANSWER_MOST = 64 << 10 };

typedef struct introspection {
    str url, client_id, client_secret;
    int64_t keep_s; /* how long an answer is taken for true */
} introspection;

/* Whom to ask about this token; NULL: nobody, it speaks for itself. */
const jwt_issuer *introspection_asks(arena *a, const jwt_issuer *issuers, size_t count, str token);
str introspection_body(arena *a, str token);
/* The error's text is for the operator; an inactive token is one, too. */
MUST_CHECK const err *introspection_read(arena *a, const jwt_issuer *issuer, str body,
                                         int64_t now_s, json_t **claims, int64_t *until_s);
#endif
