/* SPDX-License-Identifier: Apache-2.0 */
/* loop_heap.h - the running timers of one loop, next one due first.
 *
 * A binary heap of pointers into the timers' owners. Places are counted from 1, so that a
 * zeroed timer is one that does not run. Threads: the loop's. */
#ifndef SP_LOOP_HEAP_H
#define SP_LOOP_HEAP_H
#include "loop.h"

typedef struct {
    loop_timer **at; /* at[1] is the next one due */
    size_t n, cap;
} loop_heap;

void loop_heap_put(loop_heap *h, loop_timer *t);  /* also one that is in, with another due time */
void loop_heap_take(loop_heap *h, loop_timer *t); /* must be in */
void loop_heap_free(loop_heap *h);
static inline loop_timer *loop_heap_first(const loop_heap *h)
{
    return h->n ? h->at[1] : NULL;
}
#endif
