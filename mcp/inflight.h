/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.h - calls of the old era that their client may cancel by id.
 *
 * A call is found by (session, its request id, caller); the worker that runs it may be another
 * than the one the cancellation came to, so that is told to all. A cancelled call's flow is woken
 * with FLOW_STOP. An entry lives in its request's memory and is removed before that goes.
 * Threads: a table is its worker's; inflight_cancel() sends letters to the others. */
#ifndef SP_MCP_INFLIGHT_H
#define SP_MCP_INFLIGHT_H
#include "session.h"
#include "worker.h"

typedef struct inflight_entry {
    struct inflight_entry *next, **at; /* private; at NULL: in no table */
    const uint8_t *sid;
    str id, caller_id;
    handle flow;
} inflight_entry;

struct inflight *inflight_new(void);
void inflight_free(struct inflight *t);
void inflight_add(struct inflight *t, inflight_entry *e);
void inflight_remove(inflight_entry *e); /* twice is fine */

enum { INFLIGHT_ID_MOST = 1024 }; /* longer ids cannot be cancelled */
/* On this worker: all calls of an ended session. */
void inflight_end(mcp_worker *w, const session *s);
void inflight_cancel(mcp_worker *w, const session *s, str id, str caller_id);
#endif
