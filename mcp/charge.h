/* SPDX-License-Identifier: Apache-2.0 */
/* charge.h - what a call takes out of its quotas: set aside before it is made, kept when it was.
 *
 * A call costs its quotas once, however it ends, unless it never reached its server. One that is
 * parked (parked.h) keeps what was set aside, and its further rounds cost nothing; where nothing
 * of a call waits here while its client is asked, what was set aside is given back and set aside
 * anew with the answers. Threads: the visit's worker; a charge that is parked, the call's. */
#ifndef SP_MCP_CHARGE_H
#define SP_MCP_CHARGE_H
#include "../authz/quota.h"
#include "../base/flow.h"

struct visit;

typedef struct {
    arena *a; /* the hold's own: it may outlive the visit. NULL: nothing is set aside */
    quota_hold *hold;
    bool sent, asked_back; /* it reached its server; which wants it again with answers */
} charge;

/* `about`: as it was authorized. WAIT: woken when it is worth another try. FAIL: see v->no. */
flow_go charge_take(struct visit *v, const question *about);
void charge_park(struct visit *v); /* with the call that was just parked */
void charge_end(struct visit *v);  /* the call is over */
#endif
