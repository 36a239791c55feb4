/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - asking the servers of a configuration for their tools, once, without serving.
 *
 * For commands: a loop and a worker of the MCP door on the calling thread, no listener, nothing
 * written. Each server is waited for as long as a list would wait for it.
 * Ownership: what is found lives until inspection_end(). Threads: the caller's. */
#ifndef SP_INSPECT_H
#define SP_INSPECT_H
#include "../mcp/catalog.h"
#include "snapshot.h"

typedef struct {
    str server;
    upstream *of;
    const catalog *tools; /* NULL: it did not answer */
} inspected;

typedef struct inspection inspection;

/* False: problems were printed. `shim` as for a child_spawner. */
bool inspect(arena *a, str file, char *const *shim, inspection **out);
const snapshot *inspection_config(const inspection *i);
const inspected *inspection_servers(const inspection *i, size_t *count); /* in the config's order */
const inspected *inspection_find(const inspection *i, const upstream *u);
void inspection_end(inspection *i);
#endif
