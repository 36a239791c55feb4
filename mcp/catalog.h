/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - the tools of one upstream: bytes with offsets, fetched once for everybody.
 *
 * A version is immutable, counted, and found by content: the raw tools/list items of all pages, in
 * the server's order, after include/exclude, with invalid items (no name, name over 128 bytes, no
 * object inputSchema, a name twice, an invalid x-mcp-header) dropped and logged. Fetching is single
 * flight on the upstream's owner worker; a request never fetches, it waits. A server that does not
 * answer within its list_timeout yields its last good list, marked stale, or nothing. Threads:
 * versions may be read anywhere; catalog_want() on the asking worker. */
#ifndef SP_CATALOG_H
#define SP_CATALOG_H
#include "../authz/digest.h"
#include "../base/json.h"
#include "mcp.h"

typedef struct {
    str name, title;
    js_value raw;                       /* the whole item as the server sent it */
    js_value annotations, input_schema; /* members of raw, JS_ABSENT when missing */
    uint8_t definition[DIGEST_BYTES];   /* definition.h */
    const struct policy_schema *schema; /* what rules may know of its arguments; NULL: nothing */
} catalog_tool;

typedef struct catalog {
    const catalog_tool *tools;
    size_t count;
    str hash;       /* hex of the SHA-256 of the items */
    bool is_public; /* the server said cacheScope public */
} catalog;

typedef struct {
    const catalog *now; /* NULL: never had one. Dropped with catalog_drop */
    bool stale;         /* the server did not answer in time or its ttl is over */
    int64_t fresh_ms;   /* how long it is still fresh */
    bool pending; /* a fetch is under way: `waiter` will be woken (FLOW_WOKEN) when it ends or at
                     its deadline */
} catalog_view;

/* Fresh: answers at once. Otherwise starts (or joins) a fetch and says pending; after the wake, ask
 * again with `again` = true: then the answer is never pending. A server known to keep people
 * waiting is fetched behind everybody's back: not pending either. `waiter` 0: nobody is woken. */
catalog_view catalog_want(mcp_worker *w, upstream *u, handle waiter, bool again);
void catalog_drop(const catalog *c);
const catalog_tool *catalog_find(const catalog *c, str name);
#endif
