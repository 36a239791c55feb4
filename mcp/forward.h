/* SPDX-License-Identifier: Apache-2.0 */
/* forward.h - what of a request goes on to a server beside the message itself.
 *
 * By name only: the headers of forward_headers, the claims of forward_claims, and the caller's
 * token where the server's grant needs it (grant.h). Nothing else of a client's request leaves us.
 * Threads: the visit's worker. */
#ifndef SP_MCP_FORWARD_H
#define SP_MCP_FORWARD_H
#include "corridor.h"
#include "link.h"

/* Fills rq->headers and rq->caller_token. Views live as long as the visit. */
void forward_fill(const visit *v, const upstream_spec *spec, link_request *rq);
/* May a call be sent twice? Only where the server is trusted to know, and says so. */
bool forward_may_repeat(const upstream_spec *spec, js_value annotations);
/* The value of "jwt.sub", "jwt.org.id", "caller.id" or "caller.name" as a header can carry it; {0}:
 * the caller has none. Lists of texts are joined by commas. */
str forward_claim(arena *a, const caller *who, str path);
#endif
