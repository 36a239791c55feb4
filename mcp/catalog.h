/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - what one upstream offers: four lists of bytes with offsets, fetched once for
 * everybody.
 *
 * A version is immutable, counted, and found by content: the raw items of all pages of one list, in
 * the server's order, after include/exclude, with invalid items (no name or URI, too long a one,
 * one that is there twice; a tool without an object for inputSchema or with an invalid
 * x-mcp-header) dropped and logged. Fetching is single flight on the upstream's owner worker; a
 * request never fetches, it waits. A server that does not answer within its list_timeout yields
 * its last good list, marked stale, or nothing. Threads: versions may be read anywhere;
 * catalog_want() on the asking worker. */
#ifndef SP_CATALOG_H
#define SP_CATALOG_H
#include "../authz/digest.h"
#include "../base/json.h"
#include "mcp.h"

#define CATALOG_TTL_MOST_MS (24LL * 3600 * 1000) /* nothing is fresh for longer */

typedef enum {
    CATALOG_TOOLS,
    CATALOG_PROMPTS,
    CATALOG_RESOURCES,
    CATALOG_TEMPLATES,
    CATALOG_KINDS
} catalog_kind;

/* What is said of a kind, in MCP and in the log. */
typedef struct {
    str method; /* "tools/list" */
    str member; /* of its result: "tools" */
    str key;    /* of an item, what it is known by: "name", "uri", "uriTemplate" */
    str noun;   /* "tool" */
} catalog_words;
extern const catalog_words catalog_words_of[CATALOG_KINDS];

typedef struct {
    str name, title;                    /* name: what it is known by, be it a URI */
    js_value raw;                       /* the whole item as the server sent it */
    js_value annotations, input_schema; /* members of raw, JS_ABSENT when missing */
    bool only_as_task;                  /* execution.taskSupport is "required" */
    uint8_t definition[DIGEST_BYTES];   /* tools: definition.h */
    const struct policy_schema *schema; /* what rules may know of its arguments; NULL: nothing */
} catalog_item;

typedef struct catalog {
    catalog_kind kind;
    const catalog_item *items;
    size_t count;
    str hash;       /* hex of the SHA-256 of the items */
    bool is_public; /* the server said cacheScope public */
} catalog;

typedef struct {
    const catalog *now; /* NULL: never had one. Dropped with catalog_drop */
    bool stale;         /* the server did not answer in time or its ttl is over */
    int64_t fresh_ms;   /* how long it is still fresh */
    bool none;          /* the server offers no such list: `now` is NULL, and nothing is missing */
    bool pending; /* a fetch is under way: `waiter` will be woken (FLOW_WOKEN) when it ends or at
                     its deadline */
} catalog_view;

/* Fresh: answers at once. Otherwise starts (or joins) a fetch and says pending; after the wake, ask
 * again with `again` = true: then the answer is never pending. A server known to keep people
 * waiting is fetched behind everybody's back: not pending either. `waiter` 0: nobody is woken. */
catalog_view catalog_want(mcp_worker *w, upstream *u, catalog_kind kind, handle waiter, bool again);
/* The server said that this list is another now: what is known is stale. Any thread. */
void catalog_stale(upstream *u, catalog_kind kind);
void catalog_drop(const catalog *c);
const catalog_item *catalog_find(const catalog *c, str name);
#endif
