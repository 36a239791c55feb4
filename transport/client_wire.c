/* SPDX-License-Identifier: Apache-2.0 */
/* client_wire.c - non-blocking connect, then perhaps a tunnel and a TLS handshake, then
 * bytes.
 *
 * The socket is watched once for input, output and hang-up, edge-triggered: no request costs an
 * epoll_ctl. Addresses are tried in the order the resolver gave them, beginning with the one that
 * worked last; one that refuses or is too slow gives way to the next. A certificate that is not
 * good ends the matter, though: another address would only hide it.
 *
 * TLS: the name is verified against the origin's host whatever the context says, and a stream
 * that ends without close_notify is broken, not ended, because a body that runs until the end of
 * the connection would otherwise be cut by anyone on the path without a trace. */
#include "client_wire.h"
#include "client_tunnel.h"
#include "socket_send.h"
#include "tls_private.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { RECORD = 16 * 1024 }; /* a TLS record's most */

static void connect_next(wire *w);

static void why(wire *w, const char *what, int error)
{
    const char *text = error ? strerrordesc_np(error) : NULL;
    (void)snprintf(w->why, sizeof w->why, "%s%s%s", what, text ? ": " : "", text ? text : "");
}

static const char *cannot(const wire *w)
{
    return origin_proxy(w->to) ? "cannot connect to the proxy" : "cannot connect";
}

static void wire_fail(wire *w)
{
    wire_close(w);
    w->state = WIRE_FAILED;
}

static void close_socket(wire *w)
{
    if (w->watch) loop_unwatch(w->l, w->watch);
    w->watch = NULL;
    if (w->ssl) SSL_free(w->ssl);
    w->ssl = NULL;
    tunnel_free(w->tunnel);
    w->tunnel = NULL;
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
}

void wire_close(wire *w)
{
    close_socket(w);
    if (w->to) origin_release(w->to);
    w->to = NULL;
}

/* Connecting */

static const struct sockaddr *address_at(const wire *w, socklen_t *size)
{
    unsigned i = (w->first + w->tried) % w->addresses.count;
    *size = w->addresses.size[i];
    return (const struct sockaddr *)&w->addresses.at[i];
}

/* False: this address will not do, *error says why. */
static bool connect_one(wire *w, int *error)
{
    socklen_t size;
    const struct sockaddr *to = address_at(w, &size);
    int on = 1;
    w->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *error = errno;
    if (w->fd < 0) return false;
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(w->fd, to, size) && errno != EINPROGRESS) {
        *error = errno;
        return false;
    }
    w->state = WIRE_CONNECTING;
    w->hung_up = false;
    w->watch = loop_watch_fd(w->l, w->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, w->fn, w->ctx);
    return true;
}

static void connect_next(wire *w)
{
    int error = 0;
    while (w->tried < w->addresses.count) {
        if (connect_one(w, &error)) return;
        why(w, cannot(w), error);
        close_socket(w);
        w->tried++;
    }
    wire_fail(w);
}

void wire_on(wire *w, loop_watch_fn *fn, void *ctx, buf *scratch)
{
    *w = (wire){.fd = -1, .fn = fn, .ctx = ctx, .scratch = scratch};
}

void wire_open(wire *w, loop *l, origin *to, unsigned first)
{
    assert(w->fn && w->fd < 0);
    w->l = l;
    w->to = to;
    origin_hold(to);
    origin_addresses_get(to, &w->addresses);
    w->first = first;
    w->tried = 0;
    if (w->addresses.count == 0)
        why(w, origin_proxy(to) ? "the proxy's name does not resolve" : "the name does not resolve",
            0);
    connect_next(w);
}

void wire_too_slow(wire *w)
{
    static const char *const late[] = {[WIRE_CONNECTING] = "connecting timed out",
                                       [WIRE_TUNNELLING] = "the proxy did not answer in time",
                                       [WIRE_GREETING] = "TLS handshake timed out"};
    assert(w->state <= WIRE_GREETING);
    why(w, late[w->state], 0);
    close_socket(w);
    w->tried++;
    connect_next(w);
}

unsigned wire_addresses_left(const wire *w)
{
    return w->addresses.count - w->tried;
}

unsigned wire_address(const wire *w)
{
    return (w->first + w->tried) % (w->addresses.count ? w->addresses.count : 1);
}

/* TLS */

static void tls_why(wire *w, const char *what)
{
    long verdict = SSL_get_verify_result(w->ssl);
    unsigned long code = ERR_peek_last_error();
    const char *text = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                       : code               ? ERR_reason_error_string(code)
                                            : NULL;
    (void)snprintf(w->why, sizeof w->why, "%s%s%s", what, text ? ": " : "", text ? text : "");
}

/* Versions, ALPN and modes are the context's (tls_private.h). */
static bool tls_begin(wire *w)
{
    w->ssl = SSL_new(origin_tls(w->to));
    if (!w->ssl) return false;
    SSL_set_verify(w->ssl, SSL_VERIFY_PEER, NULL);
    SSL_set_read_ahead(w->ssl, 1); /* a record's head and body in one recv */
    return tls_client_expect(w->ssl, origin_host(w->to)) && SSL_set_fd(w->ssl, w->fd) == 1;
}

static void tls_greet(wire *w)
{
    ERR_clear_error();
    int n = SSL_connect(w->ssl);
    int e = SSL_get_error(w->ssl, n);
    if (n == 1) {
        w->state = WIRE_OPEN;
    } else if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
        tls_why(w, "TLS handshake failed");
        wire_fail(w);
    }
}

/* There is a way to the origin itself. */
static void reached(wire *w)
{
    if (!origin_tls(w->to)) {
        w->state = WIRE_OPEN;
        return;
    }
    w->state = WIRE_GREETING;
    if (tls_begin(w)) {
        tls_greet(w);
        return;
    }
    why(w, "TLS cannot be set up", 0);
    wire_fail(w);
}

/* Another address of a proxy that refuses would refuse, too. */
static void tunnel_on(wire *w)
{
    switch (tunnel_advance(w->tunnel, w->fd)) {
    case TUNNEL_WAITS: return;
    case TUNNEL_OPEN:
        tunnel_free(w->tunnel);
        w->tunnel = NULL;
        reached(w);
        return;
    case TUNNEL_REFUSED: why(w, tunnel_why(w->tunnel), 0); wire_fail(w);
    }
}

static void connected(wire *w)
{
    if (!origin_proxy(w->to)) {
        reached(w);
        return;
    }
    w->state = WIRE_TUNNELLING;
    w->tunnel = tunnel_new(w->to);
    tunnel_on(w);
}

void wire_advance(wire *w, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) w->hung_up = true;
    if (w->state == WIRE_GREETING) tls_greet(w);
    if (w->state == WIRE_TUNNELLING) tunnel_on(w);
    if (w->state != WIRE_CONNECTING) return;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
    if (error || events & EPOLLERR) {
        why(w, cannot(w), error);
        close_socket(w);
        w->tried++;
        connect_next(w);
    } else if (events & EPOLLOUT) {
        connected(w);
    }
}

/* Bytes */

static ssize_t tls_result(wire *w, int n)
{
    int e = SSL_get_error(w->ssl, n);
    if (n > 0) return n;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return WIRE_AGAIN;
    if (e == SSL_ERROR_ZERO_RETURN) return WIRE_END;
    tls_why(w, "TLS connection broken");
    return WIRE_BROKEN;
}

ssize_t wire_read(wire *w, char *to, size_t n)
{
    if (w->ssl) {
        ERR_clear_error();
        return tls_result(w, SSL_read(w->ssl, to, n < INT32_MAX ? (int)n : INT32_MAX));
    }
    ssize_t got;
    do got = recv(w->fd, to, n, 0);
    while (got < 0 && errno == EINTR);
    if (got >= 0) return got;
    if (errno == EAGAIN) return WIRE_AGAIN;
    why(w, "connection broken", errno);
    return WIRE_BROKEN;
}

/* A head and a small body go in one record. What is gathered is the same at a second try, as
 * OpenSSL demands: the parts have not changed, and each call gathers as much as fits. */
static ssize_t tls_write(wire *w, const struct iovec *v, int n)
{
    str from = {v[0].iov_base, v[0].iov_len};
    if (n > 1 && from.n < RECORD) {
        w->scratch->n = 0;
        for (int i = 0; i < n; i++) {
            str part = {v[i].iov_base, v[i].iov_len};
            (void)buf_put(w->scratch, str_take(part, RECORD - w->scratch->n));
        }
        from = buf_str(w->scratch);
    }
    ERR_clear_error();
    return tls_result(w, SSL_write(w->ssl, from.p, from.n < RECORD ? (int)from.n : RECORD));
}

ssize_t wire_write(wire *w, struct iovec *v, int n)
{
    assert(n > 0);
    if (w->ssl) return tls_write(w, v, n);
    ssize_t sent;
    do sent = socket_send(w->fd, v, n);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return sent;
    if (errno == EAGAIN) return WIRE_AGAIN;
    why(w, "connection broken", errno);
    return WIRE_BROKEN;
}

bool wire_short_is_drained(const wire *w)
{
    return !w->ssl && !w->hung_up;
}

bool wire_is_quiet(wire *w)
{
    char byte;
    return !w->hung_up && wire_read(w, &byte, 1) == WIRE_AGAIN;
}
