/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.h - a server's lists as one kind of client sees them, encoded once.
 *
 * A list's answer is mostly the same bytes for everybody: each item with its public name or
 * URI, in the words of an era. They are made once per catalog version and kept on the worker, so
 * that listing costs a question to the rules and a copy for each item. Kept by content hash;
 * bounded, the longest unused goes first. Threads: its worker's only. */
#ifndef SP_MCP_SHELF_H
#define SP_MCP_SHELF_H
#include "catalog.h"
#include "version.h"

/* Whose items, for whom. */
typedef struct {
    arena *a;
    str server;
    mcp_naming naming;
    mcp_version version;
} shelf_words;

typedef struct shelf_room shelf_room;
struct shelf_room *shelf_room_new(void);
void shelf_room_free(struct shelf_room *r);

/* The encoded items, in the catalog's order. Valid until the next call.
 * whose->a is not used. */
const str *shelf_items(struct shelf_room *r, const catalog *c, const shelf_words *whose);
/* One item, for tests: raw with its public name, in the words of that version. */
str shelf_item(const shelf_words *in, catalog_kind kind, const catalog_item *t);
/* Naming none: two servers have it, so it is nobody's. Said once and not with each list. */
void shelf_clash(mcp_worker *w, catalog_kind kind, str name, str server, str other);
#endif
