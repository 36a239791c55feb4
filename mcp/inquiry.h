/* SPDX-License-Identifier: Apache-2.0 */
/* inquiry.h - a server's question to a client, in the words of the client's revision.
 *
 * Questions are the same three in all revisions (a form or an address to open, a completion by
 * the client's model, its roots); what may stand in them has grown. What an older revision
 * cannot say is said in its words where there are any, and else is not asked: *no words* is
 * told apart from *nobody who could*, which capability.h knows.
 * Pure. Threads: any. */
#ifndef SP_MCP_INQUIRY_H
#define SP_MCP_INQUIRY_H
#include "../base/json.h"
#include "version.h"

enum { INQUIRY_MOST = 1 << 20 }; /* bytes of a question's params */

/* The params of a question, as an object. False: that revision has no words for it. */
MUST_CHECK bool inquiry_put(arena *a, buf *b, str method, js_value params, mcp_version to);
/* What a server is told when its client could not be asked or did not answer: members of a
 * result or an error, as link_answer() takes them. */
str inquiry_unanswered(str method);
#endif
