/* SPDX-License-Identifier: Apache-2.0 */
/* mcp.h - the MCP door: what the server gives this product and what it may ask of it.
 *
 * `mcp_config` is the product's part of a snapshot: immutable, shared by all workers, kept alive by
 * the request's arena. `mcp_shared` is the process-wide part that outlives snapshots (upstream
 * states, the sealer); `mcp_worker` is one worker's (links, pools). A request lives on one worker.
 */
#ifndef SP_MCP_H
#define SP_MCP_H
#include "../authz/audit.h"
#include "../authz/seal.h"
#include "../base/bulletin.h"
#include "../base/metric.h"
#include "../base/store.h"
#include "../base/tally.h"
#include "../transport/child.h"
#include "../transport/client.h"
#include "../transport/errand.h"
#include "upstream.h"

typedef enum { NAMING_PREFIX, NAMING_NONE } mcp_naming;

typedef struct {
    str path;                 /* "/mcp" */
    const str *hosts;         /* ends with {0}; empty: every host. "*.x.y": one label or more */
    str public_url;           /* {0}: scheme + checked Host + path */
    upstream *const *servers; /* ends with NULL; in the config's order */
    mcp_naming naming;
    bool search;          /* shows search_tools and call_tool instead of all tools */
    bool step_up;         /* reveal a tool that only lacks scopes (default true) */
    bool sse;             /* HTTP+SSE too: a GET without a session opens a channel (channel.h) */
    bool annotate_schema; /* a listed schema says what the rules ask of arguments (annotate.h) */
} mcp_endpoint;

typedef struct {
    const mcp_endpoint *endpoints;
    size_t endpoint_count;
    const identity *who;
    const policy *rules, *shadow; /* shadow NULL: none */
    const struct pins *pins;      /* pins.h; NULL: none are kept */
    const str *redact;            /* of audit lines; ends with {0} */
    size_t body_limit;            /* limits.body */
    unsigned json_depth;          /* limits.json_depth */
    unsigned streams_per_caller;
    str instance_name; /* serverInfo.name */
    /* What it is a part of, counted; keep NULL: it stays. */
    void *whole;
    void (*keep)(void *whole), (*drop)(void *whole);
} mcp_config;
/* It lives as long as the arena. */
const mcp_config *mcp_config_keep(arena *a, const mcp_config *c);

typedef struct mcp_shared mcp_shared;
typedef struct mcp_worker mcp_worker;

typedef struct {
    logger *log;
    metrics *meters;
    const sealer *seals;
    struct quotas *quotas; /* of all doors; outlives this. NULL: none are kept */
    tally *streams;        /* of each caller, over all doors; outlives this */
    audit_sink audit;
    child_spawner *spawner;
    errands *web;   /* for what blocks on the network; NULL: nothing is discovered */
    store kept;     /* callers\' tokens; zeroed: none are kept */
    bulletin words; /* to and from other replicas; zeroed: there are none */
    unsigned workers;
} mcp_shared_options;
mcp_shared *mcp_shared_new(const mcp_shared_options *o);
void mcp_shared_free(mcp_shared *s); /* after all workers are freed and their loops have ended */

typedef struct {
    loop *loop;
    client *client;
    identity_cache *tokens;
    identity_services services;
} mcp_worker_options;
mcp_worker *mcp_worker_new(mcp_shared *s, unsigned index,
                           const mcp_worker_options *o); /* before loops run */
/* The configuration from now on, for what outlives the request it began with. It is kept by the
 * server until it gives the next. On the worker, or before its loop runs. */
void mcp_worker_take(mcp_worker *w, const mcp_config *c);
/* On its worker: no client will come back, so what goes on without one ends. */
void mcp_worker_part(mcp_worker *w);
void mcp_worker_drain(
    mcp_worker *w); /* on its worker: ends children and sessions, begins nothing new */
void mcp_worker_free(mcp_worker *w);

/* The endpoint that serves this host and path, or NULL. */
const mcp_endpoint *mcp_endpoint_find(const mcp_config *c, str host, str path);
/* Answers it, now or later. The caller may have set facts that every request has, and the client's
 * address (FACT_PEER) where it is not the socket's: rules see that one. */
typedef void mcp_finished(void *ctx, exchange *x);
typedef struct {
    const mcp_config *config;
    const mcp_endpoint *endpoint;
    mcp_finished *finished; /* once, at settle: the record is complete, the exchange still alive */
    void *ctx;
    /* A stream that goes on lets go of what its request began with, once; NULL: nothing to do. */
    void (*let_go)(void *hold);
    void *hold;
} mcp_request;
void mcp_serve(mcp_worker *w, exchange *x, const mcp_request *rq);

/* RFC 9728: GET /.well-known/oauth-protected-resource[/path]. False: no such resource here (404).
 */
bool mcp_resource_metadata(const mcp_config *c, exchange *x, str *json);
/* Pages of browsers whose users connect an account (consent.h). False: not this path. */
bool mcp_connects(const mcp_config *c, str path);
void mcp_connect(mcp_worker *w, exchange *x, const mcp_request *rq); /* rq->endpoint: NULL */
/* The WWW-Authenticate challenge of a 401 for this endpoint; `why` NULL: no credential came. */
str mcp_challenge(const mcp_config *c, const mcp_endpoint *e, exchange *x, const char *why);
#endif
