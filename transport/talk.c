/* SPDX-License-Identifier: Apache-2.0 */
#include "talk.h"

#include "../base/clock.h"
#include "tls_private.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct talk {
    int fd;
    SSL *ssl; /* NULL: plain */
};

/* False: it is too late, or the wait failed. */
static bool wait_for(const talk *t, short events, int64_t until_ms)
{
    struct pollfd p = {.fd = t->fd, .events = events};
    for (;;) {
        int64_t left = until_ms - clock_mono_ms();
        if (left <= 0) return false;
        int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0) return true;
        if (n < 0 && errno != EINTR) return false;
    }
}

static const err *late(arena *a, const char *what)
{
    return err_new(a, ERR_TIMEOUT, "%s takes too long", what);
}

static const err *failed(arena *a, const char *what)
{
    char why[128];
    return err_new(a, ERR_UPSTREAM, "%s: %s", what, strerror_r(errno, why, sizeof why));
}

/* Plain */

static const err *plain_say(arena *a, const talk *t, str bytes, int64_t until_ms)
{
    while (bytes.n) {
        ssize_t n = send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n >= 0)
            bytes = str_drop(bytes, (size_t)n);
        else if (errno != EAGAIN && errno != EINTR)
            return failed(a, "sending");
        else if (!wait_for(t, POLLOUT, until_ms))
            return late(a, "sending");
    }
    return NULL;
}

static const err *plain_hear(arena *a, const talk *t, char *at, size_t room, int64_t until_ms,
                             size_t *n)
{
    for (;;) {
        ssize_t got = recv(t->fd, at, room, 0);
        if (got >= 0) {
            *n = (size_t)got;
            return NULL;
        }
        if (errno != EAGAIN && errno != EINTR) return failed(a, "receiving");
        if (!wait_for(t, POLLIN, until_ms)) return late(a, "an answer");
    }
}

/* TLS. What OpenSSL wants is waited for; anything else is the end. */

static const err *tls_wait(arena *a, const talk *t, int said, const char *what, int64_t until_ms)
{
    int want = SSL_get_error(t->ssl, said);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
        long verdict = SSL_get_verify_result(t->ssl);
        const char *why = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                                               : ERR_reason_error_string(ERR_peek_last_error());
        ERR_clear_error();
        return err_new(a, ERR_UPSTREAM, "%s: TLS: %s", what, why ? why : "the peer has ended");
    }
    ERR_clear_error();
    return wait_for(t, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until_ms) ? NULL
                                                                                 : late(a, what);
}

static const err *tls_greet(arena *a, talk *t, const talk_place *to, int64_t until_ms)
{
    t->ssl = SSL_new(tls_client_ctx(to->tls));
    if (!t->ssl || !tls_client_expect(t->ssl, to->host) || SSL_set_fd(t->ssl, t->fd) != 1)
        return err_new(a, ERR_BUG, "TLS cannot be set up");
    for (;;) {
        ERR_clear_error();
        int n = SSL_connect(t->ssl);
        if (n == 1) return NULL;
        const err *e = tls_wait(a, t, n, "connecting", until_ms);
        if (e) return e;
    }
}

static const err *tls_say(arena *a, const talk *t, str bytes, int64_t until_ms)
{
    while (bytes.n) {
        size_t n = 0;
        ERR_clear_error();
        int said = SSL_write_ex(t->ssl, bytes.p, bytes.n, &n);
        const err *e = said == 1 ? NULL : tls_wait(a, t, said, "sending", until_ms);
        if (e) return e;
        bytes = str_drop(bytes, n);
    }
    return NULL;
}

static const err *tls_hear(arena *a, const talk *t, char *at, size_t room, int64_t until_ms,
                           size_t *n)
{
    for (;;) {
        ERR_clear_error();
        int said = SSL_read_ex(t->ssl, at, room, n);
        if (said == 1) return NULL;
        *n = 0;
        if (SSL_get_error(t->ssl, said) == SSL_ERROR_ZERO_RETURN) return NULL;
        const err *e = tls_wait(a, t, said, "an answer", until_ms);
        if (e) return e;
    }
}

/* Opening */

static const err *connect_to(arena *a, talk *t, const struct addrinfo *at, int64_t until_ms)
{
    int on = 1, error = 0;
    socklen_t n = sizeof error;
    t->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->fd < 0) return failed(a, "connecting");
    (void)setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(t->fd, at->ai_addr, at->ai_addrlen) == 0) return NULL;
    if (errno != EINPROGRESS) return failed(a, "connecting");
    if (!wait_for(t, POLLOUT, until_ms)) return late(a, "connecting");
    (void)getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &n);
    errno = error;
    return error ? failed(a, "connecting") : NULL;
}

/* The first address that takes the connection. */
static const err *connect_any(arena *a, talk *t, const talk_place *to, int64_t until_ms)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    if (getaddrinfo(arena_dup(a, to->host).p, arena_fmt(a, "%u", to->port).p, &want, &found) != 0)
        return err_new(a, ERR_UPSTREAM, STR_FMT " does not resolve", STR_ARG(to->host));
    const err *e = NULL;
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        e = connect_to(a, t, at, until_ms);
        if (!e) break;
        if (t->fd >= 0) close(t->fd);
        t->fd = -1;
    }
    freeaddrinfo(found);
    return e;
}

const err *talk_open(arena *a, const talk_place *to, int64_t until_ms, talk **out)
{
    talk *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->fd = -1;
    const err *e = connect_any(a, t, to, until_ms);
    if (!e && to->tls) e = tls_greet(a, t, to, until_ms);
    if (e)
        talk_close(t);
    else
        *out = t;
    return e;
}

const err *talk_say(arena *a, talk *t, str bytes, int64_t until_ms)
{
    return t->ssl ? tls_say(a, t, bytes, until_ms) : plain_say(a, t, bytes, until_ms);
}

const err *talk_hear(arena *a, talk *t, char *at, size_t room, int64_t until_ms, size_t *n)
{
    return t->ssl ? tls_hear(a, t, at, room, until_ms, n) : plain_hear(a, t, at, room, until_ms, n);
}

void talk_close(talk *t)
{
    if (!t) return;
    SSL_free(t->ssl);
    if (t->fd >= 0) close(t->fd);
    free(t);
}
