/* SPDX-License-Identifier: Apache-2.0 */
/* server_tls.c - TLS on the listener: GnuTLS inside libmicrohttpd, with our hands on the socket.
 *
 * libmicrohttpd (0.9.75) forgets to note that a handshake has read the socket dry: from the first
 * bytes of a ClientHello to the end of the handshake it claims to have work left, and a loop
 * that believes it spins. So the session's reads and writes go through here, and each byte that
 * moves counts as progress; a run that moved none and called nobody is not repeated until the
 * socket says so, or a growing while has passed (server.c). While the handshake lasts a dry
 * socket is not asked again before its own event, so that many waiting handshakes cost next to
 * nothing in the runs of others. (Only so long: afterwards libmicrohttpd takes "dry" at its word
 * and waits for an event of its own, which may have come first.) */
#include "exchange_private.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

static ssize_t moved(conn *c, gnutls_session_t session, ssize_t n)
{
    if (n > 0) c->s->progress = true;
    if (n < 0) gnutls_transport_set_errno(session, errno);
    return n;
}

static gnutls_session_t session_of(const conn *c)
{
    return MHD_get_connection_info(c->mc, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
}

static ssize_t pull(gnutls_transport_ptr_t ctx, void *to, size_t size)
{
    conn *c = ctx;
    if (c->dry) {
        gnutls_transport_set_errno(c->session, EAGAIN);
        return -1;
    }
    ssize_t n = recv(c->fd, to, size, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) c->dry = !c->greeted;
    return moved(c, c->session, n);
}

static int pull_timeout(gnutls_transport_ptr_t ctx, unsigned ms)
{
    const conn *c = ctx;
    struct pollfd at = {.fd = c->fd, .events = POLLIN};
    (void)ms; /* a worker never waits */
    return poll(&at, 1, 0);
}

static ssize_t push(gnutls_transport_ptr_t ctx, const giovec_t *parts, int count)
{
    enum { MOST = 64 };
    conn *c = ctx;
    struct iovec v[MOST];
    if (count > MOST) count = MOST; /* the rest is pushed again */
    for (int i = 0; i < count; i++) v[i] = (struct iovec){parts[i].iov_base, parts[i].iov_len};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)count};
    return moved(c, c->session, sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static int finished(gnutls_session_t session, unsigned message, unsigned when, unsigned incoming,
                    const gnutls_datum_t *text)
{
    conn *c = conn_of(gnutls_session_get_ptr(session));
    (void)message, (void)when, (void)text;
    if (!incoming || c->greeted) return 0;
    c->greeted = true;
    loop_watch_change(server_loop(c->s), c->watch, CONN_EVENTS);
    return 0;
}

void conn_begin_tls(conn *c)
{
    c->session = session_of(c);
    c->pair = tls_server_hold(c->s->tls);
    gnutls_transport_set_ptr(c->session, c);
    gnutls_transport_set_pull_function(c->session, pull);
    gnutls_transport_set_pull_timeout_function(c->session, pull_timeout);
    gnutls_transport_set_vec_push_function(c->session, push);
    gnutls_handshake_set_hook_function(c->session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       finished);
    if (tls_server_client_ca(c->s->tls)) tls_session_demand(c->session);
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
int conn_give_certificate(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                          const gnutls_pk_algorithm_t *kinds, int kind_count,
                          gnutls_pcert_st **chain, unsigned *count, gnutls_privkey_t *key)
{
    (void)issuers, (void)issuer_count, (void)kinds, (void)kind_count;
    conn *c = conn_of(gnutls_session_get_ptr(session));
    tls_pair_give(c->pair, chain, count, key);
    return 0;
}
