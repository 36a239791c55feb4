/* SPDX-License-Identifier: Apache-2.0 */
/* jwt_sign.h - a token of our own making, for those who take one in place of a secret (RFC 7523).
 *
 * RS256 alone: it is what they want. Threads: any. Failure: a key that is no RSA key gives {0}. */
#ifndef SP_JWT_SIGN_H
#define SP_JWT_SIGN_H
#include "../base/arena.h"

bool jwt_can_sign(str pem);                  /* is it a private RSA key in PEM? */
str jwt_sign(arena *a, str pem, str claims); /* the whole token; `claims` is JSON */
#endif
