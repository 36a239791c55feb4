/* SPDX-License-Identifier: Apache-2.0 */
/* jwt_sign.h - a token of our own making, for those who take one in place of a secret (RFC 7523).
 *
 * Signed with an RSA key, RS256 or PS256: it is what they want. Threads: any. Failure: a key that
 * is no RSA key gives {0}. */
#ifndef SP_JWT_SIGN_H
#define SP_JWT_SIGN_H
#include "../base/arena.h"

typedef struct {
    bool pss;       /* PS256 */
    str key_id;     /* {0}: none is named */
    str thumbprint; /* of the certificate, SHA-256 in base64url; {0}: none is named */
} jwt_sign_head;

bool jwt_can_sign(str pem); /* is it a private RSA key in PEM? */
/* The whole token; `claims` is JSON. */
str jwt_sign(arena *a, str pem, const jwt_sign_head *head, str claims);
/* Of the first certificate in a PEM text; {0}: there is none, or it is not the key's. */
str jwt_thumbprint(arena *a, str certificate, str key);
#endif
