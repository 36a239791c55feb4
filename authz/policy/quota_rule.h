/* SPDX-License-Identifier: Apache-2.0 */
/* quota_rule.h - `quotas:` of policy files as they are kept, and what they say of one request.
 *
 * A quota counts in whole units: requests, tokens, or micro-dollars when its cost reads
 * `usage.usd` (then `limit` is written in dollars: 2.50). Cells, which do the counting, are
 * ../quota.h. Ownership: the policy's arena; what is due lives in the arena given. Threads: any. */
#ifndef SP_POLICY_QUOTA_RULE_H
#define SP_POLICY_QUOTA_RULE_H
#include "policy.h"

/* What a call used, or may use. MCP calls have none of it. `usage` in CEL, the same names. */
typedef struct {
    int64_t input;        /* tokens of the prompt that are in neither of the next two */
    int64_t cached_input; /* read from the provider's cache */
    int64_t cache_write;  /* written to it */
    int64_t output;       /* of the answer, thoughts included */
    int64_t reasoning;    /* the thoughts alone: a part of output */
    int64_t usd_micro;    /* `usage.usd` in CEL, as dollars */
} quota_usage;            /* `usage.total` is input + cached_input + cache_write + output */

typedef enum { QUOTA_SLIDING, QUOTA_FIXED, QUOTA_CONCURRENCY } quota_kind;

typedef struct policy_quota {
    str id, place;              /* place: "file:line" */
    const str *names[SUBJECTS]; /* globs, each ends with {0}; NULL: none of that kind */
    quota_kind kind;
    int64_t window_ms;  /* 0: the calendar's month, or concurrency, which has none */
    cel_program *key;   /* NULL: caller.id */
    cel_program *limit; /* NULL: `fixed_limit` */
    cel_program *cost;  /* over `usage`; NULL: `fixed_cost` */
    str key_source, limit_source, cost_source;
    int64_t fixed_limit;
    int64_t fixed_cost; /* 0: of money the dollars, else a model's tokens, 1 of what has none */
    bool money, shadow, hard; /* hard: only where the store cannot lose a debit */
    bool told;                /* some rule reads what remains of it */
    str message;
    uint64_t reads;
} policy_quota;

/* One quota that a request must have room in. */
typedef struct {
    const policy_quota *quota;
    str key;       /* {0}: it could not be told; then `error` says why, for the operator */
    int64_t limit; /* in units */
    str error;
} policy_due;

size_t policy_quota_count(const policy *p);
const policy_quota *policy_quota_at(const policy *p, size_t i); /* in the order of their ids */
const policy_quota *policy_quota_find(const policy *p, str id); /* NULL: there is none */
const policy_quota *policy_quota_hard(const policy *p);         /* the first one; NULL: none is */

/* "90s", "5m", "30d"; "month" is 0. False: no window that can be meant, 1 s to 30 days. */
bool policy_quota_window(str s, int64_t *window_ms);
/* The budget of a virtual key, as a quota of its own: `window_ms` 0 is the
 * calendar's month. Lives in the arena. */
const policy_quota *policy_quota_budget(arena *a, int64_t micro_usd, int64_t window_ms);

/* Those that name what the question is about, in the order of their ids, and behind them the budget
 * of the caller's key. */
size_t policy_quotas_due(const policy *p, const question *q, arena *a, const policy_due **out);
/* In units, rounded up, never below 0. False: it cannot be told (an overflow, a division by 0). */
bool policy_quota_cost(const policy_quota *q, subject_kind kind, const quota_usage *u,
                       arena *scratch, int64_t *units);
/* Its cost is the same whatever is used. */
bool policy_quota_counts_requests(const policy_quota *q, subject_kind kind);
#endif
