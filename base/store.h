/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - what outlives the process: values by key, each until its time is up.
 *
 * An interface: a product is given one and does not know who keeps it (server/store.h does). A
 * `space` is one purpose ("mcp.tokens"): keys of two spaces never meet, and a space that is full
 * drops what would end soonest, never another's. Its kind is its name up to the second dot
 * ("llm.responses" of "llm.responses.CALLER"): when all of it is too much, the kind that holds the
 * most gives way. A value is opaque; whoever puts a secret in seals it before. What was put is
 * there after a crash; what has ended is never given out.
 *
 * Failure: an error is the store's, not the key's (disk full, locked for long): the caller decides
 * whether to go on without. Threads: any but a worker, since all of it may block: go through
 * transport/errand.h. Ownership: values come from the arena given; the rest is not kept. */
#ifndef SP_STORE_H
#define SP_STORE_H
#include "err.h"
#include <stdint.h>

enum {
    STORE_KEY_MOST = 512,          /* bytes, of a space as of a key: more is refused */
    STORE_VALUE_MOST = 16 << 20,   /* likewise */
    STORE_SPACE_MOST = 100 * 1000, /* values in one space, give or take a few */
    STORE_SPACE_BYTES = 128 << 20, /* of them, names too */
    STORE_BYTES = 640 << 20        /* in all */
};

typedef struct {
    str space, name;
} store_key;

typedef struct {
    /* value->p NULL: there is none, or it has ended. */
    const err *(*get)(void *ctx, arena *a, store_key key, str *value);
    /* Replaces; lives_s: how long it is good. */
    const err *(*put)(void *ctx, arena *a, store_key key, str value, int64_t lives_s);
    const err *(*drop)(void *ctx, arena *a, store_key key); /* also when there is none */
    void *ctx;
} store;
#endif
