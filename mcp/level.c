/* SPDX-License-Identifier: Apache-2.0 */
#include "level.h"

const str mcp_level_names[MCP_LEVELS] = {S("debug"), S("info"),     S("notice"), S("warning"),
                                         S("error"), S("critical"), S("alert"),  S("emergency")};

int mcp_level_of(str name)
{
    for (int i = 0; i < MCP_LEVELS; i++)
        if (str_eq(mcp_level_names[i], name)) return i;
    return MCP_LEVEL_UNKNOWN;
}
