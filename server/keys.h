/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h - where virtual keys are kept, and noticing that they changed.
 *
 * One document (authz/key_file.h), in a file or in the store. A watch reads it at the start and
 * again within half a second of a change, whatever else the configuration is up to: a policy file
 * with a mistake in it must not keep a revoked key in force. A document with a problem in it
 * changes nothing, and the log says so; so does a store that is away.
 * Threads: a watch has one of its own. keys_load() and keys_save() block: never on a worker. */
#ifndef SP_SERVER_KEYS_H
#define SP_SERVER_KEYS_H
#include "../authz/keyring.h"
#include "../base/log.h"
#include "../base/store.h"
#include "config.h"

typedef struct {
    str file; /* absolute; p NULL: in the store */
    store kept;
} keys_place;

keys_place keys_place_of(arena *a, const config *c, store kept);
/* The document, empty when there is none yet. */
MUST_CHECK const err *keys_load(arena *a, const keys_place *p, str *text);
/* Replaces it in one step. Of two who do so at once, one is lost: it is a person's command. */
MUST_CHECK const err *keys_save(arena *a, const keys_place *p, str text);

typedef struct keys_watch keys_watch;
/* Reads them once: what is wrong with them now is the error. The ring must outlive it. */
MUST_CHECK const err *keys_watch_new(arena *a, const keys_place *p, keyring *to, logger *log,
                                     keys_watch **out);
void keys_watch_free(keys_watch *w); /* ends its thread; NULL is fine */
#endif
