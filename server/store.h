/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the store the configuration names, as the interfaces of base/store.h, base/ledger.h and
 * base/bulletin.h.
 *
 * "sqlite:FILE" keeps on this machine, over restarts and crashes; several gateways on one machine
 * may share the file. It is made with the first value, readable by its owner alone. "redis://…" and
 * "rediss://…" (TLS) keep on a server that many machines share. "memory:" forgets with the process.
 * Ownership: the keeper outlives whoever was given its store. Threads: as in base/store.h. */
#ifndef SP_SERVER_STORE_H
#define SP_SERVER_STORE_H
#include "../base/bulletin.h"
#include "../base/ledger.h"
#include "../base/store.h"

typedef struct store_keeper store_keeper;

/* `where` as configured; a relative FILE starts in `directory`. Opens nothing yet. */
MUST_CHECK const err *store_keeper_new(arena *a, str where, str directory, store_keeper **out);
/* Opens what is kept there, to say at the start what would else be said at the first value.
 * `doubts`: a sentence for the operator about how it keeps, or {0}. */
MUST_CHECK const err *store_keeper_try(arena *a, store_keeper *k, str *doubts);
void store_keeper_free(store_keeper *k); /* NULL is fine */
store store_keeper_store(store_keeper *k);
ledger store_keeper_ledger(store_keeper *k);
bulletin_log store_keeper_words(store_keeper *k);
/* Is this a store we know? For the configuration. */
MUST_CHECK const err *store_keeper_check(arena *a, str where);
#endif
