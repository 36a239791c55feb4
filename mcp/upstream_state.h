/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_state.h - what is inside an upstream: its spec, and what was learned about it.
 *
 * A facet (facet.h) is an upstream that stands for another, `of`, whose spec, era, sessions and
 * breaker it uses; lists, feed and watched resources are its own.
 * Private to upstream.c, facet.c, feed.c, link*.c and catalog*.c. Two counts: `refs` keeps the
 * memory, `holders` are the configurations that name it; without a holder its links end as soon as
 * they are idle. Threads: what is not atomic and not under `lock` is immutable. Nothing blocks
 * under `lock`. */
#ifndef SP_MCP_UPSTREAM_STATE_H
#define SP_MCP_UPSTREAM_STATE_H
#include "../base/breaker.h"
#include "../base/map.h"
#include "catalog.h"
#include "selector.h"
#include "watch.h"
#include "worker.h"
#include <pthread.h>
#include <stdatomic.h>

typedef enum {
    OUTCOME_OK,
    OUTCOME_ERROR,
    OUTCOME_FAILED,
    OUTCOME_TIMEOUT,
    OUTCOME_CANCELLED,
    OUTCOMES
} outcome;

typedef struct {
    const catalog *now; /* the last good one */
    int64_t fresh_until_ms;
    bool running, late; /* a fetch is under way; late: nobody waits for it any more */
    bool changed;       /* the server announced a change during the fetch */
    bool failed, slow;  /* how the last one ended; slow: it kept people waiting */
    unsigned failures;
    int64_t retry_at_ms;
    handle *waiters; /* heap */
    size_t waiting, room;
} upstream_catalog;

/* Whose view of its server a facet is. */
typedef struct {
    str isolation, caller_id, session_id;
    unsigned capabilities;
    arena *
        brought; /* under the facet's lock: what its caller's last request brought for the server */
    str caller_token;
    const header *headers;
    atomic_int_fast64_t used_ms;
} facet_eye;

typedef enum { FEED_UNTRIED, FEED_STANDS, FEED_NONE } feed_state;

struct upstream {
    struct upstream *of; /* itself, unless it is a facet */
    struct upstream_table *table;
    mcp_shared *shared;
    arena *arena;
    upstream_spec spec;
    const selector *include, *exclude; /* of the spec */
    str key;                           /* hex of the SHA-256 of the spec */
    unsigned owner;                    /* the worker that probes it and fetches its catalog */
    origin *origin;                    /* HTTP */
    tls_client *tls;
    str target;
    origin *token_origin; /* of its grant; NULL: none */
    tls_client *token_tls;
    str token_target;
    struct token_box *tokens;                        /* link_token.c */
    metric *outcomes[OUTCOMES], *seconds, *children; /* NULL: nobody measures */
    metric *unreachable, *opened, *busy;
    breaker breaker;
    atomic_uint refs, holders;
    _Atomic(upstream_era) era;
    atomic_int_fast64_t era_until_ms;
    atomic_bool down;
    atomic_uint offers;                 /* offer.h */
    atomic_uint listening;              /* streams of clients that want to hear of it, feed.c */
    atomic_bool heard;                  /* the owner is about to be told that something changed */
    _Atomic(feed_state) feed;           /* while somebody listens; feed.c */
    atomic_bool opens;                  /* a facet's: its session is opened to listen to it */
    atomic_int_fast64_t stream_late_ms; /* until then nobody waits for its streams; hearing.c */
    atomic_uint facet_count;
    atomic_uint own;             /* a facet's: bits of the lists that differ from its server's */
    facet_eye eye;               /* a facet's */
    atomic_uint_fast64_t epochs; /* of its sessions, for ever rising */
    pthread_mutex_t lock;        /* of the rest */
    map *sessions;               /* isolation id -> published session, link_session.c */
    map *facets;                 /* isolation id -> facet; NULL: none yet */
    arena *told;                 /* of: */
    str instructions;            /* offer.c */
    upstream_catalog lists[CATALOG_KINDS]; /* catalog.c */
    map *watched[WATCH_KINDS];             /* watch.c; NULL: nothing yet */
    uint64_t watch_epoch, watch_stood;     /* of the last set, of the last the server knows */
    uint64_t watch_promise;                /* the last naming of tasks it will tell of */
};

/* Process-wide counts of what is capped "in all". */
typedef enum { CAP_SESSIONS, CAP_CHILDREN, CAPS } upstream_cap;
bool upstream_cap_take(const upstream *u, upstream_cap which); /* false: none is left */
void upstream_cap_give(const upstream *u, upstream_cap which);

/* upstream_spec.c: equal specs have equal keys, {0} when it is too long; copies get their defaults.
 */
str upstream_spec_key(arena *a, const upstream_spec *s);
void upstream_spec_copy(arena *a, const upstream_spec *from, upstream_spec *to);

upstream *upstream_hold(upstream *u);
/* Every one that a configuration may name, ends with NULL; each to be dropped. Any thread. */
upstream **upstream_all(arena *a, const mcp_shared *s);
void upstream_release(upstream *u);                            /* any thread */
bool upstream_retired(const upstream *u);                      /* no configuration names it */
unsigned upstream_worker_of(const upstream *u, str caller_id); /* who owns that caller's links */
upstream_era upstream_era_now(const upstream *u, int64_t now_ms);
/* A legacy verdict is good for a day: a server that has learned the modern era is noticed. */
void upstream_era_is(upstream *u, upstream_era era, int64_t now_ms);
void upstream_is_up(upstream *u);            /* logs when it was down */
void upstream_is_down(upstream *u, str why); /* logs when it was up */
/* What a POST to it came to, for its breaker; status 0: no answer. */
void upstream_heard(upstream *u, int status, int64_t now_ms);
void upstream_measure(const upstream *u, outcome o, int64_t micros);
#endif
