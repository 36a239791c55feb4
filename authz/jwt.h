/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.h - is this token what it says, for us, now? (RFC 7519, RFC 8725)
 *
 * The key is chosen by issuer and `kid`, its pinned algorithm must equal the header's and be in the
 * issuer's allow list *before* any signature is looked at. Then signature, then exp (required),
 * nbf, iat, iss, aud against the clock and audiences given. `crit`, `b64:false`, nested and
 * encrypted tokens, duplicate members and tokens over 16 KiB are refused. */
#ifndef SP_JWT_H
#define SP_JWT_H
#include "../base/json.h"
#include "jwks.h"

enum { JWT_MAX = 16384, JWT_SKEW_S = 30 };

typedef struct {
    str issuer;
    const str *audiences;      /* ends with {0}; at least one must match. None configured: any */
    const jwt_alg *algorithms; /* ends with ALG_NONE */
    jwks *keys;
    str jwks_url;                              /* {0} when from a file */
    str login_client, login_secret;            /* how a browser logs in there; {0}: it cannot */
    const struct introspection *introspection; /* NULL: its tokens speak for themselves */
} jwt_issuer;

typedef enum {
    JWT_OK,
    JWT_BAD,
    JWT_NO_KEY /* known issuer, unknown kid: keys may be stale */
} jwt_result;

typedef struct {
    const jwt_issuer *issuer;
    jwt_alg alg;
    const json_t *claims;
    int64_t expires_s; /* `exp` with the skew added: from this second on it is refused */
    const char *why;   /* JWT_BAD: "expired", "wrong audience" …: safe to tell the client */
} jwt_facts;

/* Claims and scratch live in the arena; the views in `issuers` must outlive the call only. */
jwt_result jwt_verify(arena *a, const jwt_issuer *issuers, size_t count, str token, int64_t now_s,
                      jwt_facts *out);

/* What a JWT says its issuer is, believed by nobody yet. False: it is no JWT. */
bool jwt_unverified_issuer(arena *a, str token, str *issuer);

bool jwt_audience_suits(const jwt_issuer *issuer, const json_t *claims);
/* Would an already verified token be taken by this issuer's settings as they are now? */
bool jwt_suits(const jwt_issuer *issuer, jwt_alg alg, const json_t *claims);
#endif
