/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - entries in a row, in the order they came, and an index over them.
 *
 * Most maps are small: up to LINEAR entries are searched one by one, and cost neither a seed
 * nor an index. Above that the index is a table of entry numbers with linear probing, at most
 * half full, and hashes under a random seed. A deleted entry leaves a hole that the next growth
 * closes; so deleting while walking with map_each() is safe. */
#include "map.h"
#include "hash.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

enum { LINEAR = 8 };

typedef struct {
    str key;
    void *value; /* NULL: a hole */
    uint64_t hash;
} entry;

struct map {
    arena *a;
    entry *entries;
    size_t used, cap, live; /* used counts holes */
    uint32_t *index;        /* entry number + 1; 0 is free */
    size_t slots;           /* a power of two, or 0 without an index */
    hash_seed seed;
};

static void *room(const map *m, size_t size, size_t align, size_t count)
{
    if (m->a) return arena_alloc(m->a, size, align, count);
    void *p = calloc(count, size);
    if (!p) abort();
    return p;
}

map *map_new(arena *a)
{
    map *m = a ? NEW(a, map) : calloc(1, sizeof *m);
    if (!m) abort();
    m->a = a;
    return m;
}

void map_free(map *m)
{
    if (!m || m->a) return;
    free(m->entries);
    free(m->index);
    free(m);
}

/* Where the key's number is in the index, or the free slot where it belongs. */
static size_t probe(const map *m, str key, uint64_t hash)
{
    size_t mask = m->slots - 1, at = (size_t)hash & mask;
    for (; m->index[at]; at = (at + 1) & mask) {
        const entry *e = &m->entries[m->index[at] - 1];
        if (e->hash == hash && e->value && str_eq(e->key, key)) return at;
    }
    return at;
}

static entry *find(const map *m, str key)
{
    if (m->slots) {
        uint32_t number = m->index[probe(m, key, hash_bytes(m->seed, key))];
        return number ? &m->entries[number - 1] : NULL;
    }
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].value && str_eq(m->entries[i].key, key)) return &m->entries[i];
    }
    return NULL;
}

/* Makes an index over entries that hold no hole; a table of the right size is used again. */
static void index_make(map *m)
{
    size_t slots = 32;
    while (slots < m->cap * 2) slots *= 2;
    if (!m->slots) m->seed = hash_seed_new();
    if (slots == m->slots) {
        memset(m->index, 0, slots * sizeof *m->index);
    } else {
        if (!m->a) free(m->index);
        m->index = room(m, sizeof *m->index, _Alignof(uint32_t), slots);
        m->slots = slots;
    }
    for (size_t i = 0; i < m->used; i++) {
        entry *e = &m->entries[i];
        e->hash = hash_bytes(m->seed, e->key);
        m->index[probe(m, e->key, e->hash)] = (uint32_t)(i + 1);
    }
}

/* Closes the holes; when that frees less than half the row, moves to one twice as long. A map
 * that is filled and emptied for years so keeps to the memory of its fullest day. */
static void grow(map *m)
{
    entry *row = m->entries;
    if (m->live >= m->cap / 2) {
        size_t cap = m->cap ? m->cap * 2 : LINEAR;
        if (cap > UINT32_MAX / 4) abort();
        row = room(m, sizeof *row, _Alignof(entry), cap);
        m->cap = cap;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].value) row[n++] = m->entries[i];
    }
    if (!m->a && row != m->entries) free(m->entries);
    m->entries = row;
    m->used = n;
    if (m->cap > LINEAR) index_make(m);
}

void *map_get(const map *m, str key)
{
    const entry *e = find(m, key);
    return e ? e->value : NULL;
}

void map_put(map *m, str key, void *value)
{
    assert(value);
    entry *e = find(m, key);
    if (e) {
        e->value = value;
        return;
    }
    if (m->used == m->cap) grow(m);
    e = &m->entries[m->used];
    *e = (entry){.key = key, .value = value};
    if (m->slots) {
        e->hash = hash_bytes(m->seed, key);
        m->index[probe(m, key, e->hash)] = (uint32_t)(m->used + 1);
    }
    m->used++;
    m->live++;
}

void *map_del(map *m, str key)
{
    entry *e = find(m, key);
    if (!e) return NULL;
    void *value = e->value;
    e->value = NULL; /* its number stays in the index as a stone, so that probing goes on past it */
    e->key = (str){0};
    m->live--;
    return value;
}

size_t map_count(const map *m)
{
    return m->live;
}

bool map_each(const map *m, size_t *at, str *key, void **value)
{
    while (*at < m->used) {
        const entry *e = &m->entries[(*at)++];
        if (!e->value) continue;
        *key = e->key;
        *value = e->value;
        return true;
    }
    return false;
}

void *map_least(const map *m, map_number *number, void *ctx)
{
    void *found = NULL, *each;
    int64_t least = INT64_MAX;
    size_t at = 0;
    str key;
    while (map_each(m, &at, &key, &each)) {
        int64_t n = number(each, ctx);
        if (n >= least) continue;
        least = n;
        found = each;
    }
    return found;
}
