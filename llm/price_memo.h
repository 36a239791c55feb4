/* SPDX-License-Identifier: Apache-2.0 */
/* price_memo.h - the prices that a worker asked for last.
 *
 * Trying globs costs more than the rest of a bill, and callers ask for the same few models. An
 * entry is good for the prices it was found in alone, so a reload needs no flush; what is found is
 * as good as price_find()'s. Threads: its worker's. */
#ifndef SP_LLM_PRICE_MEMO_H
#define SP_LLM_PRICE_MEMO_H
#include "price.h"

enum { PRICE_MEMO_SLOTS = 32, PRICE_MEMO_NAME = 64 }; /* longer names are looked up each time */

typedef struct {
    uint64_t serial; /* of the prices; 0: empty */
    const char *backend;
    const price *is; /* NULL: it is not known */
    size_t n;
    char model[PRICE_MEMO_NAME];
} price_memo_slot;
typedef struct {
    price_memo_slot of[PRICE_MEMO_SLOTS]; /* zeroed: empty */
} price_memo;

/* `backend` is the name as the configuration that has these prices holds it. */
const price *price_memo_find(price_memo *m, const prices *p, str backend, str seller, str model);
#endif
