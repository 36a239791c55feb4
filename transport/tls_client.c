/* SPDX-License-Identifier: Apache-2.0 */
/* tls_client.c - whom upstream connections believe: one OpenSSL context, made once, shared. */
#include "tls.h"
#include "tls_pem.h"
#include "tls_private.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
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

/* SNI only for names: RFC 6066 3 has no place for addresses. */
bool tls_client_expect(SSL *ssl, str expected)
{
    char host[256]; /* OpenSSL's macro wants it writable */
    unsigned char binary[16];
    (void)snprintf(host, sizeof host, STR_FMT, STR_ARG(expected));
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}
