/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - tools of old servers that only run as tasks, for clients that do not follow tasks.
 *
 * Such a tool (execution.taskSupport "required", 2025-11-25) answers with a task instead of a
 * result. Its result is asked for at once and comes when it is there, with whatever the server
 * asks its client meanwhile; to the client it is a call like any other. A call that ends early
 * ends its task. A client that follows tasks gets the task: task_old.h. Threads: the visit's
 * worker. */
#ifndef SP_MCP_TASK_H
#define SP_MCP_TASK_H
#include "link.h"

struct visit;
struct subject_call;
/* What the params of such a call hold, too; {0}: nothing, it is no such call. */
str task_params(struct visit *v);
/* True: the result was a task, and the flow is woken to call again. */
bool task_begins(struct visit *v, js_value result);
bool task_is_due(struct visit *v); /* once */
/* Makes the call one for the task's own result. */
void task_fill(struct visit *v, link_request *rq);
void task_end(struct visit *v);
#endif
