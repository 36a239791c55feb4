/* SPDX-License-Identifier: Apache-2.0 */
/* json_keys.c - two stacks, in the caller's frame until they outgrow it.
 *
 * Up to LINEAR keys of an object are compared with each other by a fingerprint; from there on
 * the object gets an index of its own under a random seed, so that a peer cannot make it slow.
 * Keys and indexes of nested objects come and go last in first out. */
#include "json_keys.h"
#include <stdlib.h>

enum { LINEAR = 16, FIRST_INDEX = 64 };

void js_keys_init(js_keys *k)
{
    k->keys = k->here;
    k->keys_n = 0;
    k->keys_cap = JS_KEYS_HERE;
    k->slots = NULL;
    k->slots_n = k->slots_cap = 0;
    k->has_seed = false;
}

void js_keys_free(js_keys *k)
{
    if (k->keys != k->here) free(k->keys);
    free(k->slots);
}

js_keys_object js_keys_open(const js_keys *k)
{
    return (js_keys_object){.keys_base = k->keys_n, .slots_base = k->slots_n};
}

void js_keys_close(js_keys *k, const js_keys_object *o)
{
    k->keys_n = o->keys_base;
    k->slots_n = o->slots_base;
}

/* Cheap and unkeyed: it only saves comparisons among LINEAR keys. */
static uint32_t fingerprint(str key)
{
    uint64_t head = 0, tail = 0;
    if (key.n >= 8) {
        memcpy(&head, key.p, 8);
        memcpy(&tail, key.p + key.n - 8, 8);
    } else if (key.n >= 4) {
        memcpy(&head, key.p, 4);
        memcpy(&tail, key.p + key.n - 4, 4);
    } else {
        for (size_t i = 0; i < key.n; i++) head = head << 8 | (unsigned char)key.p[i];
    }
    uint64_t mix = (head ^ (tail << 29 | tail >> 35) ^ key.n) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(mix >> 32);
}

static void keys_grow(js_keys *k)
{
    bool here = k->keys == k->here;
    size_t cap = k->keys_cap * 2;
    js_key *more = realloc(here ? NULL : k->keys, cap * sizeof *more);
    if (!more) abort();
    if (here) memcpy(more, k->here, k->keys_n * sizeof *more);
    k->keys = more;
    k->keys_cap = cap;
}

static void index_put(js_keys *k, const js_keys_object *o, size_t number)
{
    uint32_t *table = k->slots + o->slots_base;
    size_t at = k->keys[number].hash & (o->slots - 1);
    while (table[at]) at = (at + 1) & (o->slots - 1);
    table[at] = (uint32_t)number + 1;
}

/* An index of `slots` for all keys of the innermost object, in place of the one it had. */
static void index_make(js_keys *k, js_keys_object *o, size_t slots)
{
    if (!k->has_seed) k->seed = hash_seed_new();
    k->has_seed = true;
    if (k->slots_cap - o->slots_base < slots) {
        size_t cap = o->slots_base + slots * 2;
        k->slots = realloc(k->slots, cap * sizeof *k->slots);
        if (!k->slots) abort();
        k->slots_cap = cap;
    }
    memset(k->slots + o->slots_base, 0, slots * sizeof *k->slots);
    k->slots_n = o->slots_base + slots;
    bool first = o->slots == 0;
    o->slots = slots;
    for (size_t i = o->keys_base; i < k->keys_n; i++) {
        js_key *one = &k->keys[i];
        if (first) one->hash = (uint32_t)hash_bytes(k->seed, (str){one->p, one->n});
        index_put(k, o, i);
    }
}

static bool same(const js_key *a, const js_key *b)
{
    return a->hash == b->hash && a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static bool seen_before(const js_keys *k, const js_keys_object *o, const js_key *key)
{
    if (!o->slots) {
        for (size_t i = o->keys_base; i < k->keys_n; i++) {
            if (same(&k->keys[i], key)) return true;
        }
        return false;
    }
    const uint32_t *table = k->slots + o->slots_base;
    for (size_t at = key->hash & (o->slots - 1); table[at]; at = (at + 1) & (o->slots - 1)) {
        if (same(&k->keys[table[at] - 1], key)) return true;
    }
    return false;
}

bool js_keys_add(js_keys *k, js_keys_object *o, str key)
{
    size_t count = k->keys_n - o->keys_base;
    if (count == LINEAR && !o->slots)
        index_make(k, o, FIRST_INDEX);
    else if (o->slots && count >= o->slots / 2)
        index_make(k, o, o->slots * 2);
    uint32_t hash = o->slots ? (uint32_t)hash_bytes(k->seed, key) : fingerprint(key);
    js_key one = {key.p, (uint32_t)key.n, hash};
    uint64_t bit = (uint64_t)1 << (hash >> 26); /* without an index: it has other hashes */
    if ((o->slots || o->bits & bit) && seen_before(k, o, &one)) return false;
    o->bits |= bit;
    if (k->keys_n == k->keys_cap) keys_grow(k);
    k->keys[k->keys_n++] = one;
    if (o->slots) index_put(k, o, k->keys_n - 1);
    return true;
}
