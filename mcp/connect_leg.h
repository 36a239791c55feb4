/* SPDX-License-Identifier: Apache-2.0 */
/* connect_leg.h - the blocking parts of connecting an account: begin a leg, and end one.
 *
 * Beginning finds the authorization server and makes the address the browser is sent to; ending
 * exchanges the code. The end of a login begins the next leg; the end of the last keeps the token.
 * Threads: errands, not workers. Ownership: all in the job's arena. */
#ifndef SP_MCP_CONNECT_LEG_H
#define SP_MCP_CONNECT_LEG_H
#include "../authz/identity.h"
#include "consent.h"
#include "upstream_state.h"

typedef struct {
    arena *a;
    upstream *u;      /* held */
    jwt_issuer login; /* copied; issuer {0}: nobody logs in */
    consent c;        /* START: with its browser set */
    str code;         /* what came back */
    str location;     /* out: where the browser goes on; {0}: the account is connected */
} connect_job;

MUST_CHECK const err *connect_begin(connect_job *j);
MUST_CHECK const err *connect_end(connect_job *j);
#endif
