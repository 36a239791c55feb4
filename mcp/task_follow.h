/* SPDX-License-Identifier: Apache-2.0 */
/* task_follow.h - tasks, followed by modern clients, and those of modern servers.
 *
 * The extension io.modelcontextprotocol/tasks: a tools/call may answer with a task, and the client
 * follows it with tasks/get, tasks/update and tasks/cancel. The id it gets is sealed, and names
 * the tool and the server's own id: it is good for its caller and endpoint alone, and every use
 * of it is asked of the rules as a call of that tool with arguments nobody knows.
 * Threads: the visit's worker. */
#ifndef SP_MCP_TASK_FOLLOW_H
#define SP_MCP_TASK_FOLLOW_H
#include "corridor.h"
#include "link.h"

/* params.taskId -> the call's tool and k->task_id; FLOW_FAIL: refused. */
flow_go task_follow_read(visit *v);
/* -32021: the client has not declared that it follows tasks. FLOW_FAIL. */
flow_go task_follow_undeclared(visit *v);
/* Is this the sealed id of a task of this visit's caller, at that endpoint? */
bool task_follow_is_his(const visit *v, str endpoint, str id, arena *scratch);
/* Makes the call one of the same method about the server's own task. */
void task_follow_fill(visit *v, link_request *rq);
/* The sealed id of a new task, as JSON; {0}: its own is unusable. */
str task_follow_seal(visit *v, js_value id, bool is_of_old);
/* A result that is a new task, or one about a task, in the client's words; NULL-p: it is none that
 * can be passed on. */
str task_follow_bring(visit *v, js_value result);
#endif
