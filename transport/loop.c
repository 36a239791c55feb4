/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - epoll, a heap of timers, a stack of letters.
 *
 * One turn costs one epoll_wait and one clock read. A watch that is taken away while a batch of
 * events is being handed out is marked and buried; its memory is reused only after the batch,
 * since an event that still names it may follow.
 *
 * Letters are pushed on a lock-free stack; whoever finds it empty writes to the eventfd, so a
 * batch costs one write however many there are. The eventfd is edge-triggered and never read:
 * each write is an edge, and a 64-bit count does not fill.
 *
 * Flows that turn hooks made ready (the front runs guests there) run in the same turn,
 * and the hooks once more after them, so an answer that needs no waiting leaves in the turn its
 * request came in. ROUNDS bounds that, so that sockets are not starved. */
#include "loop.h"
#include "../base/clock.h"
#include "loop_heap.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 256, ROUNDS = 8, LONGEST_MS = 3600 * 1000 };

struct loop_watch {
    loop_watch_fn *fn; /* NULL: buried */
    void *ctx;
    int fd;
    uint32_t events;
    bool stillborn; /* the kernel would not take it: gets EPOLLERR instead */
    struct loop_watch *prev,
        *next; /* all living watches; `next` also links the buried and the spare */
};

typedef struct {
    loop_turn_fn *fn;
    void *ctx;
} hook;

struct loop {
    int epoll_fd, event_fd;
    atomic_bool stopping;
    _Atomic(letter *) mail;
    int64_t now_ms;
    handle_table *handles;
    flow_queue *flows;
    loop_heap timers;
    loop_watch *watches, *buried, *spare;
    size_t stillborn;
    hook *hooks;
    size_t hook_count, hook_cap;
};

/* Timers */

void loop_timer_start(loop *l, loop_timer *t, int64_t after_ms, void (*fn)(void *ctx), void *ctx)
{
    int64_t after = after_ms > 0 ? after_ms : 0;
    t->fn = fn;
    t->ctx = ctx;
    t->due_ms = after > INT64_MAX - l->now_ms ? INT64_MAX : l->now_ms + after;
    loop_heap_put(&l->timers, t);
}

void loop_timer_stop(loop *l, loop_timer *t)
{
    if (t->heap_at) loop_heap_take(&l->timers, t);
}

static void wake_late(void *ctx)
{
    flow_run *r = ctx;
    flow_wake(r->queue, r->self, FLOW_LATE);
}

void loop_wake_late(loop *l, loop_timer *t, int64_t after_ms, flow_run *r)
{
    loop_timer_start(l, t, after_ms, wake_late, r);
}

/* At most as many as were running before: a timer that restarts itself at once waits a turn. */
static void run_timers(loop *l)
{
    loop_timer *t;
    for (size_t most = l->timers.n; most && (t = loop_heap_first(&l->timers)); most--) {
        if (t->due_ms > l->now_ms) return;
        loop_heap_take(&l->timers, t);
        t->fn(t->ctx);
    }
}

/* Sockets */

static loop_watch *watch_take(loop *l)
{
    loop_watch *w = l->spare;
    if (w) {
        l->spare = w->next;
    } else {
        w = malloc(sizeof *w);
        if (!w) abort();
    }
    *w = (loop_watch){.next = l->watches};
    if (w->next) w->next->prev = w;
    l->watches = w;
    return w;
}

static bool watch_tell(const loop *l, loop_watch *w, int op)
{
    struct epoll_event ev = {.events = w->events, .data.ptr = w};
    if (epoll_ctl(l->epoll_fd, op, w->fd, &ev) == 0) return true;
    assert(errno == ENOMEM || errno == ENOSPC); /* anything else is a descriptor we mistook */
    return false;
}

loop_watch *loop_watch_fd(loop *l, int fd, uint32_t events, loop_watch_fn *fn, void *ctx)
{
    loop_watch *w = watch_take(l);
    w->fn = fn;
    w->ctx = ctx;
    w->fd = fd;
    w->events = events;
    w->stillborn = !watch_tell(l, w, EPOLL_CTL_ADD);
    if (w->stillborn) l->stillborn++;
    return w;
}

void loop_watch_change(loop *l, loop_watch *w, uint32_t events)
{
    assert(w->fn);
    bool armed = w->events == events && !(events & (EPOLLET | EPOLLONESHOT));
    w->events = events;
    if (armed || w->stillborn) return;
    if (!watch_tell(l, w, EPOLL_CTL_MOD)) abort(); /* a change needs no memory */
}

void loop_unwatch(loop *l, loop_watch *w)
{
    assert(w->fn);
    if (w->stillborn)
        l->stillborn--;
    else
        epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->fn = NULL;
    w->stillborn = false;
    if (w->prev)
        w->prev->next = w->next;
    else
        l->watches = w->next;
    if (w->next) w->next->prev = w->prev;
    w->next = l->buried;
    l->buried = w;
}

static void bury(loop *l)
{
    while (l->buried) {
        loop_watch *w = l->buried;
        l->buried = w->next;
        w->next = l->spare;
        l->spare = w;
    }
}

/* One at a time: the callback may take any watch away, also the next one. */
static void report_stillborn(loop *l)
{
    while (l->stillborn) {
        loop_watch *w = l->watches;
        while (w && !w->stillborn) w = w->next;
        if (!w) break;
        w->stillborn = false;
        l->stillborn--;
        w->fn(w->ctx, EPOLLERR | EPOLLHUP);
    }
}

static void run_sockets(loop *l, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        loop_watch *w = events[i].data.ptr;
        if (w && w->fn) w->fn(w->ctx, events[i].events);
    }
    if (l->stillborn) report_stillborn(l);
    bury(l);
}

/* Letters */

static void ring(const loop *l)
{
    uint64_t one = 1;
    ssize_t n;
    do n = write(l->event_fd, &one, sizeof one);
    while (n < 0 && errno == EINTR);
}

void loop_post(loop *to, letter *mail)
{
    letter *top = atomic_load_explicit(&to->mail, memory_order_relaxed);
    do mail->next = top;
    while (!atomic_compare_exchange_weak_explicit(&to->mail, &top, mail, memory_order_release,
                                                  memory_order_relaxed));
    if (!top) ring(to);
}

/* What has come, oldest first. */
static letter *open_mail(loop *l)
{
    if (!atomic_load_explicit(&l->mail, memory_order_relaxed)) return NULL;
    letter *newest = atomic_exchange_explicit(&l->mail, NULL, memory_order_acquire);
    letter *oldest = NULL;
    while (newest) {
        letter *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void run_letters(loop *l)
{
    for (letter *next, *m = open_mail(l); m; m = next) {
        next = m->next;
        m->deliver(m, l);
    }
}

void loop_stop(loop *l)
{
    int before = errno; /* a signal handler must leave it as it was */
    atomic_store(&l->stopping, true);
    ring(l);
    errno = before;
}

/* Turns */

void loop_on_turn(loop *l, loop_turn_fn *fn, void *ctx)
{
    if (l->hook_count == l->hook_cap) {
        l->hook_cap += 4; /* one or two a listener */
        l->hooks = reallocarray(l->hooks, l->hook_cap, sizeof *l->hooks);
        if (!l->hooks) abort();
    }
    l->hooks[l->hook_count++] = (hook){fn, ctx};
}

void loop_off_turn(loop *l, loop_turn_fn *fn, void *ctx)
{
    for (size_t i = 0; i < l->hook_count; i++) {
        if (l->hooks[i].fn == fn && l->hooks[i].ctx == ctx) l->hooks[i].fn = NULL;
    }
}

static int64_t run_hooks(loop *l)
{
    int64_t wait = -1;
    size_t kept = 0;
    for (size_t i = 0; i < l->hook_count; i++) {
        hook h = l->hooks[i];
        if (!h.fn) continue;
        int64_t want = h.fn(h.ctx);
        if (want >= 0 && (wait < 0 || want < wait)) wait = want;
    }
    for (size_t i = 0; i < l->hook_count; i++) {
        if (l->hooks[i].fn) l->hooks[kept++] = l->hooks[i];
    }
    l->hook_count = kept;
    return wait;
}

/* Everything that needs no waiting; returns how long the loop may sleep. */
static int sleep_for(loop *l)
{
    int64_t wait = -1;
    bool more = true;
    flow_queue_run(l->flows);
    for (int i = 0; more && i < ROUNDS; i++) {
        wait = run_hooks(l);
        more = flow_queue_run(l->flows);
    }
    bury(l);
    if (more || l->stillborn) return 0;
    const loop_timer *t = loop_heap_first(&l->timers);
    if (t) {
        int64_t due = t->due_ms > l->now_ms ? t->due_ms - l->now_ms : 0;
        if (wait < 0 || due < wait) wait = due;
    }
    return wait > LONGEST_MS ? LONGEST_MS : (int)wait;
}

void loop_run(loop *l)
{
    struct epoll_event events[BATCH];
    l->now_ms = clock_mono_ms();
    while (!atomic_load(&l->stopping)) {
        int n = epoll_wait(l->epoll_fd, events, BATCH, sleep_for(l));
        l->now_ms = clock_mono_ms();
        run_letters(l);
        run_sockets(l, events, n);
        run_timers(l);
    }
}

/* The usual letter */

typedef struct {
    letter head;
    handle who;
} wake_letter;

static void drop_wake(letter *self)
{
    free(self);
}

static void deliver_wake(letter *self, loop *at)
{
    flow_wake(at->flows, ((wake_letter *)(void *)self)->who, FLOW_WOKEN);
    free(self);
}

void loop_wake(loop *to, handle who)
{
    wake_letter *l = calloc(1, sizeof *l);
    if (!l) abort();
    *l = (wake_letter){{.deliver = deliver_wake, .drop = drop_wake}, who};
    loop_post(to, &l->head);
}

/* Birth and death */

loop *loop_new(unsigned worker)
{
    loop *l = calloc(1, sizeof *l);
    if (!l) abort();
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    if (l->epoll_fd < 0 || l->event_fd < 0 ||
        epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->event_fd, &ev)) {
        if (l->epoll_fd >= 0) close(l->epoll_fd);
        if (l->event_fd >= 0) close(l->event_fd);
        free(l);
        return NULL;
    }
    l->now_ms = clock_mono_ms();
    l->handles = handle_table_new(worker);
    l->flows = flow_queue_new(l->handles);
    return l;
}

static void free_watches(loop_watch *w)
{
    while (w) {
        loop_watch *next = w->next;
        free(w);
        w = next;
    }
}

void loop_free(loop *l)
{
    if (!l) return;
    for (letter *next, *m = open_mail(l); m; m = next) {
        next = m->next;
        m->drop(m);
    }
    free_watches(l->watches);
    free_watches(l->buried);
    free_watches(l->spare);
    flow_queue_free(l->flows);
    handle_table_free(l->handles);
    close(l->epoll_fd);
    close(l->event_fd);
    loop_heap_free(&l->timers);
    free(l->hooks);
    free(l);
}

int64_t loop_now_ms(const loop *l)
{
    return l->now_ms;
}
handle_table *loop_handles(loop *l)
{
    return l->handles;
}
flow_queue *loop_flows(loop *l)
{
    return l->flows;
}
