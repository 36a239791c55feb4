/* SPDX-License-Identifier: Apache-2.0 */
/* audit_log.c - the queue and the thread behind it.
 *
 * Writing and syncing take as long as they take; what comes meanwhile is the next batch. So a busy
 * gateway syncs rarely and an idle one at once, without a timer. */
#include "audit_log.h"
#include "../base/clock.h"
#include "audit_file.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_S = 1, TROUBLE_MOST = 300 };

struct audit_log {
    logger *log;
    metric *lines, *refused;
    arena *own;
    str path;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    buf held; /* guarded by the lock, as all up to `trouble`; members, a newline behind each */
    bool stopping, reopening;
    buf trouble; /* empty: all is well */

    audit_file file; /* the thread's, as all below */
    buf pending;     /* lines that are not all on the disk yet */
    arena *scratch;
};

/* The queue */

static bool keep(void *ctx, str members)
{
    audit_log *l = ctx;
    pthread_mutex_lock(&l->lock);
    bool room =
        !l->trouble.n && members.n + 256 < AUDIT_LINE_MOST && AUDIT_HELD - l->held.n > members.n;
    bool first = l->held.n == 0;
    if (room) {
        (void)buf_put(&l->held, members);
        (void)buf_put(&l->held, S("\n"));
    }
    if (room && first) pthread_cond_signal(&l->ready);
    pthread_mutex_unlock(&l->lock);
    if (!room) metric_add(l->refused, 1);
    return room;
}

audit_sink audit_log_sink(audit_log *l)
{
    return l ? (audit_sink){keep, l} : (audit_sink){0};
}

str audit_log_trouble(arena *a, audit_log *l)
{
    if (!l) return (str){0};
    pthread_mutex_lock(&l->lock);
    str why = l->trouble.n ? arena_dup(a, buf_str(&l->trouble)) : (str){0};
    pthread_mutex_unlock(&l->lock);
    return why;
}

void audit_log_reopen(audit_log *l)
{
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->reopening = true;
    pthread_cond_signal(&l->ready);
    pthread_mutex_unlock(&l->lock);
}

/* The disk */

static void say(audit_log *l, log_level level, const char *event, const char *why)
{
    log_fact facts[] = {{"file", l->path},
                        {why ? "error" : NULL, why ? (str){why, strlen(why)} : S("")},
                        {0}};
    log_say(l->log, level, event, facts);
}

static void set_trouble(audit_log *l, const char *why)
{
    pthread_mutex_lock(&l->lock);
    bool was = l->trouble.n > 0;
    buf_drop(&l->trouble, l->trouble.n);
    if (why) (void)buf_put(&l->trouble, str_take((str){why, strlen(why)}, TROUBLE_MOST));
    pthread_mutex_unlock(&l->lock);
    if (why && !was)
        say(l, LOG_ERROR_LEVEL, "the audit log cannot be written: calls are refused", why);
    if (!why && was) say(l, LOG_INFO_LEVEL, "the audit log is written again", NULL);
}

static void add(audit_log *l, str members)
{
    audit_chain_add(&l->file.chain, l->scratch, members, &l->pending);
    metric_add(l->lines, 1);
}

static void add_event(audit_log *l, str event)
{
    str time = clock_rfc3339(l->scratch, clock_wall_ms());
    add(l, arena_fmt(l->scratch, "\"time\":\"" STR_FMT "\",\"event\":" STR_FMT, STR_ARG(time),
                     STR_ARG(event)));
}

static void add_begin(audit_log *l)
{
    if (l->file.torn)
        add_event(l, arena_fmt(l->scratch, "\"torn\",\"bytes\":%llu",
                               (unsigned long long)l->file.torn));
    add_event(l, S("\"begin\",\"version\":\"" SALLYPORT_VERSION "\""));
}

static void add_all(audit_log *l, str held)
{
    while (held.n) {
        str_pair cut = str_cut(held, '\n');
        add(l, cut.head);
        arena_reset(l->scratch);
        held = cut.tail;
    }
}

/* What was written of a line before an error stays written: the rest follows it. */
static void write_pending(audit_log *l)
{
    while (l->pending.n) {
        ssize_t n = write(l->file.fd, l->pending.p, l->pending.n);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            set_trouble(l, n < 0 ? strerrordesc_np(errno) : "nothing was written");
            return;
        }
        buf_drop(&l->pending, (size_t)n);
    }
    set_trouble(l, fdatasync(l->file.fd) == 0 ? NULL : strerrordesc_np(errno));
}

static bool still_there(const audit_log *l)
{
    struct stat named, open;
    return stat(l->path.p, &named) == 0 && fstat(l->file.fd, &open) == 0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/* The old file keeps what belongs to it; the new one goes on with the same chain. */
static void reopen(audit_log *l)
{
    audit_file next;
    if (l->pending.n || still_there(l)) return;
    const err *e = audit_file_open(l->scratch, l->path, &next);
    if (!e && !next.empty) {
        (void)close(next.fd);
        e = err_new(l->scratch, ERR_MALFORMED, "there is something in it already");
    }
    if (e) {
        say(l, LOG_ERROR_LEVEL, "the audit log stays in its old file", e->text.p);
        return;
    }
    next.chain = l->file.chain;
    (void)close(l->file.fd);
    l->file = next;
    say(l, LOG_INFO_LEVEL, "the audit log goes on in a new file", NULL);
}

/* Waits for something to do; gives what is held, and whether it is time to end. */
static bool take(audit_log *l, buf *batch, bool *reopening)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_S;
    pthread_mutex_lock(&l->lock);
    int waited = 0;
    while (!l->held.n && !l->stopping && !l->reopening && waited == 0)
        waited = l->trouble.n ? pthread_cond_timedwait(&l->ready, &l->lock, &until)
                              : pthread_cond_wait(&l->ready, &l->lock);
    *batch = l->held;
    l->held = buf_new(NULL, AUDIT_HELD);
    *reopening = l->reopening;
    l->reopening = false;
    bool stopping = l->stopping;
    pthread_mutex_unlock(&l->lock);
    return !stopping;
}

static void *run(void *ctx)
{
    audit_log *l = ctx;
    bool more = true, reopening = false;
    write_pending(l);
    while (more) {
        buf batch;
        more = take(l, &batch, &reopening);
        add_all(l, buf_str(&batch));
        buf_free(&batch);
        if (!more) add_event(l, S("\"end\""));
        write_pending(l);
        if (reopening) reopen(l);
        arena_reset(l->scratch);
    }
    return NULL;
}

/* Beginning and end */

static void release(audit_log *l)
{
    if (l->file.fd >= 0) (void)close(l->file.fd);
    buf_free(&l->held);
    buf_free(&l->trouble);
    buf_free(&l->pending);
    pthread_cond_destroy(&l->ready);
    pthread_mutex_destroy(&l->lock);
    arena_free(l->scratch);
    arena_free(l->own);
}

const err *audit_log_new(arena *a, str path, logger *log, metrics *meters, audit_log **out)
{
    audit_file file;
    const err *e = audit_file_open(a, path, &file);
    if (e) return e;
    arena *own = arena_new();
    audit_log *l = NEW(own, audit_log);
    *l = (audit_log){.log = log,
                     .lines = metric_series(meters, METRIC_AUDIT_LINES, NULL, NULL),
                     .refused = metric_series(meters, METRIC_AUDIT_REFUSED, NULL, NULL),
                     .own = own,
                     .path = arena_dup(own, path),
                     .held = buf_new(NULL, AUDIT_HELD),
                     .trouble = buf_new(NULL, TROUBLE_MOST),
                     .file = file,
                     .pending = buf_new(NULL, SIZE_MAX / 2),
                     .scratch = arena_new()};
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->ready, NULL);
    if (file.torn)
        say(l, LOG_WARN_LEVEL, "half a line at the end of the audit log was cut off", NULL);
    add_begin(l);
    if (pthread_create(&l->thread, NULL, run, l) != 0) {
        release(l);
        return err_new(a, ERR_BUG, "no thread left for the audit log");
    }
    *out = l;
    return NULL;
}

void audit_log_free(audit_log *l)
{
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_signal(&l->ready);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    if (l->pending.n)
        say(l, LOG_ERROR_LEVEL, "decisions are missing at the end of the audit log", NULL);
    release(l);
}
