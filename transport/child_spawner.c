/* SPDX-License-Identifier: Apache-2.0 */
/* child_spawner.c - one thread that starts, signals and reaps all programs.
 *
 * PR_SET_PDEATHSIG is sent when the *thread* that started a process dies, so the thread that
 * starts them must live as long as the gateway; and a program must not outlive us even when we
 * are killed.
 *
 * A process is watched by its pidfd. When it has ended its group is killed before it is reaped:
 * while the zombie holds the number, the kernel cannot give it (nor the group's) to anyone else.
 * Until the shim's status pipe closes the program is not said to be started; what the pipe says
 * is why it never was. */
#include "../base/clock.h"
#include "child_private.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LAST_GRACE_MS = 1000, LOWEST_FD = 8, BATCH = 32 };

typedef struct command {
    child_order *order; /* NULL: end */
    uint64_t number;
    int64_t grace_ms;
    bool kill;
    struct command *next;
} command;

typedef enum { STAGE_RUNNING, STAGE_ENDING, STAGE_TERMED, STAGE_KILLED } stage;

typedef struct process {
    child_order *order;
    pid_t pid;
    int pidfd, status_fd; /* status_fd: -1 once it has closed */
    int in, out, err;     /* -1 once they were sent */
    stage at;
    int64_t due_ms, grace_ms;
    bool told_started, poked; /* poked: something happened on one of its descriptors */
    size_t why_n;
    char why[256]; /* what the shim said */
    struct process *next;
} process;

struct child_spawner {
    logger *log;
    arena *a;
    char *const *shim;
    pthread_t thread;
    int epoll_fd, event_fd;
    pthread_mutex_t lock; /* of the commands */
    command *first, **last;
    bool stop;
    atomic_uint_fast64_t numbers;
    process *processes; /* the thread's own */
    bool stopping;      /* the thread's own */
};

/* Letters */

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Taken from the epoll set by name: a copy of it may live on for a moment in a child that is just
 * being started (exec lets us go on before it closes), and would keep it in the set. */
static void unwatch(const child_spawner *s, int *fd)
{
    if (*fd >= 0) (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
    close_fd(fd);
}

static void news_deliver(letter *self, loop *at)
{
    (void)at;
    child_news *n = (child_news *)self;
    child_on_news(n->who, n);
    free(n);
}

static void news_drop(letter *self)
{
    child_news *n = (child_news *)self;
    close_fd(&n->in);
    close_fd(&n->out);
    close_fd(&n->err);
    if (n->exited) child_drop(n->who);
    free(n);
}

static child_news *news_new(const child_order *o)
{
    child_news *n = malloc(sizeof *n);
    if (!n) abort();
    *n = (child_news){.mail = {.deliver = news_deliver, .drop = news_drop},
                      .who = o->who,
                      .in = -1,
                      .out = -1,
                      .err = -1};
    return n;
}

static void tell_started(process *p)
{
    child_news *n = news_new(p->order);
    n->pid = p->pid;
    n->in = p->in;
    n->out = p->out;
    n->err = p->err;
    p->in = p->out = p->err = -1;
    p->told_started = true;
    loop_post(p->order->to, &n->mail);
}

/* When the news is out nothing of the process is left, not even a descriptor. */
static void tell_exited(const child_spawner *s, process *p, const char *how)
{
    unwatch(s, &p->pidfd);
    unwatch(s, &p->status_fd);
    close_fd(&p->in);
    close_fd(&p->out);
    close_fd(&p->err);
    child_news *n = news_new(p->order);
    n->exited = true;
    n->never_started = !p->told_started;
    (void)snprintf(n->why, sizeof n->why, "%s", how);
    loop_post(p->order->to, &n->mail);
}

/* Starting */

/* The shim finds its pipes at 0 to 3: ours must be elsewhere, or one dup2 would close the next. */
static int raised(int fd)
{
    if (fd < 0 || fd >= LOWEST_FD) return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    close(fd);
    return high;
}

static bool pipe_new(int *ours, int *theirs, bool we_write)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC)) return false;
    *ours = raised(fd[we_write ? 1 : 0]);
    *theirs = raised(fd[we_write ? 0 : 1]);
    if (*ours < 0 || *theirs < 0) return false;
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static int spawn_shim(process *p, const int theirs[4])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t every, none;
    sigfillset(&every);
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&files)) return ENOMEM;
    if (posix_spawnattr_init(&how)) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    int e = 0;
    for (int i = 0; i < 4 && !e; i++) e = posix_spawn_file_actions_adddup2(&files, theirs[i], i);
    if (!e) e = posix_spawnattr_setsigdefault(&how, &every);
    if (!e) e = posix_spawnattr_setsigmask(&how, &none);
    if (!e) e = posix_spawnattr_setpgroup(&how, 0);
    if (!e)
        e = posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                               POSIX_SPAWN_SETSIGMASK);
    if (!e)
        e = posix_spawn(&p->pid, p->order->argv[0], &files, &how, p->order->argv, p->order->env);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return e;
}

static bool watch(const child_spawner *s, int fd, process *p)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};
    return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* An errno, or 0. What was opened is the caller's to close. */
static int start(child_spawner *s, process *p)
{
    int theirs[4] = {-1, -1, -1, -1};
    bool piped = pipe_new(&p->in, &theirs[0], true) && pipe_new(&p->out, &theirs[1], false) &&
                 pipe_new(&p->err, &theirs[2], false) && pipe_new(&p->status_fd, &theirs[3], false);
    int e = piped ? spawn_shim(p, theirs) : errno;
    for (int i = 0; i < 4; i++) close_fd(&theirs[i]);
    if (e) return e;
    p->pidfd = pidfd_open(p->pid, 0);
    if (p->pidfd >= 0 && watch(s, p->pidfd, p) && watch(s, p->status_fd, p)) return 0;
    e = errno;
    (void)kill(-p->pid, SIGKILL); /* we could not watch it */
    (void)waitpid(p->pid, NULL, 0);
    return e;
}

static void process_free(process *p)
{
    arena_free(p->order->a);
    free(p);
}

static void run_order(child_spawner *s, child_order *o)
{
    process *p = malloc(sizeof *p);
    if (!p) abort();
    *p = (process){.order = o, .pidfd = -1, .status_fd = -1, .in = -1, .out = -1, .err = -1};
    int e = s->stopping ? ECANCELED : start(s, p);
    if (e) {
        const char *text = strerrordesc_np(e);
        tell_exited(s, p, text ? text : "failed");
        process_free(p);
        return;
    }
    p->next = s->processes;
    s->processes = p;
}

/* Ending */

static void signal_group(process *p, int number, stage next)
{
    (void)kill(-p->pid, number); /* not reaped yet, so the number is its own */
    p->at = next;
    p->due_ms = clock_mono_ms() + p->grace_ms;
}

static void step_ending(process *p)
{
    if (p->at == STAGE_ENDING)
        signal_group(p, SIGTERM, STAGE_TERMED);
    else if (p->at == STAGE_TERMED)
        signal_group(p, SIGKILL, STAGE_KILLED);
}

static void end_process(process *p, int64_t grace_ms, bool kill_now)
{
    if (kill_now) {
        signal_group(p, SIGKILL, STAGE_KILLED);
    } else if (p->at == STAGE_RUNNING) {
        p->at = STAGE_ENDING;
        p->grace_ms = grace_ms;
        p->due_ms = clock_mono_ms() + grace_ms;
    }
}

static void how_it_ended(const siginfo_t *info, char *why, size_t n)
{
    if (info->si_code == CLD_EXITED) {
        (void)snprintf(why, n, "exit status %d", info->si_status);
        return;
    }
    const char *name = sigabbrev_np(info->si_status);
    (void)snprintf(why, n, "killed by SIG%s", name ? name : "?");
}

/* It has ended: its group goes with it. */
static void reap(child_spawner *s, process *p)
{
    char why[64] = "ended";
    siginfo_t info = {0};
    (void)kill(-p->pid, SIGKILL);
    if (waitid(P_PID, (id_t)p->pid, &info, WEXITED) == 0) how_it_ended(&info, why, sizeof why);
    tell_exited(s, p, !p->told_started && p->why_n ? p->why : why);
    process **at = &s->processes;
    while (*at != p) at = &(*at)->next;
    *at = p->next;
    process_free(p);
}

/* The shim speaks, or its pipe has closed. */
static void read_status(const child_spawner *s, process *p)
{
    if (p->status_fd < 0) return;
    ssize_t n = read(p->status_fd, p->why + p->why_n, sizeof p->why - 1 - p->why_n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) {
        p->why_n += (size_t)n;
        p->why[p->why_n] = 0;
        return;
    }
    unwatch(s, &p->status_fd);
    if (p->why_n == 0) tell_started(p);
}

static bool has_ended(const process *p)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == p->pid;
}

/* The thread */

static process *find(const child_spawner *s, uint64_t number)
{
    process *p = s->processes;
    while (p && p->order->number != number) p = p->next;
    return p;
}

static void run_command(child_spawner *s, command *c)
{
    if (c->order) {
        run_order(s, c->order);
    } else {
        process *p = find(s, c->number);
        if (p) end_process(p, c->grace_ms, c->kill);
    }
    free(c);
}

static void run_commands(child_spawner *s)
{
    uint64_t count;
    (void)!read(s->event_fd, &count, sizeof count);
    pthread_mutex_lock(&s->lock);
    command *c = s->first;
    s->first = NULL;
    s->last = &s->first;
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    for (command *next; c; c = next) {
        next = c->next;
        run_command(s, c);
    }
    if (!stop || s->stopping) return;
    s->stopping = true;
    for (process *p = s->processes; p; p = p->next) {
        if (p->at == STAGE_KILLED) continue;
        p->grace_ms = LAST_GRACE_MS;
        signal_group(p, SIGTERM, STAGE_TERMED);
    }
}

static int run_due(child_spawner *s)
{
    int64_t now = clock_mono_ms(), wait = -1;
    for (process *p = s->processes; p; p = p->next) {
        if (p->at != STAGE_ENDING && p->at != STAGE_TERMED) continue;
        if (now >= p->due_ms) step_ending(p);
        if (p->at == STAGE_KILLED) continue;
        int64_t left = p->due_ms > now ? p->due_ms - now : 0;
        if (wait < 0 || left < wait) wait = left;
    }
    return wait > 60000 ? 60000 : (int)wait;
}

static void run_processes(child_spawner *s)
{
    for (process *next, *p = s->processes; p; p = next) {
        next = p->next;
        if (!p->poked) continue;
        p->poked = false;
        read_status(s, p);
        if (!has_ended(p)) continue;
        read_status(s, p); /* its last words may have come in between, */
        read_status(s, p); /* and then the end of them */
        reap(s, p);
    }
}

/* Both of a process's descriptors name it, and it goes with the first: so they only mark it. */
static void *run(void *arg)
{
    child_spawner *s = arg;
    struct epoll_event events[BATCH];
    while (!s->stopping || s->processes) {
        int n = epoll_wait(s->epoll_fd, events, BATCH, run_due(s));
        for (int i = 0; i < n; i++) {
            process *p = events[i].data.ptr;
            if (p) p->poked = true;
        }
        run_commands(s);
        run_processes(s);
    }
    return NULL;
}

static void ring(const child_spawner *s)
{
    uint64_t one = 1;
    (void)!write(s->event_fd, &one, sizeof one);
}

static void push(child_spawner *s, command what)
{
    command *c = malloc(sizeof *c);
    if (!c) abort();
    *c = what;
    c->next = NULL;
    pthread_mutex_lock(&s->lock);
    *s->last = c;
    s->last = &c->next;
    pthread_mutex_unlock(&s->lock);
    ring(s);
}

uint64_t child_spawner_number(child_spawner *s)
{
    return atomic_fetch_add_explicit(&s->numbers, 1, memory_order_relaxed) + 1;
}

void child_spawner_start(child_spawner *s, child_order *o)
{
    push(s, (command){.order = o});
}

void child_spawner_end(child_spawner *s, uint64_t number, int64_t grace_ms, bool kill)
{
    push(s, (command){.number = number, .grace_ms = grace_ms, .kill = kill});
}

char *const *child_spawner_shim(const child_spawner *s)
{
    return s->shim;
}

logger *child_spawner_log(const child_spawner *s)
{
    return s->log;
}

static char **copy_args(arena *a, char *const *args)
{
    size_t n = 0;
    while (args[n]) n++;
    char **copy = NEW_N(a, char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        copy[i] = strdup(args[i]);
        if (!copy[i]) abort();
        arena_own(a, free, copy[i]);
    }
    return copy;
}

child_spawner *child_spawner_new(logger *log, char *const *shim)
{
    arena *a = arena_new();
    child_spawner *s = NEW(a, child_spawner);
    s->a = a;
    s->log = log;
    s->shim = copy_args(a, shim);
    s->last = &s->first;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&s->numbers, 0);
    bool ok = s->epoll_fd >= 0 && s->event_fd >= 0 && pthread_mutex_init(&s->lock, NULL) == 0 &&
              epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->event_fd,
                        &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL}) == 0;
    if (ok && pthread_create(&s->thread, NULL, run, s) == 0) return s;
    close_fd(&s->epoll_fd);
    close_fd(&s->event_fd);
    arena_free(a);
    return NULL;
}

void child_spawner_free(child_spawner *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    ring(s);
    pthread_join(s->thread, NULL);
    for (command *c; (c = s->first);) { /* what was ordered after the end */
        s->first = c->next;
        run_command(s, c);
    }
    close(s->epoll_fd);
    close(s->event_fd);
    pthread_mutex_destroy(&s->lock);
    arena_free(s->a);
}
