/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - an endpoint that shows two tools instead of hundreds.
 *
 * search_tools finds, among the tools this caller would be listed, those that fit some words;
 * call_tool calls one by name. Neither knows anything the list and the call do not: what is found
 * is asked of the same rules, and call_tool is the named tool's own call from there on. Threads:
 * the visit's worker. */
#ifndef SP_MCP_SEARCH_H
#define SP_MCP_SEARCH_H
#include "corridor.h"
#include "rank.h"

/* The flow for what such an endpoint answers itself; NULL: everything else goes its usual way. A
 * call_tool becomes the call it stands for. */
const flow *search_take(visit *v);
#endif
