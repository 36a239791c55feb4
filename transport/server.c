/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - a listener on one worker: who is let in, what is left for the end of a turn, the end.
 *
 * The listening socket is watched level-triggered, and only a few are accepted at a time, so that
 * a crowd at the door does not keep those inside waiting. At the limit, or when there is no
 * descriptor left, nobody is accepted until a guest has gone or the sweep comes by; the others
 * wait in the kernel's queue.
 *
 * A product's answer is not written where it is given: the caller may be deep inside the very
 * exchange. Its guest becomes due, and is run when the turn ends; what several flows write into
 * one stream in a turn leaves in one send. */
#include "server.h"
#include "../base/clock.h"
#include "exchange_private.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 8, ACCEPTS = 16, DEFAULT_HEADER = 12 * 1024, REPLY_HEAD_MOST = 64 * 1024 };

/* Letting in */

static void pause_accepting(server *s)
{
    s->paused = true;
    loop_watch_change(server_loop(s), s->watch, 0);
}

static void complain(const server *s)
{
    char why[80];
    int n = snprintf(why, sizeof why, "%m");
    if (!s->o.log || n < 0) return;
    log_fact facts[] = {{"text", {why, strlen(why)}}, {0}};
    log_say(s->o.log, LOG_WARN_LEVEL, "http front: nobody can be accepted", facts);
}

/* False: nobody has knocked, or nobody can be let in. */
static bool accept_one(server *s)
{
    struct sockaddr_storage from = {0};
    socklen_t n = sizeof from;
    if (s->connections >= s->limit) {
        pause_accepting(s);
        return false;
    }
    int fd = accept4(s->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        guest_begin(s, fd, (struct sockaddr *)&from);
        return true;
    }
    if (errno == EAGAIN) return false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        complain(s);
        pause_accepting(s);
        return false;
    }
    return true; /* that one has already left */
}

void server_accept(server *s)
{
    if (s->fd < 0) return;
    if (s->paused) loop_watch_change(server_loop(s), s->watch, EPOLLIN);
    s->paused = false;
    for (int i = 0; i < ACCEPTS && accept_one(s); i++) continue;
}

static void knocked(void *ctx, uint32_t events)
{
    (void)events;
    server_accept(ctx);
}

/* Turns */

static void run_due(server *s)
{
    guest **end = s->due_end; /* those that become due meanwhile wait for the next round */
    while (s->due) {
        guest *g = s->due;
        bool last = &g->due_next == end;
        s->due = g->due_next;
        if (!s->due) s->due_end = &s->due;
        g->due = false;
        guest_run(g);
        if (last) return;
    }
}

static int64_t turn(void *ctx)
{
    server *s = ctx;
    for (int i = 0; i < ROUNDS && (s->due || s->relieved); i++) {
        run_due(s);
        stream_relieve(s);
    }
    return s->due ? 0 : -1;
}

str server_date(server *s)
{
    int64_t now = clock_wall_ms() / 1000;
    if (now != s->date_s) {
        time_t at = (time_t)now;
        struct tm utc = {0};
        (void)gmtime_r(&at, &utc);
        (void)strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        s->date_s = now;
    }
    return (str){s->date, strlen(s->date)};
}

/* Life */

static server *create(const server_options *o, const server_listener *l, int fd)
{
    server *s = calloc(1, sizeof *s);
    if (!s || !(s->scratch = malloc(SERVER_SCRATCH))) abort();
    unsigned workers = o->workers ? o->workers : 1;
    s->o = *o;
    s->index = l->index;
    s->tls = l->tls;
    s->fd = fd;
    s->due_end = &s->due;
    s->head = buf_new(NULL, REPLY_HEAD_MOST);
    s->stream_spare = buf_new(NULL, SIZE_MAX);
    s->tls_record = buf_new(NULL, SERVER_SCRATCH);
    if (!s->o.limits.header_bytes) s->o.limits.header_bytes = DEFAULT_HEADER;
    s->limit = o->limits.connections ? o->limits.connections / workers : 10000;
    if (!s->limit) s->limit = 1;
    s->fresh.patience_ms = o->limits.header_timeout_ms;
    s->kept.patience_ms = s->moving.patience_ms = o->limits.idle_timeout_ms;
    return s;
}

const err *server_open(arena *a, const server_options *o, const server_listener *l, int fd,
                       server **out)
{
    static const int on = 1;
    *out = NULL;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) { /* inherited by its guests */
        const err *e = err_new(a, ERR_BUG, "listener " STR_FMT ": %m", STR_ARG(l->address));
        close(fd);
        return e;
    }
    server *s = create(o, l, fd);
    s->watch = loop_watch_fd(o->loop, fd, EPOLLIN, knocked, s);
    loop_on_turn(o->loop, turn, s);
    server_sweep_start(s);
    *out = s;
    return NULL;
}

static void stop_listening(server *s)
{
    if (s->fd < 0) return;
    loop_unwatch(server_loop(s), s->watch);
    close(s->fd);
    s->fd = -1;
}

void server_stop_accepting(server *s)
{
    if (s->draining) return;
    while (s->fd >= 0 && accept_one(s)) continue; /* those that already connected are served */
    s->draining = true;
    stop_listening(s);
    for (guest *g = s->guests; g; g = g->next) {
        if (g->x && g->x->streamed) exchange_wake(g->x, FLOW_STOP);
        if (g->x) continue;
        g->readable = true; /* a request may have come; if not, it is sent away */
        guest_due(g);
    }
}

size_t server_exchanges(const server *s)
{
    return s->exchanges;
}
size_t server_connections(const server *s)
{
    return s->connections;
}

void server_drop(server *s)
{
    if (s->live) return;
    exchange_pool_free(s);
    buf_free(&s->head);
    buf_free(&s->stream_spare);
    buf_free(&s->tls_record);
    free(s->scratch);
    free(s);
}

void server_close(server *s)
{
    if (!s) return;
    assert(!s->running);
    s->closed = true;
    s->live++; /* ending the last exchange must not free what we still need */
    stop_listening(s);
    while (s->guests) guest_end(s->guests);
    loop_off_turn(server_loop(s), turn, s);
    loop_timer_stop(server_loop(s), &s->sweep);
    stream_relieve(s);
    s->live--;
    server_drop(s);
}
