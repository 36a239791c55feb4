/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h - the immutable configuration a request began with.
 *
 * Made in two steps: a plan is read and checked, the tests of its policies included, and touches
 * nothing outside (the `check` command stops there); a snapshot is a plan with its upstreams, keys
 * and origins found. Both off a worker. Ownership: a snapshot is counted. Each worker holds one
 * reference, each request one through its arena; the last drop frees everything. Threads:
 * immutable, any; drop anywhere. */
#ifndef SP_SNAPSHOT_H
#define SP_SNAPSHOT_H
#include "../authz/gate.h"
#include "../llm/llm.h"
#include "../mcp/mcp.h"
#include "config.h"
#include "net_address.h"
#include "refresh.h"

typedef struct {
    arena *a;
    config *config;
    policy *rules, *shadow; /* shadow NULL: none */
    struct pins *pins;      /* NULL: none are kept */
    prices *prices;
    problems warnings; /* what the policy checker has to say of what was accepted */
} snapshot_plan;

/* `extra`: a policy that is not in a file (text.p NULL: none). False: every problem is in `out`,
 * and the plan is empty. Problems live in their own arena. */
bool snapshot_read(snapshot_plan *p, const config_world *w, str file, str text, config_file extra,
                   problems *out);
void snapshot_plan_free(snapshot_plan *p);

typedef struct {
    mcp_shared *mcp;
    standings *standings; /* NULL: nothing is sent */
    refresh *net;
    struct keyring *keys; /* NULL: none are given out */
    leases *lent;
} snapshot_needs;

typedef struct {
    const config *config;
    const policy *rules, *shadow;
    const struct pins *pins;
    const prices *prices;
    identity who;
    gate front;
    mcp_config mcp;
    upstream *const *servers; /* all of the config's, in its order; ends with NULL */
    llm_config llm;
    const net_range *proxies;
    size_t proxy_count;
} snapshot;

/* Takes the plan over, also when it fails. Blocking: resolves names. */
MUST_CHECK const err *snapshot_new(arena *a, const snapshot_needs *needs, snapshot_plan *p,
                                   const snapshot **out);
const snapshot *snapshot_keep(const snapshot *s);
void snapshot_drop(const snapshot *s);
/* A reference that the arena's reset drops, unless it was let go of before. */
typedef struct snapshot_hold snapshot_hold;
snapshot_hold *snapshot_own(arena *a, const snapshot *s);
void snapshot_let_go(void *hold); /* nobody who began with it looks at it any more; once */
#endif
