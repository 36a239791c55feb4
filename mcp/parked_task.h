/* SPDX-License-Identifier: Apache-2.0 */
/* parked_task.h - a call for the result of an old server's task, while its client polls the task.
 *
 * The server asks during that call (MCP 2025-11-25 basic/utilities/tasks). It stands as a parked
 * call does, but is found by its caller and the task's name, from any worker, as often as they
 * like: there are no rounds. It ends with the result, which its first waiter gets when he still
 * waits (anybody else asks the server again), when nobody looked at it for as long as a round may
 * take, or when the task is cancelled. Bounded together with parked calls.
 * Waiters hear `shown`, `done` or `lost`, once. Threads: any, for their own worker's waiter. */
#ifndef SP_MCP_PARKED_TASK_H
#define SP_MCP_PARKED_TASK_H
#include "parked.h"

struct parked_names;
struct parked_names *parked_names_new(void);
void parked_names_free(struct parked_names *n);

typedef enum { TASK_HELD, TASK_NO_ROOM, TASK_HELD_ALREADY } task_holding;

/* Makes the call `rq` (tasks/result) for `task`, whose server shows it as `shown`. HELD: the waiter
 * hears of the first questions, of the end, or soon that there is neither. */
task_holding parked_task_hold(const parked_waiter *who, str task, js_value shown,
                              const link_request *rq, parked_name *name);
MUST_CHECK bool parked_task_find(mcp_shared *s, str task, parked_name *name);
/* The waiter is shown it as it is now, after the answers if there are some. */
void parked_task_look(const parked_waiter *who, const parked_name *name, js_value answers);
/* The task is cancelled: the call ends, the waiter hears `lost`. */
void parked_task_drop(const parked_waiter *who, const parked_name *name);

/* For parked.c: its call is over and nobody waits; it is not to be found any more. */
void parked_task_over(parked *p);
void parked_task_forget(parked *p);
#endif
