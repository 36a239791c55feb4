/* SPDX-License-Identifier: Apache-2.0 */
/* method.h - every MCP method of both eras, and what it needs before it may run.
 *
 * Permission is a column: zero is NEEDS_UNSET and is denied, so a row somebody forgets to fill
 * opens nothing. A method without a flow is known but not served: -32601, like one that
 * nobody knows, and it is advertised nowhere. Threads: constant. */
#ifndef SP_MCP_METHOD_H
#define SP_MCP_METHOD_H
#include "../base/flow.h"
#include "../base/str.h"

typedef enum {
    NEEDS_UNSET,
    NEEDS_CALLER, /* an identified caller: enough for what shows nothing of an upstream */
    NEEDS_FILTER, /* a caller, and each item of the answer is asked of the rules */
    NEEDS_RULE    /* a rule must permit the subject before anything goes upstream */
} need;

enum { ERA_IS_LEGACY = 1, ERA_IS_MODERN = 2, ERA_IS_ANY = 3 };

typedef struct {
    str name;
    unsigned eras;
    need needs;
    str subject; /* the params member a rule is asked about, and what Mcp-Name carries; {0}: none */
    str acting;  /* lists: the method whose permission decides what is shown; {0}: none */
    const flow *served; /* NULL: not served */
} mcp_method;

extern const mcp_method mcp_methods[]; /* ends with {0} */
/* The row if that era has the method, else NULL. */
const mcp_method *mcp_method_find(str name, unsigned era);
/* May it be served at all: it has a flow and says what it needs. */
bool mcp_method_is_served(const mcp_method *m);
#endif
