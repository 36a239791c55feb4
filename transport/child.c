/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - the pipes of a child: lines in, lines out, and what it has to complain about.
 *
 * The worker's side. A child that was ended lives on here, mute, until the spawner says that its
 * process is gone: its output must be drained meanwhile, or a program that says goodbye on
 * stderr would die of SIGPIPE instead of ending well.
 *
 * Whole lines that lie in one read are handed on as views of it; only a cut line is copied.
 * The last lines of a program that has ended are still in its pipe when the news comes: they are
 * delivered before `exited`, paused or not, which is at most what a pipe holds.
 *
 * Stderr belongs to the operator's log, but a program that floods it must not fill the disk:
 * STDERR_RATE lines a second after a burst, the rest is counted. */
#include "child.h"
#include "../base/buf.h"
#include "../base/utf8.h"
#include "child_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    LINE_LIMIT = 16 << 20,
    QUEUE_LIMIT = 16 << 20,
    GRACE_MS = 2000,
    CHUNK = 64 * 1024,
    LAST_READS = 32, /* after the exit; a process outside the group could go on writing */
    STDERR_LINE = 2048,
    STDERR_BURST = 50,
    STDERR_RATE = 10,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 30000
};

struct child {
    loop *l;
    child_spawner *s;
    const void *type;
    handle owner;
    child_events ev;
    uint64_t number;
    char *name;
    int64_t grace_ms;
    int pid;
    int in, out, err; /* -1: not yet, or no more */
    loop_watch *in_watch, *out_watch, *err_watch;
    buf queue; /* for its stdin; what is before `sent` has gone */
    size_t sent;
    buf line; /* a line of its stdout whose end has not come */
    buf held; /* read, but the child was paused within it */
    bool paused, ended, in_blocked;
    const char *fault; /* ours to tell: why we killed it */
    loop_timer kick;   /* to go on after a resume */
    char complaint[STDERR_LINE];
    size_t complaint_n;
    int64_t allowance, counted_ms, dropped;
};

/* Descriptors */

static void close_pipe(child *c, int *fd, loop_watch **watch)
{
    if (*watch) loop_unwatch(c->l, *watch);
    *watch = NULL;
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void child_free(child *c)
{
    buf_free(&c->queue);
    buf_free(&c->line);
    buf_free(&c->held);
    free(c->name);
    free(c);
}

void child_drop(child *c)
{
    if (c->in >= 0) close(c->in);
    if (c->out >= 0) close(c->out);
    if (c->err >= 0) close(c->err);
    child_free(c);
}

static void *owner_of(const child *c)
{
    return handle_get(loop_handles(c->l), c->type, c->owner);
}

/* Its stdin is closed; the spawner does the rest. The exit is told with `fault`. */
static void give_up(child *c, const char *fault, bool kill)
{
    if (!c->fault) c->fault = fault;
    close_pipe(c, &c->in, &c->in_watch);
    child_spawner_end(c->s, c->number, c->grace_ms, kill);
}

void child_end(child *c)
{
    if (c->ended) return;
    c->ended = true;
    loop_timer_stop(c->l, &c->kick);
    buf_free(&c->line);
    buf_free(&c->queue);
    c->sent = 0;
    give_up(c, NULL, false);
    if (c->out_watch) loop_watch_change(c->l, c->out_watch, EPOLLIN); /* drained, paused or not */
}

/* Stderr */

static bool may_complain(child *c)
{
    int64_t now = loop_now_ms(c->l);
    int64_t earned = (now - c->counted_ms) * STDERR_RATE / 1000;
    if (earned > 0) {
        c->counted_ms = now;
        c->allowance = c->allowance + earned < STDERR_BURST ? c->allowance + earned : STDERR_BURST;
    }
    if (c->allowance == 0) {
        c->dropped++;
        return false;
    }
    c->allowance--;
    return true;
}

static void say(const child *c, const char *event, const char *key, str value)
{
    const log_fact facts[] = {{"server", {c->name, strlen(c->name)}}, {key, value}, {NULL, {0}}};
    log_say(child_spawner_log(c->s), LOG_INFO_LEVEL, event, facts);
}

static void say_dropped(child *c)
{
    char count[32];
    if (c->dropped == 0) return;
    int n = snprintf(count, sizeof count, "%lld", (long long)c->dropped);
    c->dropped = 0;
    say(c, "stderr of a server was too much", "dropped", (str){count, n > 0 ? (size_t)n : 0});
}

static void end_complaint(child *c)
{
    if (c->complaint_n && may_complain(c)) {
        say_dropped(c);
        say(c, "stderr of a server", "line", (str){c->complaint, c->complaint_n});
    }
    c->complaint_n = 0;
}

static void take_complaints(child *c, str in)
{
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n')
            end_complaint(c);
        else if (c->complaint_n < STDERR_LINE)
            c->complaint[c->complaint_n++] = in.p[i];
    }
}

/* Returns what read() did, but for interruptions. */
static ssize_t read_pipe(int fd, char *to, size_t n)
{
    ssize_t got;
    do got = read(fd, to, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static void on_err(void *ctx, uint32_t events)
{
    child *c = ctx;
    char chunk[4096];
    (void)events;
    ssize_t n = read_pipe(c->err, chunk, sizeof chunk);
    if (n > 0)
        take_complaints(c, (str){chunk, (size_t)n});
    else if (n == 0 || errno != EAGAIN)
        close_pipe(c, &c->err, &c->err_watch);
}

/* Stdout */

static void hand_on(child *c, str line)
{
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (line.n == 0) return;
    if (!utf8_valid(line)) {
        give_up(c, "a line that is not UTF-8", true);
        return;
    }
    void *owner = owner_of(c);
    if (owner)
        c->ev.line(owner, line);
    else
        child_end(c);
}

static bool deaf(const child *c)
{
    return c->ended || c->fault;
}

static void take_line(child *c, str piece)
{
    if (c->line.n == 0 && piece.n <= c->line.limit) {
        hand_on(c, piece);
        return;
    }
    if (!buf_put(&c->line, piece)) {
        give_up(c, "a line over its limit", true);
        return;
    }
    buf whole = c->line; /* the callback may end the child, and its buffers with it */
    c->line = buf_new(NULL, whole.limit);
    hand_on(c, buf_str(&whole));
    if (whole.cap > CHUNK || deaf(c) || c->line.p) {
        buf_free(&whole);
        return;
    }
    whole.n = 0;
    c->line = whole;
}

static void take_output(child *c, str in)
{
    while (in.n && !deaf(c)) {
        if (c->paused) {
            (void)buf_put(&c->held, in);
            return;
        }
        const char *end = memchr(in.p, '\n', in.n);
        if (!end) {
            if (!buf_put(&c->line, in)) give_up(c, "a line over its limit", true);
            return;
        }
        size_t n = (size_t)(end - in.p);
        take_line(c, str_take(in, n));
        in = str_drop(in, n + 1);
    }
}

/* One read: false when there is no more now, or for ever. */
static bool read_output(child *c)
{
    char chunk[CHUNK];
    if (c->out < 0) return false;
    ssize_t n = read_pipe(c->out, chunk, sizeof chunk);
    if (n > 0) {
        take_output(c, (str){chunk, (size_t)n});
        return true;
    }
    if (n == 0 || errno != EAGAIN) {
        close_pipe(c, &c->out, &c->out_watch);
        if (!c->ended) give_up(c, NULL, false); /* it will not answer any more */
    }
    return false;
}

static void take_held(child *c)
{
    buf held = c->held;
    c->held = buf_new(NULL, SIZE_MAX);
    take_output(c, buf_str(&held));
    buf_free(&held);
}

/* What a pause held back comes before what is still in the pipe. */
static void on_out(void *ctx, uint32_t events)
{
    child *c = ctx;
    (void)events;
    if (c->held.n) take_held(c);
    if (c->held.n == 0) (void)read_output(c);
}

static void on_kick(void *ctx)
{
    child *c = ctx;
    if (!c->paused) take_held(c);
}

void child_pause(child *c)
{
    if (c->paused) return;
    c->paused = true;
    if (c->out_watch) loop_watch_change(c->l, c->out_watch, 0);
}

void child_resume(child *c)
{
    if (!c->paused) return;
    c->paused = false;
    if (c->out_watch) loop_watch_change(c->l, c->out_watch, EPOLLIN);
    if (c->held.n) loop_timer_start(c->l, &c->kick, 0, on_kick, c);
}

/* Stdin */

static void forget_sent(child *c)
{
    if (c->sent == c->queue.n) {
        c->queue.n = c->sent = 0;
        if (c->queue.cap > CHUNK) buf_free(&c->queue);
    } else if (c->sent > c->queue.n / 2) { /* moves less than it has sent: linear in all */
        buf_drop(&c->queue, c->sent);
        c->sent = 0;
    }
}

/* Writes until the pipe is full. A program that has closed its stdin cannot be asked anything. */
static void send_queue(child *c)
{
    while (c->in >= 0 && c->sent < c->queue.n) {
        ssize_t n = write(c->in, c->queue.p + c->sent, c->queue.n - c->sent);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            give_up(c, NULL, false);
            return;
        }
        c->sent += (size_t)n;
    }
    forget_sent(c);
    bool blocked = c->queue.n > 0;
    if (c->in_watch && blocked != c->in_blocked)
        loop_watch_change(c->l, c->in_watch, blocked ? EPOLLOUT : 0);
    c->in_blocked = blocked;
}

static void on_in(void *ctx, uint32_t events)
{
    child *c = ctx;
    if (events & (EPOLLERR | EPOLLHUP))
        give_up(c, NULL, false); /* nobody reads it any more */
    else
        send_queue(c);
}

bool child_send(child *c, str line)
{
    bool gone = deaf(c) || (c->pid && c->in < 0);
    if (gone || (line.n && memchr(line.p, '\n', line.n))) return false;
    size_t waiting = c->queue.n - c->sent;
    if (line.n >= c->queue.limit || waiting > c->queue.limit - line.n - 1) return false;
    if (c->sent && c->queue.n > c->queue.limit - line.n - 1) { /* room is there, but in front */
        buf_drop(&c->queue, c->sent);
        c->sent = 0;
    }
    if (!buf_put(&c->queue, line) || !buf_put(&c->queue, S("\n"))) return false;
    if (c->pid && !c->in_blocked) send_queue(c);
    return true;
}

/* News from the spawner */

static void on_started(child *c, child_news *n)
{
    c->pid = n->pid;
    c->in = n->in;
    c->out = n->out;
    c->err = n->err;
    n->in = n->out = n->err = -1;
    c->out_watch = loop_watch_fd(c->l, c->out, c->paused && !c->ended ? 0 : EPOLLIN, on_out, c);
    c->err_watch = loop_watch_fd(c->l, c->err, EPOLLIN, on_err, c);
    if (c->ended) {
        close_pipe(c, &c->in, &c->in_watch);
        return;
    }
    c->in_watch = loop_watch_fd(c->l, c->in, 0, on_in, c);
    send_queue(c);
    void *owner = owner_of(c);
    if (owner)
        c->ev.started(owner);
    else
        child_end(c);
}

static void on_exited(child *c, const child_news *n)
{
    char chunk[4096];
    ssize_t got;
    c->pid = 0;
    close_pipe(c, &c->in, &c->in_watch);
    for (int reads = 0; reads < LAST_READS && !deaf(c);) {
        c->paused = false;
        if (c->held.n)
            take_held(c);
        else if (read_output(c))
            reads++;
        else
            break;
    }
    while (c->err >= 0 && (got = read_pipe(c->err, chunk, sizeof chunk)) > 0)
        take_complaints(c, (str){chunk, (size_t)got});
    end_complaint(c);
    say_dropped(c);
    close_pipe(c, &c->out, &c->out_watch);
    close_pipe(c, &c->err, &c->err_watch);
    void *owner = c->ended ? NULL : owner_of(c);
    if (owner) {
        arena *a = arena_new();
        const char *how = c->fault ? c->fault : n->why;
        const char *what = n->never_started && !c->fault ? "could not be started: " : "";
        c->ev.exited(owner, err_new(a, ERR_UPSTREAM, "%s: %s%s", c->name, what, how));
        arena_free(a);
    }
    loop_timer_stop(c->l, &c->kick);
    child_free(c);
}

void child_on_news(child *c, child_news *n)
{
    if (n->exited)
        on_exited(c, n);
    else
        on_started(c, n);
}

/* Starting */

static char *text_of(arena *a, str s)
{
    char *p = NEW_N(a, char, s.n + 1);
    for (size_t i = 0; i < s.n; i++) p[i] = s.p[i];
    return p;
}

static size_t count_of(const str *list)
{
    size_t n = 0;
    while (list && list[n].p) n++;
    return n;
}

static char **texts_of(arena *a, const str *list)
{
    size_t n = count_of(list);
    char **out = NEW_N(a, char *, n + 1);
    for (size_t i = 0; i < n; i++) out[i] = text_of(a, list[i]);
    return out;
}

static char **shim_argv(arena *a, char *const *shim, const child_spec *spec)
{
    size_t shims = 0, args = count_of(spec->argv), at = 0;
    while (shim[shims]) shims++;
    char **out = NEW_N(a, char *, shims + args + 5);
    for (; at < shims; at++) out[at] = shim[at];
    out[at++] = text_of(a, arena_fmt(a, "--parent=%d", (int)getpid()));
    str cwd = spec->cwd.n ? spec->cwd : S("/");
    out[at++] = text_of(a, arena_fmt(a, "--cwd=" STR_FMT, STR_ARG(cwd)));
    if (spec->user.name.n)
        out[at++] = text_of(a, arena_fmt(a, "--user=%u:%u:" STR_FMT, spec->user.uid, spec->user.gid,
                                         STR_ARG(spec->user.name)));
    out[at++] = text_of(a, S("--"));
    for (size_t i = 0; i < args; i++) out[at++] = text_of(a, spec->argv[i]);
    return out;
}

child *child_start(loop *l, child_spawner *s, const child_spec *spec, const void *type,
                   handle owner, const child_events *ev)
{
    child *c = calloc(1, sizeof *c);
    if (!c) abort();
    *c = (child){.l = l,
                 .s = s,
                 .type = type,
                 .owner = owner,
                 .ev = *ev,
                 .in = -1,
                 .out = -1,
                 .err = -1};
    c->number = child_spawner_number(s);
    c->name = strndup(spec->name.n ? spec->name.p : "", spec->name.n);
    if (!c->name) abort();
    c->grace_ms = spec->grace_ms ? spec->grace_ms : GRACE_MS;
    c->queue = buf_new(NULL, spec->queue_limit ? spec->queue_limit : QUEUE_LIMIT);
    c->line = buf_new(NULL, spec->line_limit ? spec->line_limit : LINE_LIMIT);
    c->held = buf_new(NULL, SIZE_MAX);
    c->allowance = STDERR_BURST;
    c->counted_ms = loop_now_ms(l);
    arena *a = arena_new();
    child_order *o = NEW(a, child_order);
    *o = (child_order){.a = a, .number = c->number, .who = c, .to = l};
    o->argv = shim_argv(a, child_spawner_shim(s), spec);
    o->env = texts_of(a, spec->env);
    child_spawner_start(s, o);
    return c;
}

int child_pid(const child *c)
{
    return c->pid;
}

int64_t child_backoff_ms(unsigned failures)
{
    int64_t ms = BACKOFF_MOST_MS;
    if (failures < 10) ms = (int64_t)BACKOFF_FIRST_MS << (failures ? failures - 1 : 0);
    if (ms > BACKOFF_MOST_MS) ms = BACKOFF_MOST_MS;
    uint32_t dice = 0;
    if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) != (ssize_t)sizeof dice) dice = 0;
    return ms - (int64_t)(dice % 1000) * ms /
                    4000; /* up to a quarter less, so that not all come at once */
}
