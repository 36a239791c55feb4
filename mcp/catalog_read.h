/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_read.h - from pages of a list to an immutable version.
 *
 * Private to catalog*.c. A draft collects pages; an item that is not usable is left out and said
 * so in the log. Bounded in items and bytes; a list over the bounds is refused whole, since half
 * a list would hide things without anybody knowing. */
#ifndef SP_MCP_CATALOG_READ_H
#define SP_MCP_CATALOG_READ_H
#include "catalog.h"

enum { CATALOG_ITEMS = 10000, CATALOG_BYTES = 16 << 20, CATALOG_PAGES = 200 };
typedef struct catalog_draft catalog_draft;

catalog_draft *catalog_draft_new(upstream *u, catalog_kind kind); /* u outlives it */
void catalog_draft_free(catalog_draft *d);
/* One result of the list. *cursor: the next page's, in the draft; p NULL at the last. */
MUST_CHECK const err *catalog_draft_page(catalog_draft *d, js_value result, str *cursor);
int64_t catalog_draft_ttl_ms(const catalog_draft *d); /* what the server said; -1: nothing */
const catalog *
catalog_draft_finish(catalog_draft *d); /* one reference; the draft is still to be freed */
const catalog *catalog_hold(const catalog *c);
#endif
