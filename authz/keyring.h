/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.h - the virtual keys that are in force, replaced whole.
 *
 * Whoever keeps them (server/keys.h) puts a new list in place of the old one when a key was made,
 * changed or revoked; caches of callers tell by the epoch that they must look again.
 * Threads: all from any. */
#ifndef SP_KEYRING_H
#define SP_KEYRING_H
#include "api_key.h"

typedef struct keyring keyring;

keyring *keyring_new(const sealer *s); /* empty; the sealer must outlive it */
void keyring_free(keyring *k);
/* Takes the list over with the arena it lives in. */
void keyring_replace(keyring *k, arena *of, const api_key *keys, size_t count);
uint64_t keyring_epoch(const keyring *k); /* grows with each replacement */

/* NULL: the token is good until then, and *out is its key, copied into the arena (not its secrets).
 * Else why not, in words that a client may see. `token` has the form of a key. */
const char *keyring_find(keyring *k, arena *a, str token, int64_t now_s, api_key *out,
                         int64_t *until_s);
#endif
