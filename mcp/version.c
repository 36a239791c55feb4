/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - revisions are dates, so that a later one can be told from an earlier one. */
#include "version.h"

const str mcp_version_names[MCP_VERSIONS] = {
    [MCP_2024_11_05] = {"2024-11-05", 10}, [MCP_2025_03_26] = {"2025-03-26", 10},
    [MCP_2025_06_18] = {"2025-06-18", 10}, [MCP_2025_11_25] = {"2025-11-25", 10},
    [MCP_2026_07_28] = {"2026-07-28", 10},
};

mcp_version mcp_version_of(str name)
{
    for (mcp_version v = MCP_VERSIONS; v-- > MCP_2024_11_05;)
        if (str_eq(mcp_version_names[v], name)) return v;
    return MCP_VERSIONS;
}

bool mcp_version_is_modern(str name)
{
    static const char shape[] = "0000-00-00";
    if (name.n != sizeof shape - 1) return false;
    for (size_t i = 0; i < name.n; i++) {
        bool digit = name.p[i] >= '0' && name.p[i] <= '9';
        if (shape[i] == '0' ? !digit : name.p[i] != '-') return false;
    }
    return memcmp(name.p, mcp_version_names[MCP_2026_07_28].p, name.n) >= 0;
}
