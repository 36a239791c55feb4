/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - which resources of a server somebody wants to hear of, counted.
 *
 * The first who watches a URI makes the server's feed subscribe to it, the last who leaves makes it
 * unsubscribe. Threads: any; under the upstream's lock. */
#ifndef SP_MCP_WATCH_H
#define SP_MCP_WATCH_H
#include "worker.h"

void watch_add(upstream *u, str uri);
void watch_remove(upstream *u, str uri);
bool watch_has(upstream *u, str uri);
/* Copies. *epoch names this set: watch_stood() says later that the server knows it. */
str *watch_list(upstream *u, arena *a, size_t *n, uint64_t *epoch);
void watch_stood(upstream *u, uint64_t epoch);
/* Does the server know that it is watched? */
bool watch_stands(upstream *u, str uri);
void watch_free(upstream *u); /* when it is destroyed */
#endif
