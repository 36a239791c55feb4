/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.h - what a key set is made of; for jwks.c and jwt.c only.
 *
 * Ownership: keys live in their version's arena. Threads: immutable once published. */
#ifndef SP_JWK_H
#define SP_JWK_H
#include "jwks.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */
enum { JWK_ED25519 = 32 };

typedef struct {
    str kid;                  /* p NULL: none */
    unsigned algs;            /* bit per jwt_alg it may be used with */
    struct evp_pkey_st *pkey; /* RSA, EC; NULL for Ed25519 */
    uint8_t ed25519[JWK_ED25519];
} jwk;

/* Key number `at` of the version, NULL behind the last. */
const jwk *jwks_key(const jwks_version *v, size_t at);
#endif
