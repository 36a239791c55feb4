/* SPDX-License-Identifier: Apache-2.0 */
/* tls_client.c - whom upstream connections believe: one OpenSSL context, made once, shared. */
#include "tls.h"
#include "tls_pem.h"
#include "tls_private.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls_client {
    SSL_CTX *ctx;
};

static const err *configure(arena *a, SSL_CTX *ctx, str ca_pem)
{
    static const unsigned char http11[] = "\x08http/1.1";
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(ctx, http11, sizeof http11 - 1) != 0) {
        return tls_pem_refused(a, "TLS for upstreams");
    }
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) return tls_pem_refused(a, "the system's CAs");
    ERR_clear_error();
    return ca_pem.n ? tls_pem_trust(a, ctx, ca_pem, "CA certificates") : NULL;
}

const err *tls_client_new(arena *a, str ca_pem, tls_client **out)
{
    *out = NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) return tls_pem_refused(a, "TLS for upstreams");
    const err *e = configure(a, ctx, ca_pem);
    if (e) {
        SSL_CTX_free(ctx);
        return e;
    }
    tls_client *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->ctx = ctx;
    *out = t;
    return NULL;
}

void tls_client_free(tls_client *t)
{
    if (!t) return;
    SSL_CTX_free(t->ctx);
    free(t);
}

SSL_CTX *tls_client_ctx(const tls_client *t)
{
    return t->ctx;
}
