/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c - keys by id, behind one lock.
 *
 * The lock is met when a token is seen for the first time on a worker, or again after a change;
 * what is hashed under it is one token. A key that is not there costs a hash, too: how long a
 * refusal takes does not say whether an id exists. */
#include "keyring.h"

#include "../base/map.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct keyring {
    const sealer *seals;
    pthread_mutex_t lock; /* around what follows */
    arena *a;             /* of the list in force; NULL: there is none */
    map *by_id;           /* -> api_key */
    _Atomic uint64_t epoch;
};

keyring *keyring_new(const sealer *s)
{
    keyring *k = calloc(1, sizeof *k);
    if (!k) abort();
    k->seals = s;
    (void)pthread_mutex_init(&k->lock, NULL);
    return k;
}

void keyring_free(keyring *k)
{
    if (!k) return;
    if (k->a) arena_free(k->a);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

void keyring_replace(keyring *k, arena *of, const api_key *keys, size_t count)
{
    map *by_id = map_new(of);
    api_key *own = NEW_N(of, api_key, count + 1);
    for (size_t i = 0; i < count; i++) {
        own[i] = keys[i];
        map_put(by_id, own[i].id, &own[i]);
    }
    pthread_mutex_lock(&k->lock);
    arena *old = k->a;
    k->a = of;
    k->by_id = by_id;
    pthread_mutex_unlock(&k->lock);
    atomic_fetch_add(&k->epoch, 1);
    if (old) arena_free(old);
}

uint64_t keyring_epoch(const keyring *k)
{
    return atomic_load(&k->epoch);
}

static api_key copied(arena *a, const api_key *key)
{
    api_key to = *key;
    to.id = arena_dup(a, key->id);
    to.name = arena_dup(a, key->name);
    to.claims = arena_dup(a, key->claims);
    to.models = key->models ? arena_dup_all(a, key->models) : NULL;
    to.servers = key->servers ? arena_dup_all(a, key->servers) : NULL;
    to.budget.window = arena_dup(a, key->budget.window);
    to.secrets = NULL;
    to.secret_count = 0;
    return to;
}

const char *keyring_find(keyring *k, arena *a, str token, int64_t now_s, api_key *out,
                         int64_t *until_s)
{
    static const api_secret nobody;
    static const api_key none = {.secrets = &nobody, .secret_count = 1};
    pthread_mutex_lock(&k->lock);
    const api_key *key = k->by_id ? map_get(k->by_id, api_key_id(token)) : NULL;
    const char *why = api_key_refusal(key ? key : &none, k->seals, token, now_s, until_s);
    if (!key) why = "unknown key";
    if (!why) *out = copied(a, key);
    pthread_mutex_unlock(&k->lock);
    return why;
}
