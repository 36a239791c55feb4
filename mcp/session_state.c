/* SPDX-License-Identifier: Apache-2.0 */
/* session_state.c - rows in shards.
 *
 * A row has a small arena of its own, to which its place in the caller's tally is tied. Rows of
 * sessions that expired without being ended are dropped when their shard is next written. */
#include "session_state.h"
#include "../base/clock.h"
#include "../base/map.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SHARDS = 32, ROW_BYTES = 512, WISH_BYTES = 256 };

typedef struct wish {
    struct wish *next;
    arena *a; /* it lives there */
    str uri;
} wish;

typedef struct {
    arena *a;
    wish *wishes;
    uint8_t sid[SESSION_SID];
    int64_t expires_ms;
    int level;
    tape *get; /* counted; NULL: no GET stream */
} row;

typedef struct {
    pthread_mutex_t lock;
    map *rows; /* by sid */
} shard;

struct session_states {
    tally *held;
    atomic_size_t count;
    shard shards[SHARDS];
};

session_states *session_states_new(void)
{
    session_states *st = calloc(1, sizeof *st);
    if (!st) abort();
    st->held = tally_new();
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&st->shards[i].lock, NULL);
        st->shards[i].rows = map_new(NULL);
    }
    return st;
}

static str key_of(const uint8_t *sid)
{
    return (str){(const char *)sid, SESSION_SID};
}

static shard *lock_shard(session_states *st, const session *s)
{
    shard *sh = &st->shards[s->sid[1] % SHARDS];
    (void)pthread_mutex_lock(&sh->lock);
    return sh;
}

static void unlock(shard *sh)
{
    (void)pthread_mutex_unlock(&sh->lock);
}

static void drop(session_states *st, shard *sh, row *r)
{
    tape_drop(r->get);
    for (wish *next, *k = r->wishes; k; k = next) {
        next = k->next;
        arena_free(k->a);
    }
    (void)map_del(sh->rows, key_of(r->sid));
    atomic_fetch_sub(&st->count, 1);
    arena_free(r->a);
}

void session_states_free(session_states *st)
{
    if (!st) return;
    for (size_t i = 0; i < SHARDS; i++) {
        size_t at = 0;
        str key;
        void *each;
        while (map_each(st->shards[i].rows, &at, &key, &each)) drop(st, &st->shards[i], each);
        map_free(st->shards[i].rows);
        (void)pthread_mutex_destroy(&st->shards[i].lock);
    }
    tally_free(st->held);
    free(st);
}

static void drop_expired(session_states *st, shard *sh)
{
    int64_t now = clock_wall_ms();
    size_t at = 0;
    str key;
    void *each;
    while (map_each(sh->rows, &at, &key, &each))
        if (((row *)each)->expires_ms <= now) drop(st, sh, each);
}

/* NULL: the caller has too many. */
static row *row_of(session_states *st, shard *sh, const session *s, str share)
{
    row *r = map_get(sh->rows, key_of(s->sid));
    if (r) return r;
    drop_expired(st, sh);
    arena *a = arena_new_of(ROW_BYTES);
    if (!tally_take(st->held, share, SESSION_ROWS_PER_CALLER, a)) {
        arena_free(a);
        return NULL;
    }
    r = NEW(a, row);
    r->a = a;
    memcpy(r->sid, s->sid, SESSION_SID);
    r->expires_ms = s->expires_ms;
    r->level = SESSION_LEVEL_NONE;
    map_put(sh->rows, key_of(r->sid), r);
    atomic_fetch_add(&st->count, 1);
    return r;
}

static void drop_if_plain(session_states *st, shard *sh, row *r)
{
    if (r->level == SESSION_LEVEL_NONE && !r->get && !r->wishes) drop(st, sh, r);
}

/* Where this wish is, or would be. */
static wish **place_of(row *r, str uri, size_t *before)
{
    wish **at = &r->wishes;
    for (*before = 0; *at && !str_eq((*at)->uri, uri); at = &(*at)->next) ++*before;
    return at;
}

bool session_wish(session_states *st, const session *s, str share, str uri)
{
    shard *sh = lock_shard(st, s);
    row *r = row_of(st, sh, s, share);
    size_t n = 0;
    wish **at = r ? place_of(r, uri, &n) : NULL;
    bool room = r && (*at || n < SESSION_WISHES);
    if (room && !*at) {
        arena *a = arena_new_of(WISH_BYTES);
        *at = NEW(a, wish);
        (*at)->a = a;
        (*at)->uri = arena_dup(a, uri);
    }
    if (r && !room) drop_if_plain(st, sh, r);
    unlock(sh);
    return room;
}

void session_unwish(session_states *st, const session *s, str uri)
{
    shard *sh = lock_shard(st, s);
    row *r = map_get(sh->rows, key_of(s->sid));
    size_t n;
    wish **at = r ? place_of(r, uri, &n) : NULL;
    if (at && *at) {
        wish *gone = *at;
        *at = gone->next;
        arena_free(gone->a);
        drop_if_plain(st, sh, r);
    }
    unlock(sh);
}

str *session_wishes(session_states *st, const session *s, arena *a, size_t *n)
{
    shard *sh = lock_shard(st, s);
    const row *r = map_get(sh->rows, key_of(s->sid));
    str *row_of_uris = NEW_N(a, str, SESSION_WISHES);
    *n = 0;
    for (const wish *k = r ? r->wishes : NULL; k && *n < SESSION_WISHES; k = k->next)
        row_of_uris[(*n)++] = arena_dup(a, k->uri);
    unlock(sh);
    return row_of_uris;
}

bool session_set_level(session_states *st, const session *s, str share, int level)
{
    shard *sh = lock_shard(st, s);
    row *r = row_of(st, sh, s, share);
    if (r) r->level = level;
    unlock(sh);
    return r != NULL;
}

int session_level(session_states *st, const session *s)
{
    if (atomic_load_explicit(&st->count, memory_order_acquire) == 0) return SESSION_LEVEL_NONE;
    shard *sh = lock_shard(st, s);
    const row *r = map_get(sh->rows, key_of(s->sid));
    int level = r ? r->level : SESSION_LEVEL_NONE;
    unlock(sh);
    return level;
}

get_taking session_take_get(session_states *st, const session *s, str share, tape *t)
{
    shard *sh = lock_shard(st, s);
    row *r = row_of(st, sh, s, share);
    get_taking took = r ? GET_TAKEN : GET_TOO_MANY;
    if (r && r->get && !tape_is_away(r->get)) took = GET_OCCUPIED;
    if (took == GET_TAKEN) {
        if (r->get) tape_abandon(r->get);
        tape_drop(r->get);
        r->get = tape_hold(t);
    }
    unlock(sh);
    return took;
}

void session_leave_get(session_states *st, const session *s, const tape *t)
{
    shard *sh = lock_shard(st, s);
    row *r = map_get(sh->rows, key_of(s->sid));
    if (r && r->get == t) {
        tape_drop(r->get);
        r->get = NULL;
        drop_if_plain(st, sh, r);
    }
    unlock(sh);
}

void session_forget(session_states *st, const session *s)
{
    shard *sh = lock_shard(st, s);
    row *r = map_get(sh->rows, key_of(s->sid));
    if (r) drop(st, sh, r);
    unlock(sh);
}

size_t session_rows(session_states *st)
{
    return atomic_load(&st->count);
}
