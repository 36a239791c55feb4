/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - the revisions of MCP we speak, oldest first. */
#ifndef SP_MCP_VERSION_H
#define SP_MCP_VERSION_H
#include "../base/str.h"

typedef enum {
    MCP_2024_11_05, /* its methods, over the transport of its successors */
    MCP_2025_03_26,
    MCP_2025_06_18,
    MCP_2025_11_25,
    MCP_2026_07_28, /* the first modern one */
    MCP_VERSIONS
} mcp_version;

extern const str mcp_version_names[MCP_VERSIONS];
mcp_version mcp_version_of(str name); /* MCP_VERSIONS: none of ours */
/* Is it written like a revision of the modern era, known to us or not (a date from 2026-07-28 on)?
 */
bool mcp_version_is_modern(str name);
#endif
