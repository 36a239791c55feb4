/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.h - which door a request goes through.
 *
 * Every request begins here: it gets the worker's snapshot, which it keeps to its end, and its
 * record the facts that any request has. Doors, in order: protected-resource metadata, MCP
 * endpoints (by host and path), LLM paths, and the root for those who look whether anybody is
 * there. */
#ifndef SP_DISPATCH_H
#define SP_DISPATCH_H
#include "../transport/exchange.h"

/* ctx: the worker. */
void dispatch_exchange(exchange *x, void *ctx);
#endif
