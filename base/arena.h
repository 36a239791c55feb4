/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - everything a request allocates dies with the request.
 *
 * Ownership: memory from an arena belongs to the arena. Objects with a destructor of
 * their own (a json_t, a curl_slist) are handed over with arena_own() and released, last
 * in first out, by arena_reset(). Threads: an arena is used by one thread at a time.
 * Failure: none to handle; sizes that come from a peer are bounded before they get here,
 * and true exhaustion aborts the process. */
#ifndef SP_ARENA_H
#define SP_ARENA_H
#include "str.h"
#include <stddef.h>

typedef struct arena arena;

arena *arena_new(void);
arena *arena_new_of(size_t first); /* whose first block holds that many bytes: for the many small */
void arena_reset(arena *a);        /* runs owned destructors, keeps the first block or two */
void arena_free(arena *a);
void *arena_alloc(arena *a, size_t size, size_t align, size_t count); /* zeroed, never NULL */
char *arena_bytes(arena *a, size_t n); /* not zeroed, not aligned: for text */
void arena_own(arena *a, void (*drop)(void *), void *thing);
str arena_dup(arena *a, str s);                      /* NUL-terminated copy */
const str *arena_dup_all(arena *a, const str *list); /* ends with {0}; NULL is an empty one */
str arena_fmt(arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Arenas that were given back, for whoever needs one next; starts as {0}. One thread's. */
enum { ARENA_SPARES = 32 };
typedef struct {
    arena *kept[ARENA_SPARES];
    size_t n;
} arena_spares;
arena *arena_spares_take(arena_spares *s); /* as arena_new() */
void arena_spares_give(arena_spares *s, arena *a);
void arena_spares_free(arena_spares *s);

#define NEW(a, type)      ((type *)arena_alloc((a), sizeof(type), _Alignof(type), 1))
#define NEW_N(a, type, n) ((type *)arena_alloc((a), sizeof(type), _Alignof(type), (n)))
#endif
