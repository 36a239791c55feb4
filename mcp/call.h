/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - what the call files share: one call about one subject on its way.
 *
 * tools/call, prompts/get, resources/read and completion/complete are the same steps about
 * different things. call.c reads, finds and decides, and has the tables of steps; call_find.c
 * finds the thing; call_request.c says what its server is asked, call_forward.c sends that and
 * writes what comes, call_answer.c brings what the link reports. Events only collect bytes here and
 * wake the flow; steps write them. */
#ifndef SP_MCP_CALL_H
#define SP_MCP_CALL_H
#include "catalog.h"
#include "charge.h"
#include "corridor.h"
#include "inflight.h"
#include "link.h"
#include "parked.h"

struct subject_call {
    catalog_kind kind;
    bool completes; /* completion/complete: asks about it, does not use it */
    const struct policy_mask *const *masks; /* of what comes back; NULL: none */
    str public_name;                        /* as the client says it: a name or a URI */
    upstream *to;                           /* NULL: not found */
    str own;                                /* the server's own name or URI */
    const catalog *known;     /* counted: the item's views are in it; NULL: no list was needed */
    const catalog_item *item; /* NULL: a URI that no list names */
    size_t asking;            /* naming none: the server being asked */
    bool asked, in_templates;
    bool anew; /* its server refused the headers of an old schema: found and asked about again */
    bool again_due;
    upstream *clash; /* naming none: another server that has it, too */
    link_call *link; /* NULL: not begun, or over */
    handle self;
    inflight_entry entry;
    int64_t started_us;
    str body; /* the whole answer, once over */
    int status;
    bool over;
    sink *out;           /* NULL: no stream was begun */
    struct round *round; /* an old client's questions; NULL: none yet */
    parked_name parked;
    charge charge;
    str task; /* of an old server, raw; {0}: none, or it has ended */
    bool task_due;
    str task_id;                     /* tasks/…: the server's own, raw */
    struct old_task *old;            /* task_old.c; NULL: it is a modern server's */
    bool waits;                      /* for what a parked call says next */
    unsigned rounds;                 /* that came before, of a modern client */
    str again;                       /* what this one adds */
    struct subscribing *subscribing; /* subscribe.c */
    struct hearing *hearing;         /* hearing.c */
    buf unsent;                      /* heap: events for the stream, from `sent` on */
    size_t sent;
};

static inline bool call_is_uri(const struct subject_call *k)
{
    return k->kind == CATALOG_RESOURCES || k->kind == CATALOG_TEMPLATES;
}

extern const link_events call_hears;    /* their owner is the visit, */
extern const char call_type;            /* under this type */
link_request call_request_of(visit *v); /* call_request.c: to the call's server */
/* call_forward.c: the step that sends and waits, streaming notices; the answer, with back-pressure;
 * and the end of every call. */
flow_go call_forward(void *x, flow_why why);
flow_go call_relay(void *x, flow_why why);

/* The steps of a tasks/get that is no request: its visit has all that reading would find. */
extern const flow_step call_look_steps[];

/* The answer for what does not exist or must not be seen: by these bytes nobody can tell which. */
void call_unknown(const visit *v, rpc_refusal *no);
str call_uri_data(const visit *v); /* of an error: which URI it is about */
/* subscribe.c: the last steps of resources/subscribe, and their end. */
flow_go call_subscribe(void *x, flow_why why);
flow_go call_subscribed(void *x, flow_why why);
void subscribe_end(visit *v);
/* hearing.c. True: the call waits, woken until it is due (which is said once). */
bool hearing_begin(visit *v);
bool hearing_is_due(visit *v);
bool hearing_works(const visit *v);
void hearing_end(visit *v);
void hearing_park(visit *v, const parked_name *name); /* it goes on with that call, till its end */
/* call_answer.c: the answer where the server does not offer the method at all. */
void call_not_offered(visit *v);
/* call_find.c: WAIT while lists are fetched, else NEXT: then `to` says whether it was found. */
flow_go call_find(visit *v);
#endif
