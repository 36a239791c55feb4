/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.h - being subscribed, at a server of the old era, to what is watched of it.
 *
 * One word for each resource, each answered by itself; a modern server is told the whole set with a
 * listening instead (feed.c). Refusals are no matter: what a server does not tell is not heard.
 * Threads: its worker's. */
#ifndef SP_MCP_SUBSCRIBER_H
#define SP_MCP_SUBSCRIBER_H
#include "worker.h"

typedef struct subscriber subscriber;
/* `known`: the last word was answered. */
subscriber *subscriber_new(mcp_worker *w, upstream *u, void (*known)(void *ctx), void *ctx);
void subscriber_free(subscriber *s);
/* Says what is not said yet, of what is watched now. True: there is nothing to wait for. */
bool subscriber_tell(subscriber *s);
void subscriber_forget(subscriber *s); /* the server, or its session, is another */
#endif
