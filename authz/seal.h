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
#include <stdint.h>

typedef enum {
    SEAL_SESSION,
    SEAL_CURSOR,
    SEAL_STATE,
    SEAL_CONSENT,
    SEAL_AT_REST,
    SEAL_KEY_HASH, /* only seal_hash() */
    SEAL_PURPOSES
} seal_purpose;
typedef struct sealer sealer;

/* `keys`: secrets of at least 32 bytes each, ends with {0}; none: a random key. */
MUST_CHECK const err *sealer_new(arena *a, const str *keys, sealer **out);
str seal(const sealer *s, arena *a, seal_purpose purpose, str plain);
bool unseal(const sealer *s, arena *a, seal_purpose purpose, str sealed,
            str *plain); /* false: not ours */

/* What of a secret may be kept in order to know it again: a keyed hash, by the first key. */
enum { SEAL_HASH_BYTES = 32 };
void seal_hash(const sealer *s, str secret, uint8_t out[SEAL_HASH_BYTES]);
/* Is it that of this secret, by any of the keys? In constant time. */
bool seal_hash_is(const sealer *s, str secret, const uint8_t hash[SEAL_HASH_BYTES]);
#endif
