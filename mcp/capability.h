/* SPDX-License-Identifier: Apache-2.0 */
/* capability.h - what a client can be asked, as bits.
 *
 * Said once by an old client (initialize), with each request by a new one, and said again by us
 * to an upstream, exactly: a server must never be led to ask what nobody will answer. Sessions
 * and children of upstreams are told apart by these bits, so they are one small number.
 * Pure. Threads: any. */
#ifndef SP_MCP_CAPABILITY_H
#define SP_MCP_CAPABILITY_H
#include "../base/json.h"
#include "version.h"

enum {
    CAN_LIST_ROOTS = 1 << 0,
    CAN_SAMPLE = 1 << 1,
    CAN_SAMPLE_TOOLS = 1 << 2,
    CAN_ELICIT_FORM = 1 << 3,
    CAN_ELICIT_URL = 1 << 4,
    CAN_SAMPLE_CONTEXT = 1 << 5,
    CAN_FOLLOW_TASKS = 1 << 6, /* the extension of the modern era; an old client never has it */
    CAN_ALL = (1 << 7) - 1
};

/* Of a ClientCapabilities object, as far as that revision knows them. */
unsigned capability_bits(js_value said, mcp_version version);
/* The same bits as a ClientCapabilities object, in the words of that revision. */
void capability_put(buf *b, unsigned bits, mcp_version version);
/* What a client must be able to do for this question; 0: no question a client knows. */
unsigned capability_needed(str method, js_value params);
#endif
