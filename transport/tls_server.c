/* SPDX-License-Identifier: Apache-2.0 */
/* tls_server.c - a listener's certificate and key, replaceable while it serves.
 *
 * Each pair has an OpenSSL context of its own, which counts who uses it: the server holds the
 * current one, each connection the one it began with. The lock is taken once a connection, never
 * for a request.
 *
 * TLS 1.2 and newer. No session is kept here; a client may come back with a ticket, but where
 * clients must show a certificate each connection shows it again. */
#include "tls_pem.h"
#include "tls_server_private.h"
#include <pthread.h>
#include <stdlib.h>

typedef struct {
    pthread_mutex_t lock;
    SSL_CTX *ctx;
} current;

struct tls_server {
    current *now;
    char *client_ca; /* PEM; NULL: no client certificates */
};

static const err *demand_certificates(arena *a, SSL_CTX *ctx, str ca)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (SSL_CTX_set_num_tickets(ctx, 0) != 1) return tls_pem_refused(a, "TLS for clients");
    return tls_pem_trust(a, ctx, ca, "client CA");
}

static const err *configure(arena *a, SSL_CTX *ctx, str client_ca)
{
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 1); /* a record's head and body in one recv */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
        return tls_pem_refused(a, "TLS for clients");
    return client_ca.p ? demand_certificates(a, ctx, client_ca) : NULL;
}

static const err *context_new(arena *a, str certificate_pem, str key_pem, str client_ca,
                              SSL_CTX **out)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) return tls_pem_refused(a, "TLS for clients");
    const err *e = configure(a, ctx, client_ca);
    if (!e) e = tls_pem_show(a, ctx, certificate_pem, key_pem);
    if (e)
        SSL_CTX_free(ctx);
    else
        *out = ctx;
    return e;
}

const err *tls_server_new(arena *a, str certificate_pem, str key_pem, str client_ca_pem,
                          tls_server **out)
{
    *out = NULL;
    str ca = client_ca_pem.n ? client_ca_pem : (str){0};
    SSL_CTX *ctx = NULL;
    const err *e = context_new(a, certificate_pem, key_pem, ca, &ctx);
    if (e) return e;
    tls_server *t = calloc(1, sizeof *t);
    if (!t || !(t->now = calloc(1, sizeof *t->now))) abort();
    if (pthread_mutex_init(&t->now->lock, NULL)) abort();
    t->now->ctx = ctx;
    if (ca.n && !(t->client_ca = strndup(ca.p, ca.n))) abort();
    *out = t;
    return NULL;
}

const err *tls_server_replace(arena *a, tls_server *t, str certificate_pem, str key_pem)
{
    SSL_CTX *fresh = NULL;
    str ca = {t->client_ca, t->client_ca ? strlen(t->client_ca) : 0};
    const err *e = context_new(a, certificate_pem, key_pem, ca, &fresh);
    if (e) return e;
    pthread_mutex_lock(&t->now->lock);
    SSL_CTX *old = t->now->ctx;
    t->now->ctx = fresh;
    pthread_mutex_unlock(&t->now->lock);
    SSL_CTX_free(old);
    return NULL;
}

SSL *tls_server_begin(const tls_server *t)
{
    pthread_mutex_lock(&t->now->lock);
    SSL *ssl = SSL_new(t->now->ctx); /* holds the context */
    pthread_mutex_unlock(&t->now->lock);
    if (ssl) SSL_set_accept_state(ssl);
    return ssl;
}

void tls_server_free(tls_server *t)
{
    if (!t) return;
    SSL_CTX_free(t->now->ctx);
    pthread_mutex_destroy(&t->now->lock);
    free(t->now);
    free(t->client_ca);
    free(t);
}
