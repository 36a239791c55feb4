/* SPDX-License-Identifier: Apache-2.0 */
/* resource_metadata.h - what an OAuth client is told when it is refused (RFC 6750, RFC 9728).
 *
 * mcp_endpoint_find, mcp_resource_metadata and mcp_challenge of mcp.h are here as well. */
#ifndef SP_MCP_RESOURCE_METADATA_H
#define SP_MCP_RESOURCE_METADATA_H
#include "../transport/exchange.h"
#include "mcp.h"

/* The WWW-Authenticate of a 403 for which only `scopes` (ends with {0}) are missing. */
str resource_scope_challenge(const mcp_config *c, const mcp_endpoint *e, exchange *x,
                             const str *scopes);
/* scheme://host[:port] under which this client knows us. */
str mcp_front(arena *a, const mcp_endpoint *e, exchange *x);
#endif
