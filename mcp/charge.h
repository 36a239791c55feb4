/* SPDX-License-Identifier: Apache-2.0 */
/* charge.h - what a call takes out of its quotas: set aside before it is made, kept when it was.
 *
 * A call costs its quotas once, however it ends, unless it never reached its server. While its
 * client is asked it keeps what was set aside: with the call, if it is parked (parked.h), else for
 * who comes back (ticket.h); so its further rounds cost nothing. Threads: the visit's worker; a
 * charge that is parked, the call's. */
#ifndef SP_MCP_CHARGE_H
#define SP_MCP_CHARGE_H
#include "../authz/quota.h"
#include "../base/flow.h"

struct visit;

typedef struct {
    arena *a; /* the hold's own: it may outlive the visit. NULL: nothing is set aside */
    quota_hold *hold;
    bool sent; /* it reached its server */
} charge;

/* `about`: as it was authorized. WAIT: woken when it is worth another try. FAIL: see v->no. */
flow_go charge_take(struct visit *v, const question *about);
void charge_park(struct visit *v);            /* with the call that was just parked */
void charge_end(struct visit *v);             /* the call is over */
void charge_settle(charge *c, quota_end how); /* one that is set aside, or none */
#endif
