/* SPDX-License-Identifier: Apache-2.0 */
/* server_conn.c - client sockets: who left, who dawdles, and closing without losing the answer.
 *
 * libmicrohttpd does not look at a suspended connection, so each socket is also registered once
 * in the worker's own epoll, for the peer's close alone. As nginx does, a peer that closes its
 * sending side is taken to have left, unless its answer is already on its way.
 *
 * A connection that owes a request head stands in one of two lists, ordered by age: fresh ones
 * have `header_timeout` (a TLS handshake included), kept ones `idle_timeout` more. One timer
 * looks at the oldest of each. libmicrohttpd's own timeout sees only silence: it cuts stalled
 * bodies and readers, and leaves suspended connections alone, so streams may live for ever.
 *
 * A socket closed with bytes unread is reset by the kernel, and the reset overtakes the answer.
 * Such a socket is duplicated before libmicrohttpd closes it; the duplicate is read to nowhere for
 * a moment, then closed. */
#include "exchange_private.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h> /* glibc's tcp_info is shorter */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINGER_MS = 2000,
    LINGER_BYTES = 4 << 20,
    LINGERERS = 256,
    RAW_MOST = 32 * 1024,
    DOUBT_MS = 500
};

struct lingerer {
    server *s;
    lingerer *prev, *next;
    loop_watch *watch;
    loop_timer end;
    int fd;
    size_t left;
};

/* Lingering */

static void linger_end(void *ctx)
{
    lingerer *g = ctx;
    loop *l = server_loop(g->s);
    if (g->prev)
        g->prev->next = g->next;
    else
        g->s->lingering = g->next;
    if (g->next) g->next->prev = g->prev;
    g->s->lingerers--;
    loop_timer_stop(l, &g->end);
    loop_unwatch(l, g->watch);
    close(g->fd);
    free(g);
}

static void linger_read(void *ctx, uint32_t events)
{
    lingerer *g = ctx;
    char nowhere[16 * 1024];
    ssize_t n = recv(g->fd, nowhere, sizeof nowhere, MSG_DONTWAIT);
    if (n < 0 && !(events & (EPOLLERR | EPOLLHUP))) return;
    if (n <= 0 || (size_t)n > g->left) {
        linger_end(g);
        return;
    }
    g->left -= (size_t)n;
}

static void linger_start(server *s, int of)
{
    int fd = s->lingerers < LINGERERS ? fcntl(of, F_DUPFD_CLOEXEC, 3) : -1;
    if (fd < 0) return;
    shutdown(fd, SHUT_WR); /* after TLS, libmicrohttpd leaves that out */
    lingerer *g = calloc(1, sizeof *g);
    if (!g) abort();
    *g = (lingerer){.s = s, .next = s->lingering, .fd = fd, .left = LINGER_BYTES};
    if (g->next) g->next->prev = g;
    s->lingering = g;
    s->lingerers++;
    g->watch = loop_watch_fd(server_loop(s), fd, EPOLLIN | EPOLLRDHUP, linger_read, g);
    loop_timer_start(server_loop(s), &g->end, LINGER_MS, linger_end, g);
}

void conn_linger_free(server *s)
{
    for (lingerer *next, *g = s->lingering; g; g = next) {
        next = g->next;
        linger_end(g);
    }
}

/* Words past libmicrohttpd */

static enum MHD_Result put_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    buf *b = cls;
    (void)kind;
    if (!strcasecmp(key, "connection")) return MHD_YES;
    buf_fmt(b, "%s: %s\r\n", key, value ? value : "");
    return MHD_YES;
}

static void send_now(conn *c, str bytes)
{
    /* A short write is a client that does not read: it gets what it can take. */
    if (c->session)
        (void)gnutls_record_send(c->session, bytes.p, bytes.n);
    else
        (void)send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void conn_send_raw(conn *c, int status, struct MHD_Response *headers, str body)
{
    const char *reason = MHD_get_reason_phrase_for((unsigned)status);
    buf b = buf_new(NULL, RAW_MOST);
    buf_fmt(&b, "HTTP/1.1 %d %s\r\n", status, reason ? reason : "");
    if (headers)
        MHD_get_response_headers(headers, put_header, &b);
    else
        buf_put(&b, S("Content-Type: application/json\r\n"));
    buf_fmt(&b, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.n);
    buf_put(&b, body);
    if (buf_ok(&b)) send_now(c, buf_str(&b));
    buf_free(&b);
}

void conn_stop_reading(conn *c)
{
    c->shut = true;
    shutdown(c->fd, SHUT_RD); /* libmicrohttpd reads an end of file and closes */
    c->s->must_run = true;
}

/* Patience */

void conn_wait(conn *c, waiting *in)
{
    if (c->in) {
        if (c->older)
            c->older->newer = c->newer;
        else
            c->in->first = c->newer;
        if (c->newer)
            c->newer->older = c->older;
        else
            c->in->last = c->older;
    }
    c->in = in;
    c->older = c->newer = NULL;
    if (!in) return;
    c->waits_since_ms = loop_now_ms(server_loop(c->s));
    c->older = in->last;
    if (in->last)
        in->last->newer = c;
    else
        in->first = c;
    in->last = c;
}

static bool has_said_something(const conn *c)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 && info.tcpi_bytes_received > 0;
}

static void sweep_list(waiting *list, int64_t now)
{
    for (conn *c; list->patience_ms && (c = list->first);) {
        if (now - c->waits_since_ms < list->patience_ms) return;
        if (list == &c->s->fresh && !c->s->tls && has_said_something(c)) {
            conn_send_raw(c, refusal_timeout.status, NULL, refusal_timeout.body);
        }
        conn_wait(c, NULL);
        conn_stop_reading(c);
    }
}

static void sweep(void *ctx)
{
    server *s = ctx;
    int64_t now = loop_now_ms(server_loop(s));
    sweep_list(&s->fresh, now);
    sweep_list(&s->kept, now);
    conn_sweep_start(s);
}

void conn_sweep_start(server *s)
{
    int64_t every = s->fresh.patience_ms ? s->fresh.patience_ms / 4 : 1000;
    if (every > 1000) every = 1000;
    loop_timer_start(server_loop(s), &s->sweep, every < 5 ? 5 : every, sweep, s);
}

/* Life */

static void lose(conn *c)
{
    if (!c->x->suspended) shutdown(c->fd, SHUT_RDWR); /* wakes a blocked write */
    exchange_lost(c->x);
}

/* Bytes and the end that came at once are one event: libmicrohttpd reads the bytes and then waits
 * for another, so nobody would tell it of the end. */
static void still_reading(void *ctx)
{
    conn *c = ctx;
    exchange *x = c->x;
    if (!x || x->whole || x->cut) return;
    size_t come = x->given + x->body.n + x->swallowed;
    if (x->full || come != x->doubted)
        conn_doubt(c);
    else
        lose(c);
}

void conn_doubt(conn *c)
{
    exchange *x = c->x;
    x->doubted = x->given + x->body.n + x->swallowed;
    loop_timer_start(server_loop(c->s), &x->doubt, DOUBT_MS, still_reading, c);
}

static void called(void *ctx, uint32_t events)
{
    conn *c = ctx;
    bool dead = events & (EPOLLERR | EPOLLHUP);
    if (c->dry) c->s->must_run = true;
    c->dry = false;
    if (!dead && (c->shut || !(events & EPOLLRDHUP))) return;
    c->gone = true;
    exchange *x = c->x;
    if (!x || !x->announced) return; /* libmicrohttpd reads it, in its place */
    if (!x->whole && !x->held) {     /* likewise: body bytes may stand before the end */
        conn_doubt(c);
        return;
    }
    if (x->replied && !x->streamed) return; /* it may still read */
    lose(c);
}

static void name_peer(conn *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *any = info ? info->client_addr : NULL;
    if (!any) return;
    if (any->sa_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)any;
        inet_ntop(AF_INET, &in4->sin_addr, c->peer, sizeof c->peer);
    } else if (any->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)any;
        inet_ntop(AF_INET6, &in6->sin6_addr, c->peer, sizeof c->peer);
    }
}

conn *conn_of(struct MHD_Connection *mc)
{
    return MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static conn *begin(server *s, struct MHD_Connection *mc)
{
    static const int on = 1;
    conn *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->s = s;
    c->mc = mc;
    c->fd = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    name_peer(c);
    if (s->tls) conn_begin_tls(c);
    c->next = s->conns;
    if (c->next) c->next->prev = c;
    s->conns = c;
    s->connections++;
    uint32_t events = CONN_EVENTS | (s->tls ? EPOLLIN : 0);
    c->watch = loop_watch_fd(server_loop(s), c->fd, events, called, c);
    conn_wait(c, &s->fresh);
    return c;
}

static bool must_linger(const conn *c)
{
    int unread = 0;
    if (c->gone || c->s->closed) return false;
    return c->unread || (ioctl(c->fd, FIONREAD, &unread) == 0 && unread > 0);
}

/* libmicrohttpd closes the socket right after this. */
static void end(conn *c)
{
    server *s = c->s;
    if (c->x) exchange_finished(c->x, false);
    conn_wait(c, NULL);
    loop_unwatch(server_loop(s), c->watch);
    if (must_linger(c)) linger_start(s, c->fd);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next) c->next->prev = c->prev;
    if (s->connections-- >= s->limit) s->must_run = true; /* it may accept again */
    tls_pair_drop(c->pair);
    free(c);
}

void conn_notify(void *cls, struct MHD_Connection *mc, void **at,
                 enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *at = begin(cls, mc);
    } else if (*at) {
        end(*at);
        *at = NULL;
    }
}
