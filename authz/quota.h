/* SPDX-License-Identifier: Apache-2.0 */
/* quota.h - every matching quota has room, or the request is refused.
 *
 * Reserve before the work, settle after. quota_reserve() takes the estimated cost out of a cell of
 * every quota that names the request, or of none of them; quota_settle() puts right what it really
 * was. In between it counts as spent: so nothing is spent twice, and a process that is killed has
 * spent what was in flight. A cell belongs to (quota id, key) and outlives policies and snapshots.
 *
 * With a ledger, a process spends from leases it took there; asking is done beside the workers
 * (`soon`, then quotas_exchange). WAIT: the lease does not reach, the ledger is being asked;
 * `waiter` is woken (spuriously too) and reserves again from the start. Without a ledger the
 * process counts alone.
 *
 * Never blocks; answers the same for the same cells and the same `about->now_ms`.
 * Ownership: quotas outlive every hold. A hold and its texts live in the arena given, which must
 * live until it is settled; so must the policy, unless `used` is NULL (a parked call may outlive
 * its snapshot). Threads: any, a hold one at a time; the cells are atomics, a lock is taken only
 * where a key is new. Failure: closed. What cannot be counted is refused. */
#ifndef SP_QUOTA_H
#define SP_QUOTA_H
#include "../base/handle.h"
#include "../base/ledger.h"
#include "policy/quota_rule.h"

typedef struct quotas quotas;
typedef struct quota_hold quota_hold;

typedef struct {
    void *cells;      /* zeroed memory; shared, it survives kill -9. NULL: of its own */
    size_t bytes;     /* of it */
    const void *left; /* what an earlier process left in such memory, looked at only now; or NULL */
    size_t left_bytes;
    str boot; /* the kernel's boot id: what is left from before a reboot is not believed */
    const ledger *store;                    /* NULL: none */
    bool local_on_loss;                     /* the store is away: count alone instead of refusing */
    void (*soon)(void *ctx, quotas *q);     /* have quotas_exchange() run where it may block */
    void (*wake)(void *ctx, handle waiter); /* from any thread; may be stale */
    void (*heard)(void *ctx, const err *e); /* the store went away, or (NULL) is back; or NULL */
    void *ctx;
} quota_options;
enum { QUOTA_KEYS_MOST = 10000 }; /* of one quota in one window: a new one more is refused */

/* What an earlier process left is checked, and goes back to the store with the first exchange. */
quotas *quotas_new(const quota_options *o);
void quotas_free(quotas *q); /* after quotas_close() */

typedef struct {
    str id;                   /* of the quota */
    int64_t limit, remaining; /* units; remaining as far as this process knows, >= 0 */
    int64_t reset_ms;         /* until all of it is there again; 0: concurrency */
    bool money;               /* units are micro-dollars */
} quota_view;

typedef enum { QUOTA_ROOM, QUOTA_WAIT, QUOTA_FULL } quota_answer;
typedef enum {
    QUOTA_USED_UP,   /* 429 */
    QUOTA_TOO_LARGE, /* 429: dearer than the whole limit, waiting does not help */
    QUOTA_KEYS,      /* 429: too many keys in this window */
    QUOTA_UNTOLD,    /* 403: key, limit or cost could not be evaluated: `error` */
    QUOTA_AWAY       /* 503: the store does not answer and `local_on_loss` is not set */
} quota_why;

typedef struct {
    quota_why why;
    quota_view view;        /* of the quota that refuses */
    str message;            /* what the client may be told; never empty */
    int64_t retry_after_ms; /* > 0; TOO_LARGE and UNTOLD: 0, do not retry */
    str error;              /* for the operator; {0}: nothing more to say */
} quota_refusal;

typedef struct {
    const policy *rules;
    const question *about; /* as it was authorized; looked at only while reserving */
    quota_usage estimate;  /* what it may cost at most, as far as can be told; MCP: zeroes */
    handle waiter;         /* 0: cannot wait, WAIT becomes FULL */
} quota_request;

/* ROOM: *hold is to be settled exactly once; NULL when no quota names the request (settling NULL is
 * fine). FULL: *no says why. A quota in shadow mode counts and never refuses. */
quota_answer quota_reserve(quotas *q, const quota_request *r, arena *a, quota_hold **hold,
                           quota_refusal *no);

/* How it ended. All of them free the slots of concurrency. */
typedef enum {
    QUOTA_DONE, /* costs what was used; `used` NULL: what was reserved */
    QUOTA_CUT,  /* nobody said: the larger of `used` (what was counted; or NULL) and the reserved */
    QUOTA_UNSENT, /* never reached an upstream: costs nothing */
    QUOTA_AGAIN,  /* given up for another attempt at the same request, which counts it: as DONE, but
                     nothing of a quota that counts requests */
} quota_end;
void quota_settle(quota_hold *h, const quota_usage *used, quota_end end);

/* For x-ratelimit-* and the record. NULL hold: nothing. */
bool quota_tightest(const quota_hold *h, quota_view *out); /* of those enforced; false: of none */
str quota_shadowed(const quota_hold *h); /* the quota in shadow mode that would refuse; or {0} */
/* In the order of ids, i from 0; false behind the last. `cost`: reserved, or settled after that. */
bool quota_each(const quota_hold *h, size_t i, quota_view *out, int64_t *cost);

/* What remains of a quota for a key: `quota` in rules. Never asks the ledger. */
quota_view quota_look(quotas *q, const policy_due *due, arena *scratch, int64_t now_ms);

/* Takes units without asking whether there is room: for tests of policies. */
void quota_spend(quotas *q, const policy_due *due, arena *scratch, int64_t now_ms, int64_t units);

/* Where it may block, one at a time, at most so often as `soon` asks, and every second: asks for
 * leases, gives back those that lie idle, says that the process lives. */
void quotas_exchange(quotas *q, int64_t now_ms);
/* Before an orderly end: says what was spent without a lease, and gives all leases back. False: the
 * store is away, and the memory of the cells is worth keeping. */
bool quotas_close(quotas *q, int64_t now_ms);
uint64_t quotas_asked(const quotas *q); /* how many batches of leases the ledger was asked for */
#endif
