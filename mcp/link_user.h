/* SPDX-License-Identifier: Apache-2.0 */
/* link_user.h - what is answered for a server to which the caller has connected no account yet.
 *
 * A call is answered as a server of 2025-11-25 would, by -32042 with the address to open: the rest
 * of the house knows what to make of it for either era. Lists are answered, too: nothing can be
 * called that is not listed, so there is one tool, which connects. Once there is a token it stays
 * in the list, for the call that is made again, and says that it is done.
 * Private to link*.c. Threads: the call's worker. */
#ifndef SP_MCP_LINK_USER_H
#define SP_MCP_LINK_USER_H
#include "link_table.h"

/* Ends the call: there is no account, or one without what link_token_missing() names. */
void link_user_absent(link_call *c);
#define LINK_USER_TOOL S("connect_account")
void link_user_connected(link_call *c); /* ends a call of our own tool */
/* The server's list of tools with ours before it; anything else as it is. */
js_value link_user_list(const link_call *c, js_value result);
#endif
