/* SPDX-License-Identifier: Apache-2.0 */
/* wording.h - what a tool's text says to a model and not to the person who approves it.
 *
 * Two things are looked for: characters that are not seen (bidirectional controls, zero-width
 * characters, tags), and the name of another server's tool, by which a text can direct a model's
 * use of it. Both have innocent uses; so they are warned about, not refused.
 * Ownership: names that are given must outlive the wording. Threads: one at a time. */
#ifndef SP_MCP_WORDING_H
#define SP_MCP_WORDING_H
#include "../base/json.h"
#include "mcp.h"

typedef struct wording wording;

wording *wording_new(arena *a);
/* A tool that is there. Only a name of several words can be told from plain English. */
void wording_know(wording *w, str server, str tool);
/* What is odd about this tool's texts, for a person; {0}: nothing. */
str wording_hidden(arena *a, js_value tool);
str wording_foreign(const wording *w, arena *a, str server, js_value tool);
/* Logs what is odd about the tools this server has now, beside those of all others. Any thread. */
void wording_warn(upstream *u);
#endif
