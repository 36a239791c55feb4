/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - one worker thread: an epoll loop with timers, ready flows and letters.
 *
 * Each worker owns one loop; everything of a request happens on it, so nothing here takes a
 * lock but loop_post(), the only way across workers. Callbacks name handles, never pointers:
 * a timer or letter for a thing that is gone is dropped in silence.
 * The order of one turn: letters, socket events, timers, ready flows (until none is ready),
 * then the turn hooks (the front writes there), then wait.
 * Ownership: the loop owns its watches and timers. Threads: the owner's only, except
 * loop_post() and loop_stop(). */
#ifndef SP_LOOP_H
#define SP_LOOP_H
#include "../base/err.h"
#include "../base/flow.h"
#include "../base/handle.h"
#include <sys/epoll.h>

typedef struct loop loop;

loop *loop_new(unsigned worker);    /* NULL: the kernel has no descriptor left */
void loop_free(loop *l);            /* after loop_run has returned; drops undelivered letters */
void loop_run(loop *l);             /* until loop_stop */
void loop_stop(loop *l);            /* any thread, and signal-safe */
int64_t loop_now_ms(const loop *l); /* monotonic, read once a turn */
handle_table *loop_handles(loop *l);
flow_queue *loop_flows(loop *l);

/* Sockets. The callback may unwatch any watch, also its own: one that is gone gets no more events.
 * A watch the kernel has no memory for gets one EPOLLERR | EPOLLHUP instead. */
typedef struct loop_watch loop_watch;
typedef void loop_watch_fn(void *ctx, uint32_t events);
loop_watch *loop_watch_fd(loop *l, int fd, uint32_t events, loop_watch_fn *fn, void *ctx);
void loop_watch_change(loop *l, loop_watch *w, uint32_t events);
void loop_unwatch(loop *l, loop_watch *w); /* does not close the fd; call it before closing */

/* Timers. Intrusive: the struct lives in its owner, zeroed before first use; stopping twice is
 * fine. */
typedef struct loop_timer {
    int64_t due_ms;
    void (*fn)(void *ctx);
    void *ctx;
    size_t heap_at; /* private; 0: not running */
} loop_timer;
void loop_timer_start(loop *l, loop_timer *t, int64_t after_ms, void (*fn)(void *ctx),
                      void *ctx);             /* restarts a running one */
void loop_timer_stop(loop *l, loop_timer *t); /* must be called before the struct's memory goes */
/* The usual timer: wakes a flow with FLOW_LATE. */
void loop_wake_late(loop *l, loop_timer *t, int64_t after_ms, flow_run *r);

/* Letters: the memory belongs to the letter, and the letter to whoever holds it. `deliver` runs on
 * the receiving worker and must free it; `drop` frees it when the loop is gone. */
typedef struct letter {
    struct letter *next;
    void (*deliver)(struct letter *self, loop *at);
    void (*drop)(struct letter *self);
} letter;
void loop_post(loop *to, letter *mail); /* any thread */
void loop_wake(loop *to, handle who);   /* any thread: FLOW_WOKEN, by letter */

/* Called once a turn, before waiting; returns how long the loop may wait (ms), -1 for ever. */
typedef int64_t loop_turn_fn(void *ctx);
void loop_on_turn(loop *l, loop_turn_fn *fn, void *ctx);
void loop_off_turn(loop *l, loop_turn_fn *fn, void *ctx);
#endif
