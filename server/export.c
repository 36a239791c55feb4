/* SPDX-License-Identifier: Apache-2.0 */
/* export.c - the record as a line and as numbers.
 *
 * The writer sleeps until something is there, then waits a moment before it writes, so that a busy
 * gateway makes few large writes and an idle one none. */
#include "export.h"
#include "../base/map.h"

#include "../base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { GATHER_MS = 20, WORKER_LINES = 1 << 20, LINE_MOST = 64 << 10, GIVE_UP_MS = 2000 };
enum { DOOR_MCP, DOOR_LLM, DOOR_WELLKNOWN, DOOR_OTHER, DOORS };
enum { CLASSES = 6, VERDICTS = 2, DIRECTIONS = 5 };

static const char *const door_names[DOORS] = {"mcp", "llm", "wellknown", "other"};
static const char *const class_names[CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
static const char *const verdict_names[VERDICTS] = {"deny", "permit"};
static const char *const direction_names[DIRECTIONS] = {"in", "out", "cached", "cache_write",
                                                        "reasoning"};
static const fact direction_facts[DIRECTIONS] = {FACT_TOKENS_IN, FACT_TOKENS_OUT,
                                                 FACT_TOKENS_CACHED, FACT_TOKENS_CACHE_WRITE,
                                                 FACT_TOKENS_REASONING};

struct export
{
    int fd;
    bool owns_fd;
    logger *log;
    metrics *meters;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    pthread_t thread;
    bool running, stopping;
    buf held;       /* guarded by the lock */
    size_t dropped; /* likewise, lines */
};

struct export_worker {
    export *e;
    loop *l;
    buf lines;
    size_t count;
    metric *requests[DOORS][CLASSES], *seconds[DOORS], *verdicts[DOORS][VERDICTS];
    metric *shadows[DOORS][VERDICTS];
    arena *names;
    map *tokens; /* backend to a series a direction, and one of money */
};

/* The line */

void export_line(buf *out, const record *r, int64_t wall_ms)
{
    arena *a = arena_new();
    buf_put(out, S("{\"time\":"));
    buf_json(out, clock_rfc3339(a, wall_ms));
    for (size_t f = 0; f < FACT_COUNT; f++) {
        const fact_value *v = &r->v[f];
        if (!v->set) continue;
        buf_fmt(out, ",\"%s\":", fact_names[f]);
        if (v->is_text)
            buf_json_safe(out, v->text);
        else
            buf_int(out, v->number);
    }
    buf_put(out, S("}"));
    arena_free(a);
}

/* The writer */

/* A reader that has stopped reading must not keep us from ending. */
static bool write_all(export *e, str text, bool may_give_up)
{
    while (text.n) {
        struct pollfd p = {.fd = e->fd, .events = POLLOUT};
        if (poll(&p, 1, may_give_up ? GIVE_UP_MS : 1000) == 0) {
            if (may_give_up) return false;
            continue;
        }
        ssize_t n = write(e->fd, text.p, text.n);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return false;
        text = str_drop(text, (size_t)n);
    }
    return true;
}

static void say_dropped(export *e, size_t lines)
{
    if (!lines) return;
    arena *a = arena_new();
    log_fact facts[] = {{"lines", arena_fmt(a, "%zu", lines)}, {0}};
    log_say(e->log, LOG_WARN_LEVEL, "access log lines were dropped", facts);
    arena_free(a);
}

static void *run(void *ctx)
{
    export *e = ctx;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping || e->held.n) {
        if (!e->held.n && !e->stopping) {
            pthread_cond_wait(&e->ready, &e->lock);
            continue;
        }
        bool last = e->stopping;
        if (!last) {
            pthread_mutex_unlock(&e->lock);
            (void)poll(NULL, 0, GATHER_MS);
            pthread_mutex_lock(&e->lock);
        }
        buf batch = e->held;
        size_t dropped = e->dropped;
        e->held = buf_new(NULL, EXPORT_HELD);
        e->dropped = 0;
        pthread_mutex_unlock(&e->lock);
        say_dropped(e, dropped);
        (void)write_all(e, buf_str(&batch), last);
        buf_free(&batch);
        pthread_mutex_lock(&e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

const err *export_new(arena *a, str to, logger *log, metrics *meters, export **out)
{
    export *e = calloc(1, sizeof *e);
    if (!e) abort();
    e->fd = str_eq(to, S("stdout")) ? STDOUT_FILENO : str_eq(to, S("stderr")) ? STDERR_FILENO : -1;
    if (e->fd < 0 && !str_eq(to, S("none"))) {
        e->fd = open(arena_dup(a, to).p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (e->fd < 0) {
            free(e);
            return err_new(a, ERR_NOT_FOUND, "cannot open the access log " STR_FMT ": %m",
                           STR_ARG(to));
        }
        e->owns_fd = true;
    }
    e->log = log;
    e->meters = meters;
    e->held = buf_new(NULL, EXPORT_HELD);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->ready, NULL);
    e->running = e->fd >= 0 && pthread_create(&e->thread, NULL, run, e) == 0;
    *out = e;
    return NULL;
}

void export_free(export *e)
{
    if (!e) return;
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_signal(&e->ready);
    pthread_mutex_unlock(&e->lock);
    if (e->running) pthread_join(e->thread, NULL);
    if (e->owns_fd) close(e->fd);
    buf_free(&e->held);
    pthread_cond_destroy(&e->ready);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* A worker's side */

static int64_t hand_over(void *ctx)
{
    export_worker *w = ctx;
    if (!w->lines.n) return -1;
    export *e = w->e;
    pthread_mutex_lock(&e->lock);
    bool was_empty = e->held.n == 0;
    if (!buf_put(&e->held, buf_str(&w->lines))) {
        e->held.over = false;
        e->dropped += w->count;
    }
    if (was_empty) pthread_cond_signal(&e->ready);
    pthread_mutex_unlock(&e->lock);
    buf_drop(&w->lines, w->lines.n);
    w->count = 0;
    return -1;
}

export_worker *export_worker_new(export *e, loop *l)
{
    export_worker *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->e = e;
    w->l = l;
    w->lines = buf_new(NULL, WORKER_LINES);
    w->names = arena_new();
    w->tokens = map_new(w->names);
    loop_on_turn(l, hand_over, w);
    return w;
}

void export_worker_free(export_worker *w)
{
    if (!w) return;
    (void)hand_over(w);
    loop_off_turn(w->l, hand_over, w);
    buf_free(&w->lines);
    arena_free(w->names);
    free(w);
}

/* Numbers */

static size_t door_of(const record *r)
{
    for (size_t i = 0; i < DOOR_OTHER; i++)
        if (str_eq(r->v[FACT_DOOR].text, (str){door_names[i], strlen(door_names[i])})) return i;
    return DOOR_OTHER;
}

/* A series is found at its first use and kept. */
static metric *series(export_worker *w, metric **kept, metric_family f, const char *label1,
                      const char *label2)
{
    if (!*kept) *kept = metric_series(w->e->meters, f, label1, label2);
    return *kept;
}

/* Backends are named by the configuration, so there are few. */
static metric **tokens_of(export_worker *w, str backend)
{
    metric **row = map_get(w->tokens, backend);
    if (row) return row;
    str name = arena_dup(w->names, backend);
    row = NEW_N(w->names, metric *, DIRECTIONS + 1);
    row[DIRECTIONS] = metric_series(w->e->meters, METRIC_COST, name.p, NULL);
    for (size_t i = 0; i < DIRECTIONS; i++)
        row[i] = metric_series(w->e->meters, METRIC_TOKENS, name.p, direction_names[i]);
    map_put(w->tokens, name, row);
    return row;
}

static void count_tokens(export_worker *w, const record *r)
{
    bool costs = r->v[FACT_COST].set;
    if (!r->v[FACT_TOKENS_OUT].set && !r->v[FACT_TOKENS_IN].set && !costs) return;
    metric **row = tokens_of(w, r->v[FACT_SERVER].text);
    if (costs) metric_add(row[DIRECTIONS], r->v[FACT_COST].number);
    for (size_t i = 0; i < DIRECTIONS; i++)
        if (r->v[direction_facts[i]].number > 0)
            metric_add(row[i], r->v[direction_facts[i]].number);
}

/* Names of limits, quotas and rules: these are seldom counted, and found each time. */
static void count_name(export_worker *w, str name, metric_family f, const char *label2)
{
    arena *a = arena_new();
    metric_add(metric_series(w->e->meters, f, arena_dup(a, name).p, label2), 1);
    arena_free(a);
}

static void count_named(export_worker *w, const fact_value *v, metric_family f, const char *label2)
{
    if (v->set) count_name(w, v->text, f, label2);
}

static void count_rule_error(export_worker *w, const record *r)
{
    const fact_value *said = &r->v[FACT_RULE_ERROR];
    if (said->set) count_name(w, str_cut(said->text, ':').head, METRIC_RULE_ERRORS, NULL);
}

static void count_verdict(export_worker *w, const fact_value *said, metric_family f, metric **kept,
                          const char *door)
{
    if (!said->set) return;
    size_t verdict = str_eq(said->text, S("permit"));
    metric_add(series(w, &kept[verdict], f, door, verdict_names[verdict]), 1);
}

static void count(export_worker *w, const record *r)
{
    size_t door = door_of(r);
    int64_t status = r->v[FACT_STATUS].number;
    size_t class = status >= 100 && status < 600 ? (size_t)(status / 100) : 0;
    const char *name = door_names[door];
    metric_add(series(w, &w->requests[door][class], METRIC_REQUESTS, name, class_names[class]), 1);
    metric_observe(series(w, &w->seconds[door], METRIC_REQUEST_SECONDS, name, NULL),
                   r->v[FACT_DURATION_US].number);
    count_tokens(w, r);
    count_rule_error(w, r);
    count_named(w, &r->v[FACT_LIMITED], METRIC_LIMITED, NULL);
    count_named(w, &r->v[FACT_QUOTA], METRIC_QUOTA, "refused");
    count_named(w, &r->v[FACT_QUOTA_SHADOW], METRIC_QUOTA, "shadow");
    count_verdict(w, &r->v[FACT_VERDICT], METRIC_VERDICTS, w->verdicts[door], name);
    count_verdict(w, &r->v[FACT_SHADOW], METRIC_SHADOW, w->shadows[door], name);
}

void export_request(export_worker *w, exchange *x)
{
    record *r = exchange_record(x);
    record_number(r, FACT_DURATION_US, clock_mono_us() - exchange_started_us(x));
    count(w, r);
    if (w->e->fd < 0) return;
    if (w->lines.n > WORKER_LINES - LINE_MOST) (void)hand_over(w);
    size_t before = w->lines.n;
    export_line(&w->lines, r, clock_wall_ms());
    buf_put(&w->lines, S("\n"));
    w->count++;
    if (buf_ok(&w->lines)) return;
    w->lines.n = before; /* one line longer than all that fits */
    w->lines.over = false;
}
