/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"
#include "feed.h"
#include "upstream_state.h"

enum { ENTRY = 256 };

typedef struct {
    arena *a; /* it lives there */
    str name;
    unsigned count;
    uint64_t epoch;   /* the first set it is in */
    uint64_t promise; /* the last naming it was in; 0: none */
} entry;

static entry *entry_new(str name)
{
    arena *a = arena_new_of(ENTRY);
    entry *e = NEW(a, entry);
    e->a = a;
    e->name = arena_dup(a, name);
    return e;
}

/* Under the lock. */
static entry *find(const upstream *u, watch_kind kind, str name)
{
    return u->watched[kind] ? map_get(u->watched[kind], name) : NULL;
}

void watch_add(upstream *u, watch_kind kind, str name)
{
    pthread_mutex_lock(&u->lock);
    if (!u->watched[kind]) u->watched[kind] = map_new(NULL);
    entry *e = find(u, kind, name);
    bool first = !e;
    if (first) {
        e = entry_new(name);
        e->epoch = ++u->watch_epoch;
        map_put(u->watched[kind], e->name, e);
    }
    e->count++;
    pthread_mutex_unlock(&u->lock);
    if (first) feed_watch(u, kind);
}

void watch_remove(upstream *u, watch_kind kind, str name)
{
    pthread_mutex_lock(&u->lock);
    entry *e = find(u, kind, name);
    bool last = e && --e->count == 0;
    if (last) {
        (void)map_del(u->watched[kind], e->name);
        arena_free(e->a);
    }
    pthread_mutex_unlock(&u->lock);
    if (last) feed_watch(u, kind);
}

bool watch_has(upstream *u, watch_kind kind, str name)
{
    pthread_mutex_lock(&u->lock);
    bool has = find(u, kind, name);
    pthread_mutex_unlock(&u->lock);
    return has;
}

void watch_stood(upstream *u, uint64_t epoch)
{
    pthread_mutex_lock(&u->lock);
    if (epoch > u->watch_stood) u->watch_stood = epoch;
    pthread_mutex_unlock(&u->lock);
}

bool watch_stands(upstream *u, watch_kind kind, str name)
{
    pthread_mutex_lock(&u->lock);
    const entry *e = find(u, kind, name);
    bool stands = e && e->epoch <= u->watch_stood;
    pthread_mutex_unlock(&u->lock);
    return stands;
}

void watch_renew(upstream *u)
{
    pthread_mutex_lock(&u->lock);
    u->watch_promise++;
    pthread_mutex_unlock(&u->lock);
}

bool watch_promised(upstream *u, str task)
{
    pthread_mutex_lock(&u->lock);
    entry *e = find(u, WATCH_TASK, task);
    bool is_new = e && (!e->promise || e->promise + 1 < u->watch_promise);
    if (e) e->promise = u->watch_promise;
    pthread_mutex_unlock(&u->lock);
    return is_new;
}

void watch_broken(upstream *u)
{
    pthread_mutex_lock(&u->lock);
    u->watch_promise += 2; /* none is of the naming just before the next */
    pthread_mutex_unlock(&u->lock);
}

bool watch_is_promised(upstream *u, str task)
{
    pthread_mutex_lock(&u->lock);
    const entry *e = find(u, WATCH_TASK, task);
    bool promised = e && e->promise && e->promise == u->watch_promise;
    pthread_mutex_unlock(&u->lock);
    return promised;
}

str *watch_list(upstream *u, watch_kind kind, arena *a, size_t *n, uint64_t *epoch)
{
    size_t at = 0;
    str key;
    void *each;
    pthread_mutex_lock(&u->lock);
    const map *all = u->watched[kind];
    str *row = NEW_N(a, str, all ? map_count(all) + 1 : 1);
    *n = 0;
    *epoch = u->watch_epoch;
    while (all && map_each(all, &at, &key, &each)) row[(*n)++] = arena_dup(a, key);
    pthread_mutex_unlock(&u->lock);
    return row;
}

void watch_free(upstream *u)
{
    for (map **m = u->watched; m < u->watched + WATCH_KINDS; m++) {
        size_t at = 0;
        str key;
        void *each;
        while (*m && map_each(*m, &at, &key, &each)) {
            entry *e = each;
            (void)map_del(*m, e->name);
            arena_free(e->a);
        }
        map_free(*m);
        *m = NULL;
    }
}
