/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - what tools/list is made of, for others that choose among what this caller may see.
 *
 * list_gather is a step: fresh catalogs of tools, or waiting for them. What it gathered is held
 * until the visit settles (list_end). Threads: the visit's worker. */
#ifndef SP_MCP_LIST_H
#define SP_MCP_LIST_H
#include "catalog.h"
#include "corridor.h"

flow_go list_gather(void *x, flow_why why);
/* Each tool the rules let this caller see, in the list's order: the server's place among the
 * endpoint's, and the item's in its catalog. */
typedef void list_fn(void *ctx, size_t server, const catalog *c, size_t item);
void list_each(visit *v, list_fn *fn, void *ctx);
const catalog *list_catalog(const visit *v, size_t server);
#endif
