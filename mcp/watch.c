/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"
#include "feed.h"
#include "upstream_state.h"

enum { ENTRY = 256 };

typedef struct {
    arena *a; /* it lives there */
    str uri;
    unsigned count;
    uint64_t epoch; /* the first set it is in */
} entry;

static entry *entry_new(str uri)
{
    arena *a = arena_new_of(ENTRY);
    entry *e = NEW(a, entry);
    e->a = a;
    e->uri = arena_dup(a, uri);
    return e;
}

void watch_add(upstream *u, str uri)
{
    pthread_mutex_lock(&u->lock);
    if (!u->watched) u->watched = map_new(NULL);
    entry *e = map_get(u->watched, uri);
    bool first = !e;
    if (first) {
        e = entry_new(uri);
        e->epoch = ++u->watch_epoch;
        map_put(u->watched, e->uri, e);
    }
    e->count++;
    pthread_mutex_unlock(&u->lock);
    if (first) feed_watch(u);
}

void watch_remove(upstream *u, str uri)
{
    pthread_mutex_lock(&u->lock);
    entry *e = u->watched ? map_get(u->watched, uri) : NULL;
    bool last = e && --e->count == 0;
    if (last) {
        (void)map_del(u->watched, e->uri);
        arena_free(e->a);
    }
    pthread_mutex_unlock(&u->lock);
    if (last) feed_watch(u);
}

bool watch_has(upstream *u, str uri)
{
    pthread_mutex_lock(&u->lock);
    bool has = u->watched && map_get(u->watched, uri);
    pthread_mutex_unlock(&u->lock);
    return has;
}

void watch_stood(upstream *u, uint64_t epoch)
{
    pthread_mutex_lock(&u->lock);
    if (epoch > u->watch_stood) u->watch_stood = epoch;
    pthread_mutex_unlock(&u->lock);
}

bool watch_stands(upstream *u, str uri)
{
    pthread_mutex_lock(&u->lock);
    const entry *e = u->watched ? map_get(u->watched, uri) : NULL;
    bool stands = e && e->epoch <= u->watch_stood;
    pthread_mutex_unlock(&u->lock);
    return stands;
}

str *watch_list(upstream *u, arena *a, size_t *n, uint64_t *epoch)
{
    size_t at = 0;
    str key;
    void *each;
    pthread_mutex_lock(&u->lock);
    str *row = NEW_N(a, str, u->watched ? map_count(u->watched) + 1 : 1);
    *n = 0;
    *epoch = u->watch_epoch;
    while (u->watched && map_each(u->watched, &at, &key, &each)) row[(*n)++] = arena_dup(a, key);
    pthread_mutex_unlock(&u->lock);
    return row;
}

void watch_free(upstream *u)
{
    size_t at = 0;
    str key;
    void *each;
    if (!u->watched) return;
    while (map_each(u->watched, &at, &key, &each)) {
        entry *e = each;
        (void)map_del(u->watched, e->uri);
        arena_free(e->a);
    }
    map_free(u->watched);
    u->watched = NULL;
}
