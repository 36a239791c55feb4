/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.h - one configured MCP server, process-wide.
 *
 * Made from its spec; two snapshots with an equal spec share one upstream, so that what was
 * learned about it (its era, its catalog, whether it answers) survives a reload. Counted.
 * Threads: the spec is immutable; what is learned is atomics and immutable published versions. */
#ifndef SP_UPSTREAM_H
#define SP_UPSTREAM_H
#include "../base/header.h"
#include "../transport/child.h"
#include "../transport/client.h"
#include "grant.h"

/* SSE: HTTP+SSE, the transport of 2024-11-05. */
typedef enum { UPSTREAM_HTTP, UPSTREAM_STDIO, UPSTREAM_SSE } upstream_kind;
typedef enum { ISOLATION_CALLER, ISOLATION_SHARED, ISOLATION_SESSION } upstream_isolation;
typedef enum { LISTS_SHARED, LISTS_CAPABILITIES, LISTS_CALLER } upstream_lists;

typedef struct {
    str name; /* [a-z][a-z0-9-]{0,30} */
    upstream_kind kind;
    str url;               /* HTTP, SSE */
    const header *auth;    /* HTTP, SSE: headers to send (bearer, header); secrets. Ends with {0} */
    grant grant;           /* HTTP: or tokens got for it */
    str ca_pem;            /* HTTP: extra trust; {0} */
    const str *argv, *env; /* stdio; end with {0} */
    str cwd;
    child_user user; /* stdio */
    upstream_isolation isolation;
    upstream_lists lists;         /* for whom they are fetched */
    const str *include, *exclude; /* tool globs, end with {0}; empty include: all */
    const struct forward_row {
        str from, to;
    } * forward_headers, *forward_claims;            /* end with {0}; a claim by its path */
    int64_t timeout_ms, list_timeout_ms, connect_ms; /* 30 s, 5 s, 5 s */
    int64_t ttl_ms;      /* how long a list is fresh when the server says nothing; 60 s */
    unsigned concurrent; /* calls at a time; 0: no bound */
    size_t description_most, result_most; /* bytes; 0: 64 KiB, 16 MiB */
    bool trusted;                         /* its annotations are believed */
    bool instructions;                    /* its words for models are handed on */
} upstream_spec;

typedef struct upstream upstream;
typedef enum { ERA_UNKNOWN, ERA_MODERN, ERA_LEGACY } upstream_era;

struct mcp_shared;
/* Blocking (resolves names): not on a worker. Copies the spec. Equal specs give the same upstream.
 */
MUST_CHECK const err *upstream_acquire(struct mcp_shared *s, arena *a, const upstream_spec *spec,
                                       upstream **out);
void upstream_drop(upstream *u); /* any thread */
const upstream_spec *upstream_spec_of(const upstream *u);
/* Looks up the names of all HTTP servers again. Blocking: not on a worker. */
void upstream_refresh(struct mcp_shared *s);
typedef struct {
    bool answers;        /* the last thing heard of it was no failure; true when nothing was */
    const char *breaker; /* "closed", "open", "trial" */
    unsigned calls;      /* under way */
} upstream_health;
upstream_health upstream_health_of(const upstream *u, int64_t now_ms); /* any thread */
bool upstream_tool_selected(const upstream *u, str tool); /* include and exclude globs */
#endif
