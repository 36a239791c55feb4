/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h - hand bytes to a client and know them again.
 *
 * XChaCha20-Poly1305 (libsodium); one subkey per purpose, derived once at start, the purpose
 * and the key id as associated data, so a cursor can never pass for a session id. The first key
 * seals, all keys open, so keys can be rotated. A sealed text is base64url: visible ASCII without
 * spaces. Ownership: a sealer lives in its arena and is immutable: any thread may use it. */
#ifndef SP_SEAL_H
#define SP_SEAL_H
#include "../base/err.h"

typedef enum {
    SEAL_SESSION,
    SEAL_CURSOR,
    SEAL_STATE,
    SEAL_CONSENT,
    SEAL_AT_REST,
    SEAL_PURPOSES
} seal_purpose;
typedef struct sealer sealer;

/* `keys`: secrets of at least 32 bytes each, ends with {0}; none: a random key. */
MUST_CHECK const err *sealer_new(arena *a, const str *keys, sealer **out);
str seal(const sealer *s, arena *a, seal_purpose purpose, str plain);
bool unseal(const sealer *s, arena *a, seal_purpose purpose, str sealed,
            str *plain); /* false: not ours */
#endif
