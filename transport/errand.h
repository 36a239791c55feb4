/* SPDX-License-Identifier: Apache-2.0 */
/* errand.h - work that blocks (a fetch, the store), done beside the workers.
 *
 * A few service threads take errands in the order they came. An errand is intrusive, like a letter:
 * its memory belongs to it, and `run` or `drop`, whichever is called, frees it. To say that it is
 * done it posts a letter (loop_post, loop_wake) that names its waiter by handle.
 * Bounded: when too many wait, the next is refused and its owner fails what needed it.
 * Threads: errands_add() from any; errands_stop() and _free() from the one that made it. */
#ifndef SP_ERRAND_H
#define SP_ERRAND_H
#include "../base/arena.h"
#include <stdatomic.h>

typedef struct errands errands;

typedef struct errand {
    struct errand *next;
    void (*run)(struct errand *self);  /* on a service thread */
    void (*drop)(struct errand *self); /* instead of run, when there is no time left */
} errand;

errands *errands_new(unsigned threads, size_t most);
/* False: it was not taken and is still the caller's. */
bool errands_add(errands *to, errand *what);
/* Set by errands_stop(), for a `run` that waits long for somebody else. Lives as long as `e`. */
const atomic_bool *errands_stopping(const errands *e);
/* What runs is waited for, what waits is dropped, nothing more is taken. */
void errands_stop(errands *e);
void errands_free(errands *e); /* NULL is fine */
#endif
