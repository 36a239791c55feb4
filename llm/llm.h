/* SPDX-License-Identifier: Apache-2.0 */
/* llm.h - the LLM door: what the server gives this product and what it may ask of it.
 *
 * `llm_config` is the product's part of a snapshot: immutable, shared by all workers, kept alive by
 * the request's arena. `llm_worker` is one worker's. */
#ifndef SP_LLM_H
#define SP_LLM_H
#include "../authz/audit.h"
#include "../authz/policy/when.h"
#include "../base/metric.h"
#include "../base/tally.h"
#include "../transport/client.h"
#include "../transport/spool.h"
#include "lease.h"
#include "price.h"
#include "shelf.h"
#include "sigv4.h"
#include "standing.h"
#include <stdatomic.h>

/* In the order of the configuration's choices. */
typedef enum {
    SCHEMA_OPENAI,
    SCHEMA_ANTHROPIC,
    SCHEMA_AZURE,
    SCHEMA_AWS_BEDROCK,
    SCHEMA_AWS_ANTHROPIC,
    SCHEMA_GCP_VERTEX,
    SCHEMA_GEMINI,
    SCHEMA_GCP_ANTHROPIC,
    SCHEMA_COHERE
} llm_schema;

/* A key of the caller's own, in place of the backend's. */
typedef struct {
    str header, claim; /* where it is; both {0}: there is no such thing */
    str goes_in;       /* the provider's header for it; {0}: it signs (AWS) */
    str scheme;        /* "Bearer ", or nothing */
    bool fallback;     /* who has none is let in by the backend's */
} llm_own_key;

typedef struct {
    str name;
    llm_schema schema;
    origin *to;           /* shared, outlives the snapshot */
    str base_path;        /* path of the url without trailing '/', e.g. "" or "/proxy" */
    str prefix;           /* "v1" */
    str version;          /* of the provider's API; {0}: the dialect's default */
    str region, project;  /* of a cloud */
    str authority;        /* host[:port], as in the Host header */
    const header *auth;   /* secrets; ends with {0} */
    const sigv4_key *aws; /* signs every request instead; NULL: it does not */
    lease *lease;         /* lends the keys for that, or a bearer token; NULL: neither */
    atomic_llong *ahead;  /* milliseconds that AWS's clock is ahead of ours; NULL unless `aws` */
    llm_own_key own;
    standing *standing; /* shared; NULL: nothing is known of it */
    standing_terms terms;
} llm_backend;

typedef struct llm_target {
    const llm_backend *backend;
    str model; /* override; {0}: as asked */
    unsigned weight, priority;
    const header *headers;         /* to set, or with value.p NULL to leave out; NULL: none */
    const struct body_edit *edits; /* of what is sent; NULL: none */
} llm_target;

enum { RETRY_CONNECT = 1, RETRY_RESET = 2, RETRY_429 = 4, RETRY_5XX = 8, RETRY_IDLE = 16 };
typedef struct {
    unsigned attempts; /* in all; 0: each target once */
    unsigned on;       /* RETRY_* */
    unsigned budget;   /* percent of requests */
    int64_t back_off_ms;
} llm_retry;

typedef struct {
    str name;
    const str *hosts;        /* ends with {0}; empty: every host; "*.x.y": exactly one label */
    const str *models;       /* exact names or globs, ends with {0}; empty: every model */
    const header *match;     /* values are globs; ends with {0}; NULL: none */
    const policy_when *when; /* NULL: always */
    const llm_target *to;
    size_t target_count;
    int64_t timeout_ms, stream_idle_ms; /* 120 s, 30 s */
    llm_retry retry;
    int64_t hedge_ms;    /* after so long without content a second attempt begins; 0: none does */
    unsigned eject_most; /* percent of the targets that may be left out for failing */
    const str *sticky;   /* where a key is that keeps to one target (pick.h); ends with {0} */
    str owned_by;
} llm_route;

/* Where the paths of each API begin, without '/' at the end; p NULL: "", /anthropic, /cohere. */
typedef struct {
    str openai, anthropic, cohere;
} llm_prefixes;

typedef struct {
    const llm_route *routes;
    size_t route_count;
    const identity *who;
    const policy *rules, *shadow; /* shadow NULL: none */
    const str *redact;            /* of audit lines; ends with {0} */
    const prices *prices;
    size_t body_limit, upload_limit;
    unsigned json_depth;
    unsigned streams_per_caller;
    llm_prefixes prefixes;
    int64_t keep_s;   /* how long answers of the Responses API are kept; 0: they are not */
    size_t keep_most; /* bytes of one of them */
} llm_config;

typedef struct llm_worker llm_worker;
typedef struct {
    loop *loop;
    client *client;
    identity_cache *tokens;
    identity_services services;
    spool_disk disk;       /* for uploads */
    struct quotas *quotas; /* of all doors; outlives this. NULL: none are kept */
    tally *streams;        /* of each caller, over all doors; outlives this */
    audit_sink audit;
    shelf shelf;
    logger *log;
    metrics *meters;
} llm_worker_options;
llm_worker *llm_worker_new(const llm_worker_options *o);
void llm_worker_free(llm_worker *w);

/* Is this path one of ours, or below one (then llm_serve answers it, also that nothing is there)?
 */
bool llm_path(arena *a, const llm_prefixes *p, str path);

typedef void llm_finished(void *ctx, exchange *x);
typedef struct {
    const llm_config *config;
    llm_finished *finished; /* once, at settle: the record is complete, the exchange still alive */
    void *ctx;
} llm_request;
void llm_serve(llm_worker *w, exchange *x, const llm_request *rq);
#endif
