/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - a keyed hash for tables whose keys may come from a peer.
 *
 * SipHash-1-3: without the seed nobody can choose keys that collide. The seed never leaves
 * the process. Threads: any. Failure: a kernel that gives no random bytes aborts. */
#ifndef SP_HASH_H
#define SP_HASH_H
#include "str.h"
#include <stdint.h>

typedef struct {
    uint64_t a, b;
} hash_seed;

hash_seed hash_seed_new(void);
uint64_t hash_bytes(hash_seed seed, str text);
#endif
