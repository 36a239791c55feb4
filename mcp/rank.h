/* SPDX-License-Identifier: Apache-2.0 */
/* rank.h - which of many texts fit some words best (BM25).
 *
 * Texts are added one after the other and not kept: only how often they hold which word of the
 * query. A word is a run of letters and digits, cut where case changes in readFile, compared
 * without case and without a plural's s; other than ASCII is letters. Words of a name weigh thrice.
 * Ownership: the arena's. Threads: one at a time. Bounded: RANK_WORDS words of a query. */
#ifndef SP_MCP_RANK_H
#define SP_MCP_RANK_H
#include "../base/arena.h"

enum { RANK_WORDS = 16 };
typedef struct rank rank;

rank *rank_new(arena *a, str query);
void rank_add(rank *r, size_t id, str name, str text, str more);
/* The best first; equals in the order they were added. How many there are, at most `most`. */
size_t rank_best(rank *r, size_t *ids, size_t most);
#endif
