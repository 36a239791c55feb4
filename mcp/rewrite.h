/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite.h - a server's own URIs, put into the words of its clients wherever they appear.
 *
 * Bytes are spliced: nothing of a value changes but the URIs in it. Where nothing has to change
 * (naming none, no URI) the value comes back as it was. Places of the wrong shape are passed
 * over. Ownership: views of the value, or the arena's. Threads: any. */
#ifndef SP_MCP_REWRITE_H
#define SP_MCP_REWRITE_H
#include "../base/json.h"
#include "mcp.h"

typedef struct {
    arena *a;
    mcp_naming naming;
    str server;
} rewrite_from;

/* The result of tools/call, prompts/get or resources/read: links and embedded resources in
 * `content` and `messages`, `contents`, `_meta.ui.resourceUri`. */
js_value rewrite_result(const rewrite_from *f, js_value result);
/* One content block (a link, an embedded resource), or an array of them: for what carries some. */
js_value rewrite_content(const rewrite_from *f, js_value content);
/* The value of a tool's `_meta`. */
js_value rewrite_meta(const rewrite_from *f, js_value meta);
#endif
