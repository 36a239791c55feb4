/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - text to pointer, in insertion order.
 *
 * Keys are views that must outlive the map (arena_dup them when in doubt). Hashes are keyed
 * with a random seed per map, since keys may come from a peer. Threads: one at a time. */
#ifndef SP_MAP_H
#define SP_MAP_H
#include "arena.h"
#include <stdint.h>

typedef struct map map;

map *map_new(arena *a);                     /* a may be NULL: then map_free() */
void map_free(map *m);                      /* heap maps only */
void *map_get(const map *m, str key);       /* NULL when absent */
void map_put(map *m, str key, void *value); /* replaces; value must not be NULL */
void *map_del(map *m, str key);             /* the value, or NULL; the order of the rest is kept */
size_t map_count(const map *m);
bool map_each(const map *m, size_t *at, str *key, void **value); /* start with *at = 0 */
/* The value with the least number, the first of several; INT64_MAX leaves one out. NULL: none. */
typedef int64_t map_number(const void *value, void *ctx);
void *map_least(const map *m, map_number *number, void *ctx);
#endif
