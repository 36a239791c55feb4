/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.h - headers that repeat the body (Mcp-Name, Mcp-Param-*), checked against it.
 *
 * What an intermediary routed by must be what we serve, so a header that differs from the body
 * is refused (MCP 2026-07-28 basic/transports). Pure. Threads: any. */
#ifndef SP_MCP_MIRROR_H
#define SP_MCP_MIRROR_H
#include "../base/header.h"
#include "../base/json.h"

/* A header value as text: trimmed, and out of =?base64?…?= when it is in it. False: badly encoded.
 */
bool mirror_decode(arena *a, str value, str *out);
/* NULL: the Mcp-Param-* headers agree with the arguments, by the published schema; else what is
 * wrong. */
const char *mirror_params(arena *a, const header *headers, js_value schema, js_value arguments);
#endif
