/* SPDX-License-Identifier: Apache-2.0 */
/* quota_private.h - between quota.c (reserve and settle) and quota_exchange.c (what the ledger is
 * asked). A request that the cell cannot serve leaves a want in the queue; the exchange takes the
 * whole queue, asks once, and wakes everybody. */
#ifndef SP_QUOTA_PRIVATE_H
#define SP_QUOTA_PRIVATE_H
#include "quota.h"
#include "quota_cells.h"
#include <pthread.h>

enum { WANTS_MOST = 20000 };

typedef struct {
    quota_cell *cell; /* pinned */
    int64_t cost;     /* 0: a refill in the background */
    handle waiter;
} quota_want;

struct quotas {
    quota_options o;
    quota_cells *cells;
    _Atomic bool away;       /* the store did not answer last time */
    _Atomic int64_t skew_ms; /* the store's clock less ours */
    pthread_mutex_t queueing;
    quota_want *wants, *taken; /* WANTS_MOST each; `taken` is the exchange's own */
    size_t want_count;
    bool called; /* `soon` was told, and the exchange has not begun */
    pthread_mutex_t exchanging;
    struct quota_exchange *x;
    _Atomic uint64_t asked; /* how often the ledger was */
};

/* False: the queue is full. */
bool quota_want_add(quotas *q, quota_want w);
/* Remembers what an earlier process left. */
struct quota_exchange *quota_exchange_new(const quota_options *o);
void quota_exchange_free(struct quota_exchange *x);
bool quota_counts_alone(const quotas *q); /* no store, or it is away and we may */
#endif
