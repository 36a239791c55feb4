/* SPDX-License-Identifier: Apache-2.0 */
/* quota_house.h - the quotas of a gateway: their cells, their ledger, and the thread that asks it.
 *
 * The thread runs when a cell wants a lease, and every second. Waiters are woken by letter.
 * Ownership: outlives whatever may settle. */
#ifndef SP_SERVER_QUOTA_HOUSE_H
#define SP_SERVER_QUOTA_HOUSE_H
#include "../authz/quota.h"
#include "../base/log.h"
#include "../transport/loop.h"

typedef struct quota_house quota_house;

typedef struct {
    ledger store;
    str file; /* of the cells; {0}: they are forgotten with the process */
    bool local_on_loss;
    logger *log;
} quota_house_options;

/* Asks the ledger once, so that what a killed process held is back before anybody counts on it. A
 * file that cannot be had is a warning: the cells are then forgotten with the process. */
quota_house *quota_house_new(const quota_house_options *o);
quotas *quota_house_quotas(quota_house *h);
/* Whose flows may wait, by their number; before the first request. */
void quota_house_loops(quota_house *h, loop *const *loops, size_t count);
/* When no request is left and the loops are still there: gives all leases back. NULL is fine. */
void quota_house_stop(quota_house *h);
void quota_house_free(quota_house *h); /* after that; NULL is fine */
#endif
