/* SPDX-License-Identifier: Apache-2.0 */
/* parked_state.h - what the parked files share: one parked call.
 *
 * parked.c has calls between two rounds, parked_task.c those for the result of a task, which are
 * found by its name and have no rounds. Threads: the call's worker. */
#ifndef SP_MCP_PARKED_STATE_H
#define SP_MCP_PARKED_STATE_H
#include "parked.h"
#include "worker.h"

enum { PARKED_OPEN_MOST = 16 };

typedef struct {
    str id; /* the server's, JSON */
    str method;
    unsigned key;
    str request; /* as a value of inputRequests */
} parked_item;

struct parked {
    parked *next, *prev;
    mcp_worker *w;
    arena *a;
    handle self;
    uint8_t nonce[STATE_NONCE];
    str caller_id;
    link_call *link; /* NULL: it is over */
    parked_item item[PARKED_OPEN_MOST];
    size_t count;
    str prefix; /* of the keys the client sees */
    unsigned asked, round;
    parked_waiter waiter; /* ev NULL: nobody waits */
    loop_timer timer;     /* gathers while somebody waits, else until it is given up */
    js_value result, error;
    const err *why;
    int64_t noticed_ms; /* since when the bytes of notices are counted */
    size_t noticed;
    str task;       /* its name; {0}: not for a task's result */
    js_value shown; /* the task, as its server showed it */
};

extern const char parked_type;
extern const link_events parked_hears;

parked *parked_new(mcp_worker *w, str caller_id); /* NULL: too many */
void parked_give_up(void *p);
void parked_take_answers(parked *p, arena *scratch, js_value answers);
/* What it asks now, by letter. */
void parked_tell(const parked *p, const parked_waiter *to);
void parked_tell_waiter(void *p); /* who waits then no more */
void parked_tell_lost(const parked_waiter *to);

/* From a waiter to the call of that name, on its worker; `p` NULL: there is none. */
typedef struct parked_letter parked_letter;
typedef void parked_read(const parked_letter *m, parked *p);
struct parked_letter {
    letter mail; /* first: a letter is found by its address */
    arena *a;
    parked_read *read;
    parked_waiter who;
    parked_name name;
    str caller_id;
    js_value answers;
};
void parked_post(const parked_waiter *who, const parked_name *name, str caller_id, js_value answers,
                 parked_read *read);
#endif
