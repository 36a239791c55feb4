/* SPDX-License-Identifier: Apache-2.0 */
/* level.h - how grave a log message is, as MCP spells RFC 5424's severities. Threads: constant. */
#ifndef SP_MCP_LEVEL_H
#define SP_MCP_LEVEL_H
#include "../base/str.h"

enum { MCP_LEVELS = 8, MCP_LEVEL_UNKNOWN = -1, MCP_LEVEL_INFO = 1 };
extern const str mcp_level_names[MCP_LEVELS]; /* least grave first */
int mcp_level_of(str name);
#endif
