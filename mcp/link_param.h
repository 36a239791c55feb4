/* SPDX-License-Identifier: Apache-2.0 */
/* link_param.h - arguments that also travel as headers (MCP 2026-07-28, x-mcp-header).
 *
 * A property of a tool's inputSchema may say "x-mcp-header":"Region"; a call then carries
 * Mcp-Param-Region. An invalid annotation makes the whole tool unusable over HTTP. */
#ifndef SP_MCP_LINK_PARAM_H
#define SP_MCP_LINK_PARAM_H
#include "../base/header.h"
#include "../base/json.h"

enum { LINK_PARAMS_MOST = 64 };

/* NULL: valid (or none there). The schema is checked JSON. */
const char *link_param_problem(arena *a, js_value schema);
/* Appends the headers of a valid schema for these arguments at out[*n], at most LINK_PARAMS_MOST.
 */
void link_param_headers(arena *a, js_value schema, js_value arguments, header *out, size_t *n);
/* A header value as the receiver decodes it: plain, or =?base64?…?= when it would not survive. */
str link_param_encode(arena *a, str text);
#endif
