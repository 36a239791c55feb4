/* SPDX-License-Identifier: Apache-2.0 */
/* handle.h - names for things that may be gone.
 *
 * A timer, a letter or an upstream's event does not hold a pointer to a request; it holds its
 * handle. Once the thing is dropped the handle is stale and resolves to NULL for ever, so a
 * late event is ignored instead of touching freed memory.
 * Threads: a table belongs to one worker. A handle may travel anywhere. */
#ifndef SP_HANDLE_H
#define SP_HANDLE_H
#include "arena.h"
#include <stdint.h>

typedef uint64_t handle; /* {worker:8, slot:24, generation:32}; 0 names nothing */
typedef struct handle_table handle_table;

handle_table *handle_table_new(unsigned worker);
void handle_table_free(handle_table *t);
handle handle_add(
    handle_table *t, const void *type,
    void *thing); /* type: any static address, checked by get; 0 when all 2^24 slots are taken */
void *handle_get(const handle_table *t, const void *type,
                 handle h); /* NULL: stale or of another type */
void handle_drop(handle_table *t, handle h);
size_t handle_count(const handle_table *t);
static inline unsigned handle_worker(handle h)
{
    return (unsigned)(h >> 56);
}
#endif
