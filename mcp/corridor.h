/* SPDX-License-Identifier: Apache-2.0 */
/* corridor.h - one MCP message on its way: who asked, what it means, what was found out so far.
 *
 * Every flow begins with the same three steps: gate (Host, Origin), identify (headers only),
 * read (envelope, era, method row). Reading finds the method, and its row names the flow whose
 * further steps are run. Steps say refusals in v->no (corridor_refuse_with) and return FLOW_FAIL.
 * Ownership: a visit lives in its exchange's arena. Threads: its worker's only. */
#ifndef SP_MCP_CORRIDOR_H
#define SP_MCP_CORRIDOR_H
#include "../transport/exchange.h"
#include "dialect.h"
#include "worker.h"

typedef struct visit {
    flow_run run;
    mcp_worker *w;
    exchange *x;
    arena *a;
    record *rec; /* the exchange's; a batch item has one of its own */
    mcp_request rq;
    int64_t now_ms; /* wall clock at the beginning */
    const caller *who;
    str credential; /* as it came; {0}: none did */
    bool asked_for_keys;
    bool unwrapped; /* what call_tool named: its headers speak of call_tool */
    bool permitted; /* by the method's row, or by a rule where the row needs one */
    js_value root;  /* the checked message */
    rpc_message msg;
    dialect_request q;
    rpc_refusal no; /* why a step failed */
    str challenge;  /* WWW-Authenticate of a refusal; {0}: none */
    enum { STREAM_UNASKED, STREAM_HELD, STREAM_REFUSED } stream;
    int status;                /* what was answered; 0: nothing yet */
    str answer;                /* of a batch item */
    struct visit *parent;      /* NULL, or the batch this message came in */
    struct subject_call *call; /* call.c */
    struct listing *list;      /* list.c */
    struct batch *batch;       /* batch.c */
    struct tape_sink *kept;    /* tape_sink.c: the answer is kept for a client that comes back */
    struct resuming *resume;   /* resume.c */
    struct listening *listen;  /* listen.c */
    struct channel *channel;   /* HTTP+SSE: what is answered is said there */
    bool accepted;             /* and the POST has been told so */
} visit;

/* The flows of method.c's rows, and the two that read chooses itself. */
extern const flow corridor_tools_call, corridor_prompts_get, corridor_resources_read,
    corridor_complete, corridor_task;
extern const flow corridor_tools_list, corridor_prompts_list, corridor_resources_list,
    corridor_templates_list;
extern const flow corridor_initialize, corridor_discover, corridor_ping;
extern const flow corridor_notice, corridor_batch, corridor_listen, corridor_set_level;
extern const flow corridor_subscribe, corridor_unsubscribe;
extern const flow corridor_get, corridor_resume, corridor_channel; /* GET, without a method row */
/* Those that go on without a client. */
extern const flow corridor_tools_call_kept, corridor_prompts_get_kept, corridor_resources_read_kept,
    corridor_get_kept;
extern const flow corridor_item; /* a message of a batch begins here */

/* The first steps of every flow. */
flow_go corridor_identify(void *x, flow_why why);
flow_go corridor_read(void *x, flow_why why);
/* The ends of every flow. */
void corridor_refuse(void *x);
void corridor_settle(void *x);
void corridor_release(void *x);

#define CORRIDOR_BEGIN                                                                             \
    {.name = "identify", .run = corridor_identify},                                                \
    {                                                                                              \
        .name = "read", .run = corridor_read                                                       \
    }
#define CORRIDOR_ENDS                                                                              \
    .refuse = corridor_refuse, .settle = corridor_settle, .release = corridor_release

/* Notes the refusal for corridor_refuse; returns FLOW_FAIL. */
flow_go corridor_refuse_with(visit *v, int status, int code, str text);
void corridor_wake(visit *v, flow_why why);

/* call.c, list.c, listen.c: gives back what is not of the arena. Called once, at settle. */
void call_end(visit *v);
void list_end(visit *v);
/* list.c: a step that waits, as a list does, for servers that were never shaken hands with. */
flow_go list_acquaint(void *x, flow_why why);
void listen_end(visit *v);
bool listen_lets_go(visit *v); /* false: it releases its exchange itself, soon */
void resume_end(visit *v);
/* Would serving this session here lose what another replica holds for it? Then 404, and the client
 * initializes again (architecture 9.3). */
bool corridor_is_elsewhere(const visit *v, const upstream_spec *at);
/* Has this flow a twin that outlives its client, and becoming it. */
bool corridor_is_keepable(const visit *v);
void corridor_keep(visit *v);
/* One item of this batch is over. */
void batch_item_over(visit *parent);
/* Rules or keys may let one caller see what another does not. */
bool corridor_tells_callers_apart(const mcp_config *c, subject_kind kind);
dialect_context corridor_context(const visit *v);
str corridor_endpoint_text(const visit *v); /* what sessions are bound to */
#endif
