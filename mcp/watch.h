/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - which things of a server somebody wants to hear of, counted: resources and tasks.
 *
 * The first who watches one makes the server's feed ask for it, the last who leaves makes it stop.
 * Threads: any; under the upstream's lock. */
#ifndef SP_MCP_WATCH_H
#define SP_MCP_WATCH_H
#include "worker.h"

/* By their URIs, and by the server's own ids. */
typedef enum { WATCH_RESOURCE, WATCH_TASK, WATCH_KINDS } watch_kind;

void watch_add(upstream *u, watch_kind kind, str name);
void watch_remove(upstream *u, watch_kind kind, str name);
bool watch_has(upstream *u, watch_kind kind, str name);
/* Copies. *epoch names this set: watch_stood() says later that the server knows it. */
str *watch_list(upstream *u, watch_kind kind, arena *a, size_t *n, uint64_t *epoch);
void watch_stood(upstream *u, uint64_t epoch);
/* Does the server know that it is watched? */
bool watch_stands(upstream *u, watch_kind kind, str name);
/* Which tasks the server has promised to tell of is named anew, */
void watch_renew(upstream *u);
/* one by one; true: it had not promised so before. */
bool watch_promised(upstream *u, str task);
void watch_broken(upstream *u); /* its stream has ended, and with it all promises */
bool watch_is_promised(upstream *u, str task);
void watch_free(upstream *u); /* when it is destroyed */
#endif
