/* SPDX-License-Identifier: Apache-2.0 */
/* session_end.h - a client ends its session: DELETE.
 *
 * When it returns, the id opens nothing any more; what is open of the session (its streams, its
 * calls, what was kept of them) ends on each worker as soon as that reads its letters. The other
 * replicas are told (base/bulletin.h) and do the same. */
#ifndef SP_MCP_SESSION_END_H
#define SP_MCP_SESSION_END_H
#include "session.h"
#include "worker.h"

struct listener;
void session_end(mcp_worker *w, const session *s, int64_t now_ms);
void session_close(mcp_worker *w, const session *s, int64_t now_ms); /* one that is here alone */
void session_hear_ends(mcp_shared *shared); /* of what other replicas end; before loops run */
/* Its GET stream, wherever that is, learns that the session wishes to hear of other resources. */
void session_wishes_changed(mcp_worker *w, const session *s);
void session_watch(struct listener *l); /* of a GET stream: what its session wishes to hear of */
#endif
