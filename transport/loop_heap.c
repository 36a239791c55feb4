/* SPDX-License-Identifier: Apache-2.0 */
/* loop_heap.c - sifting up and down, nothing else. Each timer knows its place, so stopping one in
 * the middle costs no search: most timers here are deadlines that never come. */
#include "loop_heap.h"
#include <assert.h>
#include <stdlib.h>

static void set(loop_heap *h, size_t at, loop_timer *t)
{
    h->at[at] = t;
    t->heap_at = at;
}

static void up(loop_heap *h, size_t at)
{
    loop_timer *t = h->at[at];
    while (at > 1 && h->at[at / 2]->due_ms > t->due_ms) {
        set(h, at, h->at[at / 2]);
        at /= 2;
    }
    set(h, at, t);
}

static void down(loop_heap *h, size_t at)
{
    loop_timer *t = h->at[at];
    while (at * 2 <= h->n) {
        size_t child = at * 2;
        if (child < h->n && h->at[child + 1]->due_ms < h->at[child]->due_ms) child++;
        if (t->due_ms <= h->at[child]->due_ms) break;
        set(h, at, h->at[child]);
        at = child;
    }
    set(h, at, t);
}

static void settle(loop_heap *h, size_t at)
{
    up(h, at);
    down(h, at); /* whoever stands there now */
}

static void make_room(loop_heap *h)
{
    if (h->n + 1 < h->cap) return; /* one more: at[0] stays empty */
    h->cap = h->cap ? h->cap * 2 : 64;
    h->at = reallocarray(h->at, h->cap, sizeof(loop_timer *));
    if (!h->at) abort();
}

void loop_heap_put(loop_heap *h, loop_timer *t)
{
    if (!t->heap_at) {
        make_room(h);
        set(h, ++h->n, t);
    }
    assert(h->at[t->heap_at] == t);
    settle(h, t->heap_at);
}

void loop_heap_take(loop_heap *h, loop_timer *t)
{
    size_t at = t->heap_at;
    assert(at && at <= h->n && h->at[at] == t);
    t->heap_at = 0;
    loop_timer *last = h->at[h->n--];
    if (last == t) return;
    set(h, at, last);
    settle(h, at);
}

void loop_heap_free(loop_heap *h)
{
    free(h->at);
    *h = (loop_heap){0};
}
