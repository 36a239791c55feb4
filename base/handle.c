/* SPDX-License-Identifier: Apache-2.0 */
/* handle.c - slots, each with the generation of what lives in it.
 *
 * Dropping a thing raises its slot's generation, so every handle given out for it is stale.
 * Free slots are used again oldest first, and a slot whose generation has run out never: a
 * handle is never given twice. */
#include "handle.h"
#include <assert.h>
#include <stdlib.h>

enum { SLOTS_MOST = 1 << 24, NONE = SLOTS_MOST };

typedef struct {
    const void *type; /* NULL: free */
    void *thing;
    uint32_t generation, next_free;
} slot;

struct handle_table {
    unsigned worker;
    slot *slots;
    uint32_t used, cap, first_free, last_free;
    size_t live;
};

handle_table *handle_table_new(unsigned worker)
{
    assert(worker < 256);
    handle_table *t = malloc(sizeof *t);
    if (!t) abort();
    *t = (handle_table){.worker = worker, .first_free = NONE, .last_free = NONE};
    return t;
}

void handle_table_free(handle_table *t)
{
    if (!t) return;
    free(t->slots);
    free(t);
}

/* The number of a slot to use, or NONE when all 2^24 are taken. */
static uint32_t slot_take(handle_table *t)
{
    uint32_t at = t->first_free;
    if (at != NONE) {
        t->first_free = t->slots[at].next_free;
        if (t->first_free == NONE) t->last_free = NONE;
        return at;
    }
    if (t->used == t->cap) {
        if (t->cap == SLOTS_MOST) return NONE;
        uint32_t cap = t->cap ? t->cap * 2 : 64;
        slot *more = realloc(t->slots, cap * sizeof *more);
        if (!more) abort();
        t->slots = more;
        t->cap = cap;
    }
    t->slots[t->used] = (slot){.generation = 1};
    return t->used++;
}

handle handle_add(handle_table *t, const void *type, void *thing)
{
    assert(type && thing);
    uint32_t at = slot_take(t);
    if (at == NONE) return 0;
    t->slots[at].type = type;
    t->slots[at].thing = thing;
    t->live++;
    return (handle)t->worker << 56 | (handle)at << 32 | t->slots[at].generation;
}

static slot *resolve(const handle_table *t, handle h)
{
    uint32_t at = (uint32_t)(h >> 32) & (SLOTS_MOST - 1);
    if (handle_worker(h) != t->worker || at >= t->used) return NULL;
    slot *s = &t->slots[at];
    return s->type && s->generation == (uint32_t)h ? s : NULL;
}

void *handle_get(const handle_table *t, const void *type, handle h)
{
    const slot *s = resolve(t, h);
    return s && s->type == type ? s->thing : NULL;
}

void handle_drop(handle_table *t, handle h)
{
    slot *s = resolve(t, h);
    if (!s) return;
    uint32_t at = (uint32_t)(s - t->slots);
    s->type = s->thing = NULL;
    t->live--;
    if (++s->generation == 0) return; /* worn out */
    s->next_free = NONE;
    if (t->last_free == NONE)
        t->first_free = at;
    else
        t->slots[t->last_free].next_free = at;
    t->last_free = at;
}

size_t handle_count(const handle_table *t)
{
    return t->live;
}
