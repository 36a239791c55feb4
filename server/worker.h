/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - one serving thread: a loop with its listeners, pools and products.
 *
 * Made and freed by the main thread while no loop runs; between worker_start() and worker_join()
 * its members belong to its own thread, and only worker_take() and worker_drain() reach it, by
 * letter. */
#ifndef SP_WORKER_H
#define SP_WORKER_H
#include "../authz/quota.h"
#include "../base/bulletin.h"
#include "../base/ledger.h"
#include "../base/store.h"
#include "../transport/errand.h"
#include "../transport/server.h"
#include "audit_log.h"
#include "export.h"
#include "snapshot.h"
#include <pthread.h>
#include <stdatomic.h>

/* What all workers share; outlives them. */
typedef struct {
    logger *log;
    metrics *meters;
    refresh *net;
    store kept;
    ledger spent;        /* of quotas, by all replicas */
    bulletin words;      /* to and from other replicas */
    errands *disk, *web; /* what blocks: on the store, on fetches */
    leases *lent;        /* by clouds to backends */
    mcp_shared *mcp;
    standings *backends; /* how they do */
    quotas *quotas;
    tally *streams; /* of each caller */
    export *out;
    audit_log *audit; /* NULL: none */
    unsigned count;
    int done;          /* eventfd: one is added when a worker's loop has ended */
    atomic_uint quiet; /* draining workers with nothing left to answer */
} worker_house;

typedef struct {
    server_listener at;
    bool loopback;
} worker_door;

typedef struct worker {
    worker_house *house;
    unsigned index;
    pthread_t thread;
    bool started;
    loop *loop;
    client *client;
    identity_cache *tokens;
    mcp_worker *mcp;
    llm_worker *llm;
    export_worker *out;
    server **servers; /* NULL once closed */
    size_t server_count;
    const worker_door *doors; /* one a listener */
    const snapshot *now;
    loop_timer ending;
    int64_t drain_until_ms, mcp_drain_ms;
    bool is_quiet, products_drained;
    metric *connections, *exchanges;
    int64_t said_connections, said_exchanges;
} worker;

enum { WORKER_DRAIN_MS = 10000, WORKER_GRACE_MS = 5000 };

typedef struct {
    const worker_door *doors; /* outlive the worker */
    const int *fds;           /* the worker's own listening sockets, one a listener */
    size_t count;
    server_limits limits;
    const snapshot *first; /* kept */
} worker_options;

/* On failure nothing is left behind but the sockets that were not yet served. */
MUST_CHECK const err *worker_new(arena *a, worker_house *h, unsigned index, const worker_options *o,
                                 worker **out);
MUST_CHECK const err *worker_start(arena *a, worker *w);
void worker_take(worker *w, const snapshot *next); /* keeps it */
void worker_drain(worker *w); /* ends when all is answered, or after WORKER_DRAIN_MS */
void worker_join(worker *w);
/* Ends all it holds but its loop; then, when the spawner is gone, the loop. */
void worker_close(worker *w);
void worker_free(worker *w);
#endif
