/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"
#include "hash.h"
#include "map.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 16 };

typedef struct {
    pthread_mutex_t lock;
    map *counts; /* key -> count */
} shard;

struct tally {
    hash_seed seed;
    shard shards[SHARDS];
};

typedef struct {
    shard *in;
    unsigned held;
    str key; /* the bytes follow */
    char bytes[];
} count;

tally *tally_new(void)
{
    tally *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->seed = hash_seed_new();
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&t->shards[i].lock, NULL);
        t->shards[i].counts = map_new(NULL);
    }
    return t;
}

void tally_free(tally *t)
{
    if (!t) return;
    for (size_t i = 0; i < SHARDS; i++) {
        assert(map_count(t->shards[i].counts) == 0);
        map_free(t->shards[i].counts);
        (void)pthread_mutex_destroy(&t->shards[i].lock);
    }
    free(t);
}

static shard *shard_of(tally *t, str key)
{
    return &t->shards[hash_bytes(t->seed, key) % SHARDS];
}

static count *count_new(shard *s, str key)
{
    if (key.n > SIZE_MAX / 2) abort();
    count *c = malloc(sizeof *c + key.n);
    if (!c) abort();
    if (key.n) memcpy(c->bytes, key.p, key.n);
    *c = (count){.in = s, .key = {c->bytes, key.n}};
    map_put(s->counts, c->key, c);
    return c;
}

static void give_back(void *held)
{
    count *c = held;
    shard *s = c->in;
    (void)pthread_mutex_lock(&s->lock);
    if (--c->held == 0) {
        (void)map_del(s->counts, c->key);
        free(c);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

bool tally_take(tally *t, str key, unsigned most, arena *until)
{
    shard *s = shard_of(t, key);
    (void)pthread_mutex_lock(&s->lock);
    count *c = map_get(s->counts, key);
    bool room = c ? c->held < most : most > 0;
    if (room && !c) c = count_new(s, key);
    if (room) c->held++;
    (void)pthread_mutex_unlock(&s->lock);
    if (room) arena_own(until, give_back, c);
    return room;
}

unsigned tally_held(tally *t, str key)
{
    shard *s = shard_of(t, key);
    (void)pthread_mutex_lock(&s->lock);
    const count *c = map_get(s->counts, key);
    unsigned held = c ? c->held : 0;
    (void)pthread_mutex_unlock(&s->lock);
    return held;
}
