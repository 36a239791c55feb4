/* SPDX-License-Identifier: Apache-2.0 */
/* flow.h - a request is a list of named steps, run in the order they are written.
 *
 * A step does its part and says what comes next; no step names another step, so the order of
 * the table is the order of the facts. A step that waits is run again when somebody wakes the
 * flow, and is told why. A step may itself be a flow with a bound: AGAIN restarts the innermost
 * flow at its first step, at most `most` runs in all.
 *
 * flow_wake() never runs a step: it queues the run on the worker's ready list, so something
 * that fails inside a step cannot re-enter it. A wake for a flow that is over is ignored.
 * Reasons are kept, one of each kind, and handed to a step that waits one at a time: GONE
 * first, then STOP, LATE, WOKEN. None is lost when the step moves on meanwhile, the next one
 * that waits gets it; so a step takes the reason as a hint and looks at its own state.
 *
 * Two ends. `refuse` runs once when a step failed. `settle` runs exactly once when the steps
 * are over, whatever happened. `release` runs exactly once, when the steps are over *and*
 * flow_let_go() has said that nobody outside (the client's connection) still uses the request;
 * only release may free memory. GONE reaches the waiting step when the flow's on_gone is
 * FLOW_CANCEL; after it the flow is over.
 * Threads: a flow lives and dies on one worker. */
#ifndef SP_FLOW_H
#define SP_FLOW_H
#include "handle.h"

typedef enum { FLOW_NEXT, FLOW_WAIT, FLOW_AGAIN, FLOW_DONE, FLOW_FAIL } flow_go;
typedef enum { FLOW_ENTER, FLOW_WOKEN, FLOW_LATE, FLOW_GONE, FLOW_STOP } flow_why;
typedef enum { FLOW_CANCEL, FLOW_DETACH } flow_on_gone;

typedef flow_go flow_fn(void *x, flow_why why);

typedef struct flow_step {
    const char *name;
    flow_fn *run;                /* or */
    const struct flow_step *sub; /* a nested list of steps, */
    unsigned most;               /* run at most this often */
} flow_step;                     /* lists end with {0} */

typedef struct {
    const char *name;
    const flow_step *steps;
    void (*refuse)(void *x);
    void (*settle)(void *x);
    void (*release)(void *x);
    flow_on_gone on_gone;
} flow;

enum { FLOW_DEPTH = 4 };
typedef struct flow_queue flow_queue;
typedef void flow_trace_fn(void *x, const char *step, bool entered);

typedef struct flow_run {
    const flow *f;
    void *x;
    handle self;
    flow_queue *queue;
    struct {
        const flow_step *steps;
        size_t at;
        unsigned runs;
    } level[FLOW_DEPTH];
    unsigned depth, wakes; /* wakes: bit per flow_why waiting to be delivered */
    bool running, queued, over, failed, let_go, released;
    flow_trace_fn *trace;
    struct flow_run *next;
} flow_run;

flow_queue *flow_queue_new(handle_table *handles);
void flow_queue_free(flow_queue *q);
bool flow_queue_run(flow_queue *q); /* runs until none is ready; false when there was nothing */

void flow_start(flow_run *r, flow_queue *q, const flow *f,
                void *x); /* queues it; sets r->self; r is zeroed before, but for r->trace */
void flow_wake(flow_queue *q, handle h, flow_why why); /* stale handles are ignored */
/* From inside a step: the rest of the way is another flow's. Its outermost list must begin with the
 * very steps already taken (asserted), so that it tells the whole way. */
void flow_become(flow_run *r, const flow *f);
void flow_let_go(flow_run *r); /* nobody outside needs x any more: release when over */
#endif
