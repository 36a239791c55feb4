/* SPDX-License-Identifier: Apache-2.0 */
/* watching.h - the resources one stream is told of.
 *
 * A URI is the client's; which server's it is follows from the endpoint of now. It is taken only if
 * the rules let its caller read it, and they are asked again before each notice. Threads: the
 * listener's worker, but for watching_heard(). */
#ifndef SP_MCP_WATCHING_H
#define SP_MCP_WATCHING_H
#include "listener.h"

enum { WATCHING_MOST = 100, WATCHING_URI_MOST = 4096 };

typedef struct watching {
    struct watching *next;
    arena *a;           /* it lives there */
    upstream *u, *side; /* side: the caller's facet of it; NULL: none */
    str own, public_uri;
    bool owed; /* it was updated, and the client was not told yet */
} watching;

/* These instead of those before; what may not be watched is left out. At most WATCHING_MOST. */
void watching_set(listener *l, const str *uris, size_t n);
void watching_again(listener *l); /* the configuration is another */
void watching_end(listener *l);
/* A server said that this resource of its own was updated. Any thread. */
void watching_heard(upstream *u, str uri);
#endif
