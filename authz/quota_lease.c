/* SPDX-License-Identifier: Apache-2.0 */
/* quota_lease.c - what is asked of the ledger, in rounds, beside the workers.
 *
 * A round takes every want there is and wakes who waited. */
#include "quota_private.h"
#include <stdlib.h>

static size_t take_wants(quotas *q)
{
    pthread_mutex_lock(&q->queueing);
    quota_want *wants = q->wants;
    size_t count = q->want_count;
    q->wants = q->taken;
    q->taken = wants;
    q->want_count = 0;
    q->called = false;
    pthread_mutex_unlock(&q->queueing);
    return count;
}

void quotas_exchange(quotas *q)
{
    pthread_mutex_lock(&q->exchanging);
    size_t count = take_wants(q);
    if (count) atomic_store(&q->away, true);
    for (size_t i = 0; i < count; i++) {
        quota_cells_unpin(q->cells, q->taken[i].cell);
        if (q->taken[i].waiter && q->o.wake) q->o.wake(q->o.ctx, q->taken[i].waiter);
    }
    pthread_mutex_unlock(&q->exchanging);
}

void quotas_close(quotas *q)
{
    quotas_exchange(q);
}
