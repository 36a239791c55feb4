/* SPDX-License-Identifier: Apache-2.0 */
/* metric.c - one table of families, a list of series for each.
 *
 * A series is never removed, so a pointer to one is good for the life of the metrics. Each
 * starts on a cache line of its own: workers that count different things do not disturb each
 * other. Times are kept in whole microseconds and written in seconds. */
#include "metric.h"
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef enum { COUNTER, GAUGE, HISTOGRAM } metric_type;

typedef struct {
    const char *name, *help;
    metric_type type;
    const char *labels[METRIC_LABELS];
} family;

/* clang-format off */
static const family families[] = {
    [METRIC_REQUESTS]          = {"sallyport_requests_total", "Requests answered, by door and status class.", COUNTER, {"door", "status"}},
    [METRIC_REQUEST_SECONDS]   = {"sallyport_request_duration_seconds", "Time from a request's first byte to the last byte of its answer.", HISTOGRAM, {"door"}},
    [METRIC_VERDICTS]          = {"sallyport_verdicts_total", "Decisions of the policies.", COUNTER, {"door", "verdict"}},
    [METRIC_RULE_ERRORS]       = {"sallyport_rule_errors_total", "Rules that could not be evaluated.", COUNTER, {"rule"}},
    [METRIC_UPSTREAM_REQUESTS] = {"sallyport_upstream_requests_total", "Calls to MCP servers and LLM backends, by outcome.", COUNTER, {"upstream", "outcome"}},
    [METRIC_UPSTREAM_SECONDS]  = {"sallyport_upstream_duration_seconds", "Time of a call to an upstream.", HISTOGRAM, {"upstream"}},
    [METRIC_LIMITED]           = {"sallyport_limited_total", "Requests that met a limit.", COUNTER, {"limit"}},
    [METRIC_TOKENS]            = {"sallyport_tokens_total", "Tokens metered, by backend and direction.", COUNTER, {"backend", "direction"}},
    [METRIC_QUOTA]             = {"sallyport_quota_total", "Requests that a quota refused, or would have in shadow mode.", COUNTER, {"quota", "outcome"}},
    [METRIC_COST]              = {"sallyport_cost_micro_usd_total", "What was metered cost, in millionths of a dollar, by backend.", COUNTER, {"backend"}},
    [METRIC_CONNECTIONS]       = {"sallyport_connections", "Client connections that are open.", GAUGE, {0}},
    [METRIC_EXCHANGES]         = {"sallyport_exchanges", "Requests that are being answered.", GAUGE, {0}},
    [METRIC_CHILDREN]          = {"sallyport_children", "Child processes of stdio servers.", GAUGE, {"server"}},
    [METRIC_RELOADS]           = {"sallyport_reloads_total", "Configuration reloads, by outcome.", COUNTER, {"outcome"}},
    [METRIC_AUDIT_LINES]       = {"sallyport_audit_lines_total", "Lines of the audit log.", COUNTER, {0}},
    [METRIC_AUDIT_REFUSED]     = {"sallyport_audit_refused_total", "Decisions the audit log did not take; the calls were refused.", COUNTER, {0}},
    [METRIC_SHADOW]            = {"sallyport_shadow_differences_total", "Decisions that the shadow policies would have made otherwise.", COUNTER, {"door", "verdict"}},
    [METRIC_WITHHELD]          = {"sallyport_tools_withheld_total", "Definitions of tools that are withheld: changed since they were approved, or new.", COUNTER, {"server", "state"}},
    [METRIC_UPSTREAM_DOWN]     = {"sallyport_upstream_down", "1 while a server could not be reached when it was last asked.", GAUGE, {"server"}},
    [METRIC_BREAKER_OPENED]    = {"sallyport_breaker_opened_total", "How often a server was left alone after failing.", COUNTER, {"server"}},
};
/* clang-format on */
_Static_assert(sizeof families / sizeof *families == METRIC_FAMILIES, "a row for each family");

static const struct {
    int64_t micros;
    const char *text;
} bounds[] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},
    {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},
    {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"},
    {5000000, "5"},   {10000000, "10"}, {30000000, "30"}, {60000000, "60"},
};
enum { BOUNDS = sizeof bounds / sizeof *bounds, LINE = 64 };

struct metric {
    _Alignas(LINE) atomic_int_fast64_t value; /* a histogram's sum in microseconds */
    atomic_int_fast64_t buckets[BOUNDS + 1]; /* each counts its own range, the last what is above */
    metric_family family;
    char *labels[METRIC_LABELS];
    metric *next;
};

struct metrics {
    pthread_mutex_t lock; /* guards the lists, not the numbers */
    metric *first[METRIC_FAMILIES], *last[METRIC_FAMILIES];
};

metrics *metrics_new(void)
{
    metrics *m = calloc(1, sizeof *m);
    if (!m || pthread_mutex_init(&m->lock, NULL) != 0) abort();
    return m;
}

static void series_free(metric *s)
{
    for (size_t i = 0; i < METRIC_LABELS; i++) free(s->labels[i]);
    free(s);
}

void metrics_free(metrics *m)
{
    if (!m) return;
    for (size_t f = 0; f < METRIC_FAMILIES; f++) {
        for (metric *s = m->first[f], *next; s; s = next) {
            next = s->next;
            series_free(s);
        }
    }
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

static char *copy(const char *text)
{
    char *p = strdup(text ? text : "");
    if (!p) abort();
    return p;
}

static metric *series_new(metric_family f, const char *label1, const char *label2)
{
    metric *s = aligned_alloc(LINE, sizeof *s);
    if (!s) abort();
    memset(s, 0, sizeof *s);
    s->family = f;
    s->labels[0] = copy(label1);
    s->labels[1] = copy(label2);
    return s;
}

static bool is(const metric *s, const char *label1, const char *label2)
{
    return strcmp(s->labels[0], label1 ? label1 : "") == 0 &&
           strcmp(s->labels[1], label2 ? label2 : "") == 0;
}

metric *metric_series(metrics *m, metric_family f, const char *label1, const char *label2)
{
    assert((unsigned)f < METRIC_FAMILIES);
    (void)pthread_mutex_lock(&m->lock);
    metric *s = m->first[f];
    while (s && !is(s, label1, label2)) s = s->next;
    if (!s) {
        s = series_new(f, label1, label2);
        if (m->last[f])
            m->last[f]->next = s;
        else
            m->first[f] = s;
        m->last[f] = s;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return s;
}

void metric_add(metric *s, int64_t n)
{
    atomic_fetch_add_explicit(&s->value, n, memory_order_relaxed);
}

void metric_observe(metric *s, int64_t micros)
{
    assert(families[s->family].type == HISTOGRAM);
    size_t at = 0;
    while (at < BOUNDS && micros > bounds[at].micros) at++;
    atomic_fetch_add_explicit(&s->buckets[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->value, micros, memory_order_relaxed);
}

static int64_t load(atomic_int_fast64_t *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

static void put_escaped(buf *out, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_put(out, S("\\n"));
        else if (*text == '\\')
            buf_put(out, S("\\\\"));
        else if (*text == '"' && quotes)
            buf_put(out, S("\\\""));
        else
            buf_put(out, (str){text, 1});
    }
}

/* {door="mcp",le="0.5"}, or nothing when there is no label at all. */
static void put_labels(buf *out, const metric *s, const char *le)
{
    const char *sep = "{";
    for (size_t i = 0; i < METRIC_LABELS; i++) {
        const char *name = families[s->family].labels[i];
        if (!name) continue;
        buf_fmt(out, "%s%s=\"", sep, name);
        put_escaped(out, s->labels[i], true);
        buf_put(out, S("\""));
        sep = ",";
    }
    if (le) {
        buf_fmt(out, "%sle=\"%s\"", sep, le);
        sep = ",";
    }
    if (*sep == ',') buf_put(out, S("}"));
}

static void put_histogram(buf *out, metric *s, const char *name)
{
    int64_t sum = load(&s->value), count = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        count += load(&s->buckets[i]);
        buf_fmt(out, "%s_bucket", name);
        put_labels(out, s, i < BOUNDS ? bounds[i].text : "+Inf");
        buf_fmt(out, " %" PRId64 "\n", count);
    }
    buf_fmt(out, "%s_sum", name);
    put_labels(out, s, NULL);
    buf_fmt(out, " %" PRId64 ".%06" PRId64 "\n%s_count", sum / 1000000, sum % 1000000, name);
    put_labels(out, s, NULL);
    buf_fmt(out, " %" PRId64 "\n", count);
}

static void put_family(buf *out, const family *f, metric *first)
{
    static const char *const types[] =
        {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    buf_fmt(out, "# HELP %s ", f->name);
    put_escaped(out, f->help, false);
    buf_fmt(out, "\n# TYPE %s %s\n", f->name, types[f->type]);
    for (metric *s = first; s; s = s->next) {
        if (f->type == HISTOGRAM) {
            put_histogram(out, s, f->name);
            continue;
        }
        buf_fmt(out, "%s", f->name);
        put_labels(out, s, NULL);
        buf_fmt(out, " %" PRId64 "\n", load(&s->value));
    }
}

void metrics_write(metrics *m, buf *out)
{
    (void)pthread_mutex_lock(&m->lock);
    for (size_t f = 0; f < METRIC_FAMILIES; f++) {
        if (m->first[f]) put_family(out, &families[f], m->first[f]);
    }
    (void)pthread_mutex_unlock(&m->lock);
}
