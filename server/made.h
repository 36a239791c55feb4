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

typedef struct {
    config_file file; /* text.p NULL: the environment names nothing to serve */
    str models;       /* what is said of the models it serves; {0}: none */
} made_config;

/* Served on 127.0.0.1:`port`. The variables that name providers: made_models.h. */
MUST_CHECK const err *made_from_environment(arena *a, const char *port, made_config *made);
/* {"mcpServers": {NAME: {command, args, env} | {url, headers}}}, and the models of the environment;
 * `file` for messages. */
MUST_CHECK const err *made_from_clients(arena *a, str file, str json, const char *port,
                                        made_config *made);
#endif
