/* SPDX-License-Identifier: Apache-2.0 */
/* session_end.h - a client ends its session: DELETE.
 *
 * When it returns, the id opens nothing any more; what is open of the session (its streams, its
 * calls, what was kept of them) ends on each worker as soon as that reads its letters. */
#ifndef SP_MCP_SESSION_END_H
#define SP_MCP_SESSION_END_H
#include "session.h"
#include "worker.h"

void session_end(mcp_worker *w, const session *s, int64_t now_ms);
#endif
