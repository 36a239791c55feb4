/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - HTTP+SSE (2024-11-05) toward clients: a GET that stands open, and POSTs that are
 * answered on it.
 *
 * The channel is the session: it has a random name, which the first event tells, and is good for
 * its caller and endpoint alone. A POST to that name gets 202 at once, and what would have been its
 * answer is said on the channel. What `initialize` made stands here, so that each POST is read as
 * one with that session's id. Ended with its GET. What waits to be read is bounded: a client that
 * does not read is cut off. Ownership: counted. Threads: any, a lock inside; open and take on its
 * GET's worker. */
#ifndef SP_MCP_CHANNEL_H
#define SP_MCP_CHANNEL_H
#include "corridor.h"

typedef struct channel channel;
struct channels *channels_new(void);
void channels_free(struct channels *t);

channel *channel_open(const visit *v); /* of a GET; closed and dropped with channel_end() */
void channel_end(channel *c);
/* The one a POST names in its query, if it names one; lives as long as the visit. False: there is
 * none of that name, or it is another's. */
MUST_CHECK bool channel_find(const visit *v, channel **out);
str channel_name(const channel *c);

void channel_begin(channel *c, str sealed, const session *made);
bool channel_session(channel *c, arena *a, session *out); /* false: not begun yet */
/* The request's headers with the session's id among them. */
const header *channel_headers(const visit *v);

void channel_say(channel *c, str events);
/* What was said since. False: more than anybody may owe. */
bool channel_take(channel *c, buf *to);
sink *channel_sink(visit *v); /* takes an event stream's bytes */
#endif
