/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - what this product keeps between requests: once per process, once per worker.
 *
 * Private to mcp/. `mcp_shared` outlives every snapshot and worker; its members are set before
 * the first loop runs and not changed after, but what they point to may (each says its lock).
 * `mcp_worker` is touched by its own worker only; another worker is reached by loop_post() to
 * shared->worker[i]->loop. A slot of shared->worker is NULL until that worker is made and
 * after it is freed: all are made before any loop runs and freed after all have ended. */
#ifndef SP_MCP_WORKER_H
#define SP_MCP_WORKER_H
#include "../base/hash.h"
#include "mcp.h"

struct mcp_shared {
    logger *log;
    metrics *meters;
    const sealer *seals;
    struct quotas *quotas; /* NULL: none */
    tally *streams, *parked;
    audit_sink audit;
    child_spawner *spawner;
    errands *web; /* NULL: none */
    store kept;
    bulletin words;
    unsigned workers;
    uint64_t instance;                /* random: this process among replicas */
    mcp_worker **worker;              /* [workers] */
    struct upstream_table *upstreams; /* upstream.c */
    struct session_states *sessions;  /* session_state.c: what differs from other sessions */
    struct parked_names *tasks;       /* parked_task.c: tasks whose results are awaited */
    struct tickets *tickets;          /* ticket.c: what calls have paid whose clients are asked */
    struct channels *channels;        /* channel.c: sessions of HTTP+SSE */
    struct tape_names *tapes;         /* tape.c: streams that may be resumed */
    struct session_revoked *revoked;  /* session.c: ended sessions, until they would have expired */
};

struct mcp_worker {
    mcp_shared *shared;
    unsigned index;
    loop *loop;
    client *client;
    identity_cache *tokens;
    identity_services services;
    bool draining;                  /* begins nothing new */
    struct link_table *links;       /* link.c */
    struct catalog_waits *catalogs; /* catalog.c */
    struct inflight *calls;         /* inflight.c: what a client of the old era may cancel */
    struct shelf_room *shelves;     /* shelf.c: tools as clients see them */
    struct parked *parked;          /* parked.c: calls that wait for a client's next round */
    struct listeners *listeners;    /* listener.c: open streams */
    struct tapes *tapes;            /* tape.c: those of its own requests */
    struct feeds *feeds;            /* feed.c: what servers say unasked */
    const mcp_config *config;       /* the present one; NULL: none was given yet */
    hash_seed seed;
    arena *scratch; /* for what ends within one step; reset by its user */
};

/* upstream.c, link.c, catalog.c */
struct upstream_table *upstream_table_new(mcp_shared *s);
void upstream_table_free(struct upstream_table *t);
struct link_table *link_table_new(mcp_worker *w);
void link_table_drain(mcp_worker *w);
void link_table_free(struct link_table *t);
struct catalog_waits *catalog_waits_new(mcp_worker *w);
void catalog_waits_free(struct catalog_waits *t);
#endif
