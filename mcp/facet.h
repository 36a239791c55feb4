/* SPDX-License-Identifier: Apache-2.0 */
/* facet.h - what a server shows one caller, where that is not what it shows everybody.
 *
 * A facet is an upstream that stands for another: the same server, seen from the session of one
 * caller's calls (or by whoever can be asked the same things). It has lists, a feed and watched
 * resources of its own; era, sessions, breaker and capabilities are its server's, and calls go to
 * the server itself. With `lists: caller` or `lists: capabilities` its lists are always its own.
 * With `lists: shared` they are what everybody is shown, until the session of that caller's calls
 * says that one has changed and it turns out to be another; and again when they are the same.
 * Ownership: counted. One that nobody uses is gone at once if its lists are everybody's; else its
 * server keeps it for a while, bounded in number. Threads: any, under the server's lock, but what
 * takes a visit: its worker's. */
#ifndef SP_MCP_FACET_H
#define SP_MCP_FACET_H
#include "catalog.h"
#include "corridor.h"
#include "link.h"

bool facet_is_one(const upstream *u);
/* The one of this visit's caller, for what the server says unasked; made when there is none. NULL:
 * everybody shares his server's session. Held. */
upstream *facet_of_caller(const visit *v, upstream *u);
/* The one of the session in which this visit's caller makes his calls, whatever the lists. */
upstream *facet_of_session(const visit *v, upstream *u);
/* The one of this isolation id, if there is one: held. */
upstream *facet_known(upstream *u, str isolation);
/* As catalog_want(), of the list that this visit's caller is shown. */
catalog_view facet_catalog(const visit *v, upstream *u, catalog_kind kind, handle waiter,
                           bool again);
/* That list is another now. */
void facet_stale(const visit *v, upstream *u, catalog_kind kind);
/* Likewise for a caller whose facet is known; NULL: he has none. Never waits, and does not hold up:
 * `again` as there. */
catalog_view facet_look(mcp_worker *w, upstream *facet, upstream *u, catalog_kind kind, bool again);
/* Is this list of it (a server or a facet) shown to anybody? */
bool facet_shows(const upstream *u, catalog_kind kind);
/* In whose name it asks: nothing is filled in for a server. Views in the arena. */
void facet_fill(upstream *u, arena *a, link_request *rq);
/* A list was published, of a server or of a facet. */
void facet_published(upstream *u, catalog_kind kind);
/* What came in the session of this isolation id announced another list. NULL, or held. */
upstream *facet_differs(upstream *u, str isolation, unsigned kinds);
/* All there are, ends with NULL, each held. */
upstream **facets_all(arena *a, upstream *u);
void facet_release(upstream *f); /* as upstream_release(), which see */
void facets_free(upstream *u);   /* when its server is destroyed */
#endif
