/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_run.c - the main thread: waits for signals, for files that change, for workers that end,
 * and has renewed what clouds lend.
 *
 * Editors write a file in several steps; so a change is looked at once the directory has been
 * quiet for a moment. */
#include "../base/clock.h"
#include "gateway_private.h"
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { QUIET_MS = 100, QUIET_MOST_MS = 2000 };

typedef struct {
    gateway *g;
    bool draining;
    unsigned ended; /* workers */
    int64_t look_ms,
        first_ms; /* when to look at the files; when the first event came. 0: nothing happened */
} waiting;

static void say(gateway *g, const char *event)
{
    log_fact none[] = {{0}};
    log_say(g->log, LOG_INFO_LEVEL, event, none);
}

static void begin_drain(waiting *w)
{
    w->draining = true;
    say(w->g, "draining");
    admin_say_draining(w->g->admin);
    for (unsigned i = 0; i < w->g->house.count; i++) worker_drain(w->g->workers[i]);
}

static void take_signals(waiting *w)
{
    struct signalfd_siginfo one;
    while (read(w->g->o.signals, &one, sizeof one) == sizeof one) {
        bool ends = one.ssi_signo == SIGTERM || one.ssi_signo == SIGINT;
        if (ends && w->draining) _exit(128 + (int)one.ssi_signo);
        if (ends)
            begin_drain(w);
        else if (!w->draining) {
            audit_log_reopen(w->g->house.audit);
            gateway_reload(w->g);
        }
    }
}

static void take_changes(waiting *w)
{
    char events[4096] __attribute__((aligned(8)));
    bool any = false;
    while (read(w->g->inotify, events, sizeof events) > 0) any = true;
    int64_t now = clock_mono_ms();
    if (!any) return;
    if (!w->first_ms) w->first_ms = now;
    w->look_ms = now + QUIET_MS;
    if (w->look_ms > w->first_ms + QUIET_MOST_MS) w->look_ms = w->first_ms + QUIET_MOST_MS;
}

static void look_at_files(waiting *w)
{
    w->look_ms = w->first_ms = 0;
    if (!w->draining && w->g->o.file.p && files_changed(w->g->read)) gateway_reload(w->g);
}

static void take_ended(waiting *w)
{
    uint64_t n = 0;
    if (read(w->g->house.done, &n, sizeof n) == sizeof n) w->ended += (unsigned)n;
}

int gateway_run(gateway *g)
{
    /* what changed after it was read and before it was watched gave no event */
    waiting w = {.g = g, .look_ms = clock_mono_ms() + QUIET_MS};
    struct pollfd fds[] = {{.fd = g->o.signals, .events = POLLIN},
                           {.fd = g->inotify, .events = POLLIN},
                           {.fd = g->house.done, .events = POLLIN}};
    while (w.ended < g->house.count) {
        int64_t left = w.look_ms ? w.look_ms - clock_mono_ms() : -1;
        if (w.look_ms && left <= 0) {
            look_at_files(&w);
            continue;
        }
        int64_t again = w.draining ? -1 : leases_tend(g->house.lent);
        if (again >= 0 && (left < 0 || again < left)) left = again;
        if (poll(fds, 3, (int)left) <= 0) continue;
        if (fds[0].revents) take_signals(&w);
        if (fds[1].revents) take_changes(&w);
        if (fds[2].revents) take_ended(&w);
    }
    say(g, "stopped");
    return 0;
}
