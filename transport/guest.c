/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - a client's connection: one stage after another.
 *
 * The socket is watched once, edge-triggered, for the whole life. What it said is kept (readable,
 * blocked, hung_up), and guest_run() takes steps until none gets any further: so it does not
 * matter in which order bytes, hang-ups, answers and room to write come. A small request is one
 * recv and one send, in one run when nothing has to be waited for.
 *
 * As nginx does, a peer that closes its sending side is taken to have left, unless its answer is
 * already on its way.
 *
 * A socket closed with bytes unread is reset by the kernel, and the reset overtakes the answer. So
 * one that is closed before its request is over lingers: it is read to nowhere for a moment.
 *
 * BUDGET: reads and requests of one guest in one run; it is due again afterwards. */
#include "exchange_private.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUDGET = 16, LINGERERS = 256, EVENTS = EPOLLIN | EPOLLRDHUP };

/* Steps */

/* Waiting for the answer: has the client left meanwhile? Over TLS only reading tells. */
static bool waits(guest *g)
{
    exchange *x = g->x;
    bool looks_away = x->whole || !(exchange_takes_body(x) || x->full);
    if (g->ssl && looks_away && !g->unread.n) (void)guest_fill(g);
    if (!looks_away || !(g->hung_up || g->ended)) return false;
    guest_hang_up(g);
    return true;
}

/* A flow that ended without a reply would leave its client waiting for ever. */
static void own_up(exchange *x)
{
    log_fact facts[] = {{"path", x->path}, {0}};
    if (x->s->o.log) log_say(x->s->o.log, LOG_ERROR_LEVEL, "a request was not replied to", facts);
    exchange_reply(x, 500, NULL, S(""));
}

static bool answer(guest *g)
{
    exchange *x = g->x;
    if (x->flow && x->flow->over && !x->replied) own_up(x);
    if (x->cut) {
        guest_cut(g);
        return true;
    }
    if (x->replied && guest_write(g)) return true;
    return x->replied && (!x->streamed || x->out.ended) ? false : waits(g);
}

static bool step(guest *g)
{
    if (g->dead) {
        g->stage = GUEST_OVER;
        return false;
    }
    switch (g->stage) {
    case GUEST_GREETING: return guest_tls_greet(g);
    case GUEST_HEAD: return guest_read_head(g);
    case GUEST_BODY: return answer(g) || (g->stage == GUEST_BODY && guest_read_body(g));
    case GUEST_ANSWER: return answer(g);
    case GUEST_REST: return guest_read_rest(g);
    case GUEST_LINGER: return guest_linger(g);
    default: return false;
    }
}

void guest_run(guest *g)
{
    server *s = g->s;
    s->running = g;
    g->budget = BUDGET;
    g->renewed = false;
    g->unread = buf_str(&g->held);
    g->in_scratch = false;
    while (step(g)) continue;
    s->running = NULL;
    if (g->stage == GUEST_OVER) {
        guest_end(g);
        return;
    }
    guest_hold(g);
    guest_expect(g);
    if (!g->budget) guest_due(g);
}

void guest_due(guest *g)
{
    server *s = g->s;
    if (g->due || s->running == g) return; /* in the latter case its run will see it */
    g->due = true;
    g->due_next = NULL;
    *s->due_end = g;
    s->due_end = &g->due_next;
}

static void called(void *ctx, uint32_t events)
{
    guest *g = ctx;
    if (events & EPOLLRDHUP) g->hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP)) g->readable = true;
    if (events & EPOLLOUT) g->blocked = false;
    if (events & EPOLLOUT && g->ssl) g->readable = true; /* reading may have waited for room */
    if (events & EPOLLERR || (events & EPOLLHUP && g->stage != GUEST_LINGER)) g->dead = true;
    guest_run(g);
}

/* Life */

static void name_peer(guest *g, const struct sockaddr *from)
{
    const void *at = NULL;
    if (from->sa_family == AF_INET)
        at = &((const struct sockaddr_in *)(const void *)from)->sin_addr;
    else if (from->sa_family == AF_INET6)
        at = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    if (at) (void)inet_ntop(from->sa_family, at, g->peer, sizeof g->peer);
}

void guest_begin(server *s, int fd, const struct sockaddr *from)
{
    guest *g = calloc(1, sizeof *g);
    if (!g) abort();
    g->s = s;
    g->fd = fd;
    g->held = buf_new(NULL, SIZE_MAX);
    g->stage = GUEST_HEAD;
    name_peer(g, from);
    if (s->tls && !guest_tls_begin(g)) {
        guest_tls_free(g);
        close(fd);
        free(g);
        return;
    }
    g->next = s->guests;
    if (g->next) g->next->prev = g;
    s->guests = g;
    s->connections++;
    g->watch = loop_watch_fd(server_loop(s), fd, EVENTS | EPOLLET, called, g);
    guest_wait(g, &s->fresh);
}

void guest_next(guest *g)
{
    g->stage = GUEST_HEAD;
    g->renewed = true;
    g->owing = g->begun = false;
    g->swallowed = 0;
    g->scan = (h1_head_scan){0};
}

static bool must_linger(const guest *g)
{
    int unread = 0;
    if (g->s->closed || g->s->lingerers >= LINGERERS) return false;
    return g->owing || (ioctl(g->fd, FIONREAD, &unread) == 0 && unread > 0);
}

void guest_hang_up(guest *g)
{
    if (g->x) exchange_finished(g->x, false);
    g->stage = GUEST_OVER;
    if (g->dead) return;
    guest_tls_bye(g);
    if (!must_linger(g)) return;
    shutdown(g->fd, SHUT_WR);
    g->stage = GUEST_LINGER;
    g->swallowed = 0;
    g->readable = g->renewed = true;
    g->unread = (str){0};
    buf_free(&g->held);
    g->s->lingerers++;
    g->lingers = true;
}

static void no_longer_due(guest *g)
{
    server *s = g->s;
    guest **at = &s->due;
    while (*at != g) at = &(*at)->due_next;
    *at = g->due_next;
    if (!g->due_next) s->due_end = at;
}

void guest_end(guest *g)
{
    server *s = g->s;
    if (g->x) exchange_finished(g->x, false);
    if (g->due) no_longer_due(g);
    if (g->lingers) s->lingerers--;
    guest_wait(g, NULL);
    loop_unwatch(server_loop(s), g->watch);
    guest_tls_free(g);
    close(g->fd);
    if (g->prev)
        g->prev->next = g->next;
    else
        s->guests = g->next;
    if (g->next) g->next->prev = g->prev;
    s->connections--;
    buf_free(&g->held);
    free(g);
    if (s->paused && !s->closed) server_accept(s);
}
