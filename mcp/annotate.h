/* SPDX-License-Identifier: Apache-2.0 */
/* annotate.h - a listed tool whose schema says what the rules still ask.
 *
 * Values, bounds and required arguments go into the root's properties, what JSON Schema has no
 * word for into descriptions ("Gateway: must start with /srv/data/"). Only ever narrower: what
 * passes the new schema passes the old one. All other bytes stay the server's. */
#ifndef SP_MCP_ANNOTATE_H
#define SP_MCP_ANNOTATE_H
#include "../authz/policy/overlay.h"

/* `item`: an encoded tool, checked JSON. Gives it back where there is nothing to change. */
str annotate_tool(arena *a, str item, const policy_overlay *o);
#endif
