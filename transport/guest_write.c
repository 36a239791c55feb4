/* SPDX-License-Identifier: Apache-2.0 */
/* guest_write.c - bytes to a guest, and the end of an answer.
 *
 * A whole answer leaves in one send, head and body. What the socket does not take is sent when it
 * calls for more; only then is it watched for that at all, so that a connection that never fills
 * costs no wake-up for being empty. */
#include "exchange_private.h"
#include "socket_send.h"
#include <errno.h>
#include <sys/socket.h>

static struct iovec part(str s)
{
    union { /* an iovec wants a pointer to what it will not change */
        const char *in;
        void *out;
    } p = {.in = s.p};
    return (struct iovec){p.out, s.n};
}

static ssize_t transmit(guest *g, str first, str second)
{
    if (g->ssl) return guest_tls_send(g, first, second);
    struct iovec v[2] = {part(first), part(second)};
    ssize_t sent = socket_send(g->fd, first.n ? v : v + 1, first.n && second.n ? 2 : 1);
    if (sent >= 0) return sent;
    return errno == EAGAIN || errno == EINTR ? GUEST_AGAIN : GUEST_BROKEN;
}

void guest_wait_for_room(guest *g)
{
    g->blocked = true;
    if (g->watches_out) return;
    g->watches_out = true;
    loop_watch_change(server_loop(g->s), g->watch, EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET);
}

size_t guest_send(guest *g, str first, str second)
{
    if (g->blocked || g->dead) return 0;
    ssize_t sent = transmit(g, first, second);
    if (sent == GUEST_AGAIN) guest_wait_for_room(g);
    if (sent == GUEST_BROKEN) g->dead = true;
    if (sent <= 0) return 0;
    g->renewed = true;
    return (size_t)sent;
}

void guest_say(guest *g, str bytes)
{
    if (guest_send(g, bytes, (str){0}) != bytes.n) g->dead = true; /* it does not read */
}

/* True: the whole answer is sent. */
static bool flush_parts(guest *g)
{
    while (g->out[0].n || g->out[1].n) {
        size_t n = guest_send(g, g->out[0], g->out[1]);
        if (n == 0) return false;
        size_t of_head = n < g->out[0].n ? n : g->out[0].n;
        g->out[0] = str_drop(g->out[0], of_head);
        g->out[1] = str_drop(g->out[1], n - of_head);
    }
    return true;
}

static void finish(guest *g)
{
    const exchange *x = g->x;
    bool keep = x->keeps && !x->sated && !g->ended;
    exchange_finished(g->x, true);
    if (!keep)
        guest_hang_up(g);
    else if (g->owing)
        g->stage = GUEST_REST;
    else
        guest_next(g);
}

/* A client of HTTP/1.0 gets no chunks and would take the close for the end: a reset. */
void guest_cut(guest *g)
{
    static const struct linger at_once = {.l_onoff = 1};
    if (g->x->streamed && g->x->old_http) {
        (void)setsockopt(g->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        g->dead = true;
        return;
    }
    guest_hang_up(g);
}

static bool write_stream(guest *g)
{
    exchange *x = g->x;
    if (!stream_flush(x)) return g->dead;
    if (!x->bodiless && !x->out.ended) return false;
    if (x->out.failed && !x->bodiless)
        guest_cut(g);
    else
        finish(g);
    return true;
}

bool guest_write(guest *g)
{
    exchange *x = g->x;
    if (x->streamed) return write_stream(g);
    if (!g->begun) {
        g->begun = true;
        g->out[0] = x->reply_head;
        g->out[1] = x->bodiless ? (str){0} : x->reply_body;
    }
    if (!flush_parts(g)) return g->dead;
    finish(g);
    return true;
}
