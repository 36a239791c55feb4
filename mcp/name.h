/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - the name a client sees for a server's tool, prompt or resource, and back.
 *
 * With naming prefix it is `server__tool`; over 64 bytes (what model providers accept) it is
 * cut to 55 and ends with `_` and 8 hex digits of the whole name's SHA-256. A server's name holds
 * no underscore, so the first `__` always ends it. A URI becomes `server+uri`, and `ui://x`, which
 * hosts know by its scheme, `ui://server/x`; templates likewise. With naming none it is the
 * server's own. Pure. Threads: any. */
#ifndef SP_MCP_NAME_H
#define SP_MCP_NAME_H
#include "../base/arena.h"
#include "mcp.h"

enum { NAME_MOST = 64, NAME_CUT = 55 };

str name_public(arena *a, mcp_naming naming, str server, str tool);
/* Prefix naming: the server's name and what follows; ok is false when there is no `__`. */
str_pair name_split(str public_name);
/* May the tool's part be a shortened one (so that its own name has to be searched for)? */
bool name_is_shortened(str public_name);

str name_public_uri(arena *a, mcp_naming naming, str server, str uri);
/* Prefix naming: the server's name and its own URI; ok is false when it names no server. */
str_pair name_own_uri(arena *a, str public_uri);
/* May a server take it for a resource that is spelled otherwise (uri.h)? Then no rule can be asked.
 */
bool name_uri_is_doubtful(arena *a, mcp_naming naming, str public_uri);
#endif
