/* SPDX-License-Identifier: Apache-2.0 */
/* task_old.h - tasks of old servers (2025-11-25), followed by modern clients.
 *
 * A tool that only runs as a task answers such a client with the task, its id sealed as that of a
 * modern server (task_follow.h). The modern era has no tasks/result: what a task came to, and what
 * its server asks meanwhile, stand in the answer to tasks/get. So the gateway asks for the result
 * when there is one or when the server wants input, and lets that call stand while the client
 * polls (parked_task.h). A failed tool has completed, and says so by isError. (mcp.md 9.2)
 * Threads: the visit's worker. */
#ifndef SP_MCP_TASK_OLD_H
#define SP_MCP_TASK_OLD_H
#include "link.h"

struct visit;
struct old_task;
/* Is the result a task that this call's client is to follow? */
bool task_old_is_new(struct visit *v, js_value result);
str task_old_made(struct visit *v, js_value result); /* then: the answer */
/* For an id that names one. */
struct old_task *task_old_read(struct visit *v);
/* True: the server is not to be called now; the answer is there, or the flow is woken. */
bool task_old_begin(struct visit *v);
/* Makes the call what is due about the task. */
void task_old_fill(struct visit *v, link_request *rq);
/* The server has answered. True: there is more to ask, the flow is woken. */
bool task_old_goes_on(struct visit *v, js_value result, js_value error);
/* Then: the answer; {0}: the error is to be told as it is, or the result is nonsense. */
str task_old_tell(struct visit *v, js_value result, js_value error);
#endif
