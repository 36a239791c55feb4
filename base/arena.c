/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - chained blocks with a bump pointer.
 *
 * The first block is 8 KiB, enough for a typical tools/call, and comes in one malloc with the
 * arena itself. Later blocks double up to 256 KiB, so that a large configuration does not cost
 * thousands of them. What is larger than a quarter of a block gets a block of its own and
 * leaves the current one in use. A second block outlives a reset: who needed it once will again.
 *
 * Under ASan everything not handed out is poisoned and a gap follows each allocation: an
 * overrun, and a view kept past its request, are caught by the first test that does it. */
#include "arena.h"
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum { BLOCK = 8192, SECOND_MOST = 16 * 1024, BLOCK_MOST = 256 * 1024 };

typedef struct block {
    struct block *next;
    size_t cap, used;
    max_align_t data[];
} block;

typedef struct owned {
    struct owned *next;
    void (*drop)(void *);
    void *thing;
} owned;

struct arena {
    block *now;  /* the one that is being filled */
    block *more; /* every block but the first, newest first */
    block *kept; /* one from before the last reset, or NULL */
    size_t next_cap;
    owned *owned;
    block first;
};

/* `fresh` memory is zero already: the kernel's pages for a large block need no second pass. */
static __attribute__((cold)) block *block_new(arena *a, size_t cap, bool fresh)
{
    if (cap > SIZE_MAX - sizeof(block)) abort();
    block *b = a->kept;
    if (b && b->cap == cap && !fresh)
        a->kept = NULL;
    else
        b = fresh ? calloc(1, sizeof *b + cap) : malloc(sizeof *b + cap);
    if (!b) abort();
    b->cap = cap;
    b->used = 0;
    b->next = a->more;
    a->more = b;
    ASAN_POISON_MEMORY_REGION(b->data, cap);
    return b;
}

/* Who began small may need more after all, and hold it as long: half as much again, not thrice. */
static size_t second(size_t first)
{
    return first < SECOND_MOST / 3 ? first / 2 * 3 : SECOND_MOST;
}

arena *arena_new_of(size_t first)
{
    assert(first <= SECOND_MOST);
    arena *a = malloc(sizeof *a + first);
    if (!a) abort();
    *a = (arena){.next_cap = second(first)};
    a->first.cap = first;
    a->now = &a->first;
    ASAN_POISON_MEMORY_REGION(a->first.data, first);
    return a;
}

arena *arena_new(void)
{
    return arena_new_of(BLOCK);
}

/* The next `need` bytes of b, or NULL when it is too full. */
static void *block_take(block *b, size_t need, size_t align)
{
    size_t at = (b->used + align - 1) & ~(align - 1);
    if (at > b->cap || need > b->cap - at) return NULL;
    b->used = at + need;
    if (GAP > 0 && b->cap - b->used > GAP) b->used += GAP;
    void *p = (char *)b->data + at;
    ASAN_UNPOISON_MEMORY_REGION(p, need);
    return p;
}

/* *fresh says whether the bytes are known to be zero. */
static void *take(arena *a, size_t need, size_t align, bool *fresh)
{
    assert(align && (align & (align - 1)) == 0 && align <= _Alignof(max_align_t));
    bool want_fresh = *fresh;
    *fresh = false;
    void *p = block_take(a->now, need, align);
    if (p) return p;
    if (need > SIZE_MAX - GAP) abort();
    if (need > a->next_cap / 4) {
        *fresh = want_fresh;
        return block_take(block_new(a, need + GAP, want_fresh), need, align);
    }
    a->now = block_new(a, a->next_cap, false);
    if (a->next_cap < BLOCK_MOST) a->next_cap *= 2;
    return block_take(a->now, need, align);
}

void *arena_alloc(arena *a, size_t size, size_t align, size_t count)
{
    if (count && size > SIZE_MAX / 2 / count) abort();
    bool fresh = true;
    void *p = take(a, size * count, align, &fresh);
    return fresh ? p : memset(p, 0, size * count);
}

char *arena_bytes(arena *a, size_t n)
{
    bool fresh = false;
    return take(a, n, 1, &fresh);
}

void arena_own(arena *a, void (*drop)(void *), void *thing)
{
    owned *o = NEW(a, owned);
    *o = (owned){a->owned, drop, thing};
    a->owned = o;
}

static void block_free(block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->data, b->cap);
    free(b);
}

static void keep(arena *a, block *b)
{
    a->kept = b;
    ASAN_POISON_MEMORY_REGION(b->data, b->cap);
}

void arena_reset(arena *a)
{
    while (a->owned) { /* a destructor may hand over more */
        owned *o = a->owned;
        a->owned = o->next;
        o->drop(o->thing);
    }
    while (a->more) {
        block *b = a->more;
        a->more = b->next;
        if (!a->kept && b->cap == second(a->first.cap))
            keep(a, b);
        else
            block_free(b);
    }
    a->now = &a->first;
    a->next_cap = second(a->first.cap);
    a->first.used = 0;
    ASAN_POISON_MEMORY_REGION(a->first.data, a->first.cap);
}

void arena_free(arena *a)
{
    if (!a) return;
    arena_reset(a);
    if (a->kept) block_free(a->kept);
    ASAN_UNPOISON_MEMORY_REGION(a->first.data, a->first.cap);
    free(a);
}

arena *arena_spares_take(arena_spares *s)
{
    return s->n ? s->kept[--s->n] : arena_new();
}

void arena_spares_give(arena_spares *s, arena *a)
{
    if (s->n == ARENA_SPARES) {
        arena_free(a);
        return;
    }
    arena_reset(a);
    s->kept[s->n++] = a;
}

void arena_spares_free(arena_spares *s)
{
    while (s->n) arena_free(s->kept[--s->n]);
}

str arena_dup(arena *a, str s)
{
    if (s.n == SIZE_MAX) abort();
    char *p = arena_bytes(a, s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (str){p, s.n};
}

const str *arena_dup_all(arena *a, const str *list)
{
    size_t n = 0;
    while (list && list[n].p) n++;
    str *out = NEW_N(a, str, n + 1);
    for (size_t i = 0; i < n; i++) out[i] = arena_dup(a, list[i]);
    return out;
}

str arena_fmt(arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) abort();
    char *p = arena_bytes(a, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (str){p, (size_t)n};
}
