/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.h - a server's tools as one kind of client sees them, encoded once.
 *
 * A tools/list answer is mostly the same bytes for everybody: each item with its public name,
 * in the words of an era. They are made once per catalog version and kept on the worker, so
 * that listing costs a question to the rules and a copy for each tool. Kept by content hash;
 * bounded, the longest unused goes first. Threads: its worker's only. */
#ifndef SP_MCP_SHELF_H
#define SP_MCP_SHELF_H
#include "catalog.h"
#include "version.h"

typedef struct shelf_room shelf_room;
struct shelf_room *shelf_room_new(void);
void shelf_room_free(struct shelf_room *r);

/* The encoded items, in the catalog's order. Valid until the next call. */
const str *shelf_items(struct shelf_room *r, const catalog *c, str server, mcp_naming naming,
                       mcp_version version);
/* One item, for tests: raw with another name, in the words of that version. */
str shelf_item(arena *a, const catalog_tool *t, str public_name, mcp_version version);
/* True the first time this clash is seen, so that it is logged once and not with each list. */
bool shelf_clash_is_new(struct shelf_room *r, str name);
#endif
