/* SPDX-License-Identifier: Apache-2.0 */
/* parked.h - a call of a modern client whose legacy server has asked something.
 *
 * A modern client gets no requests; its call is answered with the questions (input_required) and
 * made again with the answers. Meanwhile the call to the server goes on here, without exchange or
 * flow, on the worker that began it; the client's next round may come to any worker, posts its
 * answers here by letter and waits for what comes next, also by letter.
 * A parked call belongs to its caller. Its name is in the client's sealed state: a handle, a nonce
 * and the round, so that each round can be taken once. It ends when the server has answered, when
 * nobody came for it in time, or when who waits for it leaves; a question nobody answers is
 * declined. How many there are is bounded, for a caller and in all.
 * Ownership: a parked call has its own arena. Threads: parked_begin() and parked_leave() on the
 * waiter's worker, which need not be the call's; the events come there. */
#ifndef SP_MCP_PARKED_H
#define SP_MCP_PARKED_H
#include "link.h"
#include "request_state.h"

typedef struct parked parked;

typedef struct {
    handle call;
    uint8_t nonce[STATE_NONCE];
    unsigned round;
} parked_name;

/* Who waits for what comes next: one of these, once. Views live until return. */
typedef struct {
    /* Questions, as the value of inputRequests, to be brought back under that name. */
    void (*input)(void *owner, js_value requests, const parked_name *name);
    /* Of a task (parked_task.h): as its server showed it, and the same; absent: it asks nothing. */
    void (*shown)(void *owner, js_value task, js_value requests);
    /* Progress and messages while it waits; more than a little a second is left out. NULL: none. */
    void (*notice)(void *owner, str method, js_value params);
    void (*done)(void *owner, js_value result, js_value error, const err *why);
    void (*lost)(void *owner); /* no such call, not this caller's, or not this round */
} parked_events;

typedef struct {
    mcp_worker *w;
    const void *type;
    handle self;
    const parked_events *ev; /* static */
} parked_waiter;

/* Takes the call over from inside its first question; the waiter hears of it. False: too many
 * are parked, nothing has changed. */
bool parked_begin(const parked_waiter *who, str caller_id, link_call *c, const link_question *q,
                  parked_name *name);
/* On the call's worker, after parked_begin(): given up when the call is over. */
void parked_carry(mcp_worker *w, const parked_name *name, void (*drop)(void *), void *thing);
/* `answers`: the inputResponses, or absent. */
void parked_resume(const parked_waiter *who, str caller_id, const parked_name *name,
                   js_value answers);
/* The waiter leaves: if it is still the one who waits, the call ends. */
void parked_leave(const parked_waiter *who, const parked_name *name);

/* Of a worker: all that are parked there end. */
void parked_drain(mcp_worker *w);
void parked_free_all(mcp_worker *w); /* in silence, after its loop has ended */
#endif
