/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - how many of something each one holds at this moment, over all workers.
 *
 * What is taken is tied to an arena and given back when that is reset: once, however a request
 * ends. A key that holds nothing costs no memory.
 * Threads: any; a short lock per shard, held for one look into a map. */
#ifndef SP_TALLY_H
#define SP_TALLY_H
#include "arena.h"

typedef struct tally tally;

tally *tally_new(void);
void tally_free(tally *t); /* after every arena that holds of it was reset */

/* One more for `key`, held until the arena is reset; false when it holds `most` already. */
bool tally_take(tally *t, str key, unsigned most, arena *until);
unsigned tally_held(tally *t, str key);
#endif
