/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.h - an issuer's public keys (RFC 7517), replaced whole.
 *
 * A key set is an immutable, counted version behind one pointer: readers take the current one,
 * a refresh puts a new one in its place. Each key is pinned to its `alg`, or when it names none
 * to what its type and curve allow; symmetric keys and private members are refused.
 * The network is not here: server/refresh.c brings the bytes.
 * Threads: jwks_replace() and jwks_due() from any thread; jwks_acquire()/release() too. */
#ifndef SP_JWKS_H
#define SP_JWKS_H
#include "../base/err.h"
#include <stdint.h>

typedef enum {
    ALG_NONE,
    ALG_RS256,
    ALG_RS384,
    ALG_RS512,
    ALG_PS256,
    ALG_PS384,
    ALG_PS512,
    ALG_ES256,
    ALG_ES384,
    ALG_ES512,
    ALG_EDDSA,
    ALG_COUNT
} jwt_alg;
jwt_alg jwt_alg_of(str name); /* ALG_NONE: unknown or not allowed (none, HS*) */

enum { JWKS_FLOOR_MS = 10000 }; /* between two fetches for one issuer */

typedef struct jwks jwks;
typedef struct jwks_version jwks_version;

jwks *jwks_new(void);
void jwks_free(jwks *k);
/* A bad document keeps the old version. Unusable single keys are skipped and counted in *skipped.
 */
MUST_CHECK const err *jwks_replace(arena *a, jwks *k, str document, int64_t now_ms,
                                   unsigned *skipped);
/* May a fetch start now? True at most once per floor; the caller then fetches. */
bool jwks_due(jwks *k, int64_t now_ms);
uint64_t jwks_epoch(const jwks *k); /* grows with each replacement */

const jwks_version *jwks_acquire(jwks *k); /* NULL: none yet */
void jwks_release(const jwks_version *v);
#endif
