/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - counters, gauges and histograms, read by /metrics.
 *
 * A family is declared in one table with its name, help and label names; a series is one
 * combination of label values. Find a series once, at load or at the first use on a worker,
 * and keep the pointer: adding to it is one relaxed atomic. Label values come only from
 * configuration and closed enums, never from a peer, so their number is bounded.
 * Threads: metric_series() takes a lock; metric_add() and metric_observe() take none. */
#ifndef SP_METRIC_H
#define SP_METRIC_H
#include "buf.h"
#include <stdint.h>

typedef enum {
    METRIC_REQUESTS,          /* door, status class */
    METRIC_REQUEST_SECONDS,   /* door; histogram */
    METRIC_VERDICTS,          /* door, verdict */
    METRIC_RULE_ERRORS,       /* rule */
    METRIC_UPSTREAM_REQUESTS, /* upstream, outcome */
    METRIC_UPSTREAM_SECONDS,  /* upstream; histogram */
    METRIC_LIMITED,           /* limit: requests that met one */
    METRIC_TOKENS,            /* backend, direction */
    METRIC_QUOTA,             /* quota, outcome: requests it refused, or would have */
    METRIC_COST,              /* backend; in micro-dollars */
    METRIC_CONNECTIONS,       /* gauge */
    METRIC_EXCHANGES,         /* gauge: requests being answered */
    METRIC_CHILDREN,          /* gauge: server */
    METRIC_RELOADS,           /* outcome */
    METRIC_AUDIT_LINES,       /* decisions and events that were queued for the disk */
    METRIC_AUDIT_REFUSED,     /* decisions that were not taken: the calls were refused */
    METRIC_SHADOW,            /* door, what the shadow policies say instead */
    METRIC_WITHHELD,          /* server, state: definitions of tools that pins withhold */
    METRIC_UPSTREAM_DOWN,     /* gauge: server */
    METRIC_BREAKER_OPENED,    /* server */
    METRIC_FAMILIES
} metric_family;

enum { METRIC_LABELS = 2 };
typedef struct metrics metrics;
typedef struct metric metric;

metrics *metrics_new(void);
void metrics_free(metrics *m);
metric *metric_series(metrics *m, metric_family f, const char *label1, const char *label2);
void metric_add(metric *s, int64_t n); /* counters and gauges; n may be negative for gauges */
void metric_observe(metric *s, int64_t micros); /* histograms */
void metrics_write(metrics *m, buf *out);       /* Prometheus text format 0.0.4 */
#endif
