/* SPDX-License-Identifier: Apache-2.0 */
/* feed.h - what a server says unasked: one feed per server, while anybody listens.
 *
 * Toward a modern server a feed is a subscriptions/listen, toward a legacy one the GET stream of
 * the gateway's own session, at a child process its unsolicited notices. What is heard makes lists
 * stale at once, fetches them anew, and is told to the open streams. A feed that drops comes back
 * after a growing pause, and what may have been missed is looked at then. A server that has
 * no feed is asked for its lists again when their time is over. A feed is its server's owner's;
 * wanting, leaving and hearing may happen on any worker. */
#ifndef SP_MCP_FEED_H
#define SP_MCP_FEED_H
#include "../base/json.h"
#include "upstream_state.h"
#include "watch.h"
#include "worker.h"

/* Of a facet it is the stream of the session in which its caller's calls are made: it listens there
 * once there is such a session. */
void feed_want(upstream *u);
void feed_open(upstream *u);            /* likewise, and opens that session */
feed_state feed_now(const upstream *u); /* UNTRIED: it is not known yet whether it will stand */
void feed_leave(upstream *u);
bool feed_is_wanted(const upstream *u);
void feed_watch(upstream *u, watch_kind kind); /* others of that kind are watched now */
/* A list is to be fetched anew, soon. */
void feed_changed(upstream *u);
/* A session or child of that isolation id has been opened, on this worker. True: somebody listens
 * to it, and link_session_heard() will be called when his stream stands, or cannot. */
bool feed_session_opened(mcp_worker *w, upstream *u, str isolation);

struct feeds *feeds_new(mcp_worker *w);
void feeds_drain(struct feeds *t);
void feeds_free(struct feeds *t);
#endif
