/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h - a credential that a cloud lends a backend for a while.
 *
 * It is asked for beside the workers, by one errand at a time; a request that finds none waits for
 * it. When three quarters of its life are over the next one is asked for (leases_tend()), while
 * the old one is still used, until it truly ends: a renewal that fails is tried again after a
 * pause that grows, for as long as anybody holds the lease. A request never waits for a renewal.
 * After a failure nobody asks again for a second, and who has nothing meanwhile goes without. Equal
 * specs share one lease, so a reload finds what was lent. Ownership: a lease is counted, one count
 * a snapshot and one an errand; leases_free() after the last of them. Threads: any. Secrets: what
 * is lent and what it is asked for with; neither is ever logged. */
#ifndef SP_LLM_LEASE_H
#define SP_LLM_LEASE_H
#include "../transport/loop.h"
#include "lease_spec.h"

typedef struct leases leases;
typedef struct lease lease;

leases *leases_new(const lease_world *w);
void leases_free(leases *all); /* NULL is fine */
/* Asks for what is soon over; how long until it must look again, -1: there is nothing to tend. */
int64_t leases_tend(leases *all);

lease *lease_of(leases *all, const lease_spec *spec); /* copies it */
void lease_drop(lease *l);

typedef struct {
    arena *a; /* gets a copy of what is lent */
    loop *at; /* wakes `who` when it is worth asking again */
    handle who;
} lease_ask;
typedef enum { LEASE_READY, LEASE_WAIT, LEASE_NONE } lease_state;
lease_state lease_take(lease *l, const lease_ask *ask, lease_token *out);
/* The provider does not take it although its time is not over; it is not lent out again. */
void lease_refused(lease *l, const lease_token *what);
#endif
