/* SPDX-License-Identifier: Apache-2.0 */
/* json_keys.h - the keys of the objects that are open, to find one that comes twice.
 *
 * Private to json_check.c. Objects open and close like brackets; only the innermost one gets
 * keys. Keys are views of unescaped text that live until the table is freed. */
#ifndef SP_JSON_KEYS_H
#define SP_JSON_KEYS_H
#include "hash.h"

enum { JS_KEYS_HERE = 96 };

typedef struct {
    const char *p;
    uint32_t n, hash;
} js_key;

typedef struct {
    js_key *keys;
    size_t keys_n, keys_cap;
    uint32_t *slots; /* the indexes of all open objects, one behind the other */
    size_t slots_n, slots_cap;
    hash_seed seed;
    bool has_seed;
    js_key here[JS_KEYS_HERE]; /* not zeroed: most texts hardly touch it */
} js_keys;

typedef struct {
    size_t keys_base, slots_base, slots; /* slots: 0 without an index */
    uint64_t bits; /* one of 64 for each key, by its hash: most keys are seen to be new by it */
} js_keys_object;

void js_keys_init(js_keys *k);
void js_keys_free(js_keys *k);
js_keys_object js_keys_open(const js_keys *k);
void js_keys_close(js_keys *k, const js_keys_object *o);
bool js_keys_add(js_keys *k, js_keys_object *o, str key); /* false: it is there already */
#endif
