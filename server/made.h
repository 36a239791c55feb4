/* SPDX-License-Identifier: Apache-2.0 */
/* made.h - a configuration nobody wrote: from the environment, or from a desktop client's mcp.json.
 *
 * It is text in our own format, read like any other; so what it can say and what is refused are the
 * same. It listens on loopback only and comes with a policy that permits everything, which the
 * caller of these functions must say aloud. */
#ifndef SP_MADE_H
#define SP_MADE_H
#include "config.h"

extern const config_file made_permit_all; /* a policy */

/* made->text.p NULL: the environment names nothing to serve. */
void made_from_environment(arena *a, config_file *made);
/* {"mcpServers": {NAME: {command, args, env} | {url, headers}}}; `file` for messages. */
MUST_CHECK const err *made_from_clients(arena *a, str file, str json, config_file *made);
#endif
