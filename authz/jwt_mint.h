/* SPDX-License-Identifier: Apache-2.0 */
/* jwt_mint.h - sign tokens with an Ed25519 key, for the demo and the tests. */
#ifndef SP_JWT_MINT_H
#define SP_JWT_MINT_H
#include "../base/arena.h"
#include <stdint.h>

enum { JWT_SEED = 32 };
str jwt_mint(arena *a, const uint8_t seed[JWT_SEED], str kid, str claims_json);
str jwt_mint_jwks(arena *a, const uint8_t seed[JWT_SEED], str kid); /* {"keys":[…]} */
#endif
