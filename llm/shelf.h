/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.h - what this door keeps in the store: one value by name, asked for beside the workers.
 *
 * All errands of a shelf go to one service thread, in order: who takes a name after it was put
 * gets what was put. An answer comes by letter to the worker that asked, which finds its run by
 * handle; a run that is gone gets none.
 * Ownership: names and values are copied. Failure: what cannot be kept is a line in the log. */
#ifndef SP_LLM_SHELF_H
#define SP_LLM_SHELF_H
#include "../base/log.h"
#include "../base/store.h"
#include "../transport/errand.h"
#include "../transport/loop.h"

typedef struct {
    store kept;
    errands *disk; /* NULL: nothing is kept */
    logger *log;
} shelf;

/* Runs on the worker that asked. `value` lives until it returns; p NULL: there is none, or the
 * store has failed. */
typedef void shelf_got(loop *at, handle who, str value);

/* False: too much waits already, and nothing will come of it. */
bool shelf_put(const shelf *s, store_key key, str value, int64_t lives_s);
bool shelf_get(const shelf *s, store_key key, loop *at, handle who, shelf_got *got);
/* The value that was there, and it is no more. */
bool shelf_take(const shelf *s, store_key key, loop *at, handle who, shelf_got *got);
#endif
