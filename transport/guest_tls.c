/* SPDX-License-Identifier: Apache-2.0 */
/* guest_tls.c - TLS on a guest's socket, with OpenSSL.
 *
 * The socket is non-blocking and edge-triggered like any other, so a handshake that waits costs
 * nothing until its socket calls, and the guest's patience ends it. Records are put together from
 * an answer's parts, at most 16 KiB; an idle connection gives its record buffers back (the
 * context's mode).
 * SIGPIPE must be ignored by the process: OpenSSL writes without MSG_NOSIGNAL. */
#include "exchange_private.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { RECORD = 16 * 1024 };

bool guest_tls_begin(guest *g)
{
    g->stage = GUEST_GREETING;
    g->ssl = tls_server_begin(g->s->tls);
    return g->ssl && SSL_set_fd(g->ssl, g->fd) == 1;
}

/* Why it did not go on: GUEST_AGAIN, or 0 for the peer's own end, or GUEST_BROKEN. */
static ssize_t judge(guest *g, int n)
{
    switch (SSL_get_error(g->ssl, n)) {
    case SSL_ERROR_WANT_READ: return GUEST_AGAIN;
    case SSL_ERROR_WANT_WRITE: guest_wait_for_room(g); return GUEST_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: g->tls_broken = true; return GUEST_BROKEN;
    }
}

bool guest_tls_greet(guest *g)
{
    if (!g->readable) return false;
    ERR_clear_error();
    int n = SSL_do_handshake(g->ssl);
    if (n == 1) {
        g->stage = GUEST_HEAD;
        return true;
    }
    g->readable = false;
    if (judge(g, n) == GUEST_AGAIN) return false;
    guest_hang_up(g);
    return true;
}

ssize_t guest_tls_recv(guest *g, char *to, size_t n)
{
    ERR_clear_error();
    int got = SSL_read(g->ssl, to, n < INT_MAX ? (int)n : INT_MAX);
    return got > 0 ? got : judge(g, got);
}

/* Both parts in one record, as far as it goes. */
static str as_record(server *s, str first, str second)
{
    buf *b = &s->tls_record;
    if (!first.n || !second.n || first.n >= RECORD) return first.n ? first : second;
    b->n = 0;
    (void)buf_put(b, first);
    (void)buf_put(b, str_take(second, RECORD - first.n));
    return buf_str(b);
}

ssize_t guest_tls_send(guest *g, str first, str second)
{
    str one = as_record(g->s, first, second);
    ERR_clear_error();
    int sent = SSL_write(g->ssl, one.p, one.n < INT_MAX ? (int)one.n : INT_MAX);
    if (sent > 0) return sent;
    ssize_t how = judge(g, sent);
    return how == 0 ? GUEST_BROKEN : how;
}

void guest_tls_bye(guest *g)
{
    if (!g->ssl || g->tls_broken || !SSL_is_init_finished(g->ssl)) return;
    ERR_clear_error();
    (void)SSL_shutdown(g->ssl); /* ours alone: nobody waits for the peer's */
}

void guest_tls_free(guest *g)
{
    SSL_free(g->ssl);
    g->ssl = NULL;
}
