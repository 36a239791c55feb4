/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c - runs steps from a ready list, never from inside a wake.
 *
 * A run's place is a small stack: which list it is in, where in it, and how often that list was
 * begun. A step that is a list is entered like any other. Reasons to run collect as bits and
 * are handed out one at a time, gravest first, and only to a step that waits. A bit is never
 * thrown away while the flow lives: a step may be woken once too often, never too seldom. So a
 * step looks at its own state and takes the reason as a hint, but for GONE, which is the last
 * thing its flow hears. */
#include "flow.h"
#include <assert.h>
#include <stdlib.h>

static const char flow_type; /* its address marks our handles */

struct flow_queue {
    handle_table *handles;
    flow_run *first, *last;
};

flow_queue *flow_queue_new(handle_table *handles)
{
    flow_queue *q = malloc(sizeof *q);
    if (!q) abort();
    *q = (flow_queue){.handles = handles};
    return q;
}

void flow_queue_free(flow_queue *q)
{
    free(q);
}

static void enqueue(flow_run *r)
{
    flow_queue *q = r->queue;
    r->queued = true;
    r->next = NULL;
    if (q->last)
        q->last->next = r;
    else
        q->first = r;
    q->last = r;
}

static flow_run *dequeue(flow_queue *q)
{
    flow_run *r = q->first;
    if (!r) return NULL;
    q->first = r->next;
    if (!q->first) q->last = NULL;
    r->next = NULL;
    r->queued = false;
    return r;
}

static const flow_step *here(const flow_run *r)
{
    return &r->level[r->depth].steps[r->level[r->depth].at];
}

static bool at_end(const flow_run *r)
{
    return !here(r)->run && !here(r)->sub;
}

static void trace(const flow_run *r, bool entered)
{
    if (r->trace) r->trace(r->x, here(r)->name, entered);
}

static void end(flow_run *r, bool failed, bool gone)
{
    for (; r->depth > 0; r->depth--) {
        if (!at_end(r)) trace(r, false);
    }
    if (!at_end(r)) trace(r, false);
    r->failed = failed;
    if (failed && !gone && r->f->refuse)
        r->f->refuse(r->x); /* GONE: nobody is there to be refused */
    handle_drop(r->queue->handles, r->self);
    if (r->f->settle) r->f->settle(r->x);
    r->over = true;
}

/* The list of a step that is one begins; false when the table is nested deeper than a run can be.
 */
static bool descend(flow_run *r)
{
    const flow_step *s = here(r);
    bool fits = r->depth + 1 < FLOW_DEPTH;
    assert(fits);
    if (!fits) return false;
    r->depth++;
    r->level[r->depth].steps = s->sub;
    r->level[r->depth].at = 0;
    r->level[r->depth].runs = 1;
    return true;
}

/* Moves to the next step that runs, out of ended lists and into nested ones. */
static void enter_next(flow_run *r)
{
    for (;;) {
        if (at_end(r) && r->depth == 0) {
            end(r, false, false);
            return;
        }
        if (at_end(r)) {
            r->depth--;
            trace(r, false);
            r->level[r->depth].at++;
            continue;
        }
        trace(r, true);
        if (here(r)->run) return;
        if (!descend(r)) {
            end(r, true, false);
            return;
        }
    }
}

/* Back to the first step of the innermost list; false when its bound is used up. */
static bool again(flow_run *r)
{
    if (r->depth == 0) return false; /* without a bound there is no second time */
    const flow_step *list = &r->level[r->depth - 1].steps[r->level[r->depth - 1].at];
    if (r->level[r->depth].runs >= list->most) return false;
    trace(r, false);
    r->level[r->depth].runs++;
    r->level[r->depth].at = 0;
    return true;
}

void flow_become(flow_run *r, const flow *f)
{
    assert(r->running);
    for (size_t i = 0; i <= r->level[0].at; i++) {
        assert(f->steps[i].run == r->level[0].steps[i].run);
        assert(f->steps[i].sub == r->level[0].steps[i].sub);
    }
    r->f = f;
    r->level[0].steps = f->steps;
}

/* What a step said; true when another step is to be entered. */
static bool obey(flow_run *r, flow_go go)
{
    switch (go) {
    case FLOW_WAIT: return false;
    case FLOW_NEXT:
        trace(r, false);
        r->level[r->depth].at++;
        return true;
    case FLOW_AGAIN:
        if (again(r)) return true;
        end(r, true, false);
        return false;
    case FLOW_DONE: end(r, false, false); return false;
    case FLOW_FAIL: break;
    }
    end(r, true, false); /* also for a value that is none of these */
    return false;
}

static void drive(flow_run *r, flow_why why)
{
    if (why != FLOW_ENTER) {
        flow_go go = here(r)->run(r->x, why);
        if (why == FLOW_GONE) {
            end(r, true, true);
            return;
        }
        if (!obey(r, go)) return;
    }
    do {
        enter_next(r);
        if (r->over) return;
    } while (obey(r, here(r)->run(r->x, FLOW_ENTER)));
}

/* The gravest reason that waits. ENTER comes before all: it can only be the first. */
static flow_why take_why(flow_run *r)
{
    static const flow_why order[] = {FLOW_ENTER, FLOW_GONE, FLOW_STOP, FLOW_LATE, FLOW_WOKEN};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        unsigned bit = 1u << order[i];
        if (!(r->wakes & bit)) continue;
        r->wakes &= ~bit;
        return order[i];
    }
    return FLOW_WOKEN;
}

/* The last thing done with r: release may free it. */
static void release(flow_run *r)
{
    void (*fn)(void *) = r->f->release;
    void *x = r->x;
    if (r->released) return;
    r->released = true;
    if (fn) fn(x);
}

static void run(flow_run *r)
{
    r->running = true;
    drive(r, take_why(r));
    r->running = false;
    if (r->over && r->let_go)
        release(r);
    else if (!r->over && r->wakes)
        enqueue(r); /* at the back: others are ready too */
}

bool flow_queue_run(flow_queue *q)
{
    bool any = false;
    for (flow_run *r; (r = dequeue(q));) {
        run(r);
        any = true;
    }
    return any;
}

void flow_start(flow_run *r, flow_queue *q, const flow *f, void *x)
{
    *r = (flow_run){.f = f, .x = x, .queue = q, .trace = r->trace, .wakes = 1u << FLOW_ENTER};
    r->level[0].steps = f->steps;
    r->level[0].runs = 1;
    r->self = handle_add(q->handles, &flow_type, r);
    enqueue(r);
}

void flow_wake(flow_queue *q, handle h, flow_why why)
{
    assert(why != FLOW_ENTER);
    flow_run *r = handle_get(q->handles, &flow_type, h);
    if (!r || r->over) return;
    if (why == FLOW_GONE && r->f->on_gone == FLOW_DETACH) return;
    r->wakes |= 1u << why;
    if (!r->running && !r->queued) enqueue(r);
}

void flow_let_go(flow_run *r)
{
    r->let_go = true;
    if (r->over && !r->running) release(r);
}
