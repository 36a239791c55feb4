/* SPDX-License-Identifier: Apache-2.0 */
/* announcement.h - what a server says unasked, and whom it concerns.
 *
 * On whichever stream it comes: a list that changed makes what is known of it stale, for the one
 * whose session it came in or for everybody; a task that changed is looked at by who follows it.
 * Nothing of what is said is passed on as it is. Threads: any. */
#ifndef SP_MCP_ANNOUNCEMENT_H
#define SP_MCP_ANNOUNCEMENT_H
#include "../base/json.h"
#include "worker.h"

/* A notice in the session or child of that isolation id; most are no announcements. */
void announcement_heard(upstream *u, str isolation, js_value method, js_value params);
/* All that this caller is shown of it may be another now. */
void announcement_for_caller(upstream *u, str caller_id);
#endif
