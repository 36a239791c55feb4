/* SPDX-License-Identifier: Apache-2.0 */
/* tls_client.c - whom upstream connections believe: one OpenSSL context, made once, shared. */
#include "tls.h"
#include "tls_private.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls_client {
    SSL_CTX *ctx;
};

static const err *refused(arena *a, const char *what)
{
    char why[160];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return err_new(a, ERR_MALFORMED, "%s: %s", what, why);
}

/* Every certificate of the text; a text without one is a mistake worth hearing of. */
static const err *trust(arena *a, SSL_CTX *ctx, str pem)
{
    if (pem.n > INT_MAX) return err_new(a, ERR_TOO_LARGE, "CA certificates over 2 GiB");
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!in) abort();
    size_t count = 0;
    bool stored = true;
    X509 *ca = NULL;
    while (stored && (ca = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL))) {
        stored = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
        X509_free(ca);
        count++;
    }
    BIO_free(in);
    /* The reader always ends with an error: "no start line" is the good one. */
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!stored || !at_end || !count) return refused(a, "CA certificates");
    ERR_clear_error();
    return NULL;
}

static const err *configure(arena *a, SSL_CTX *ctx, str ca_pem)
{
    static const unsigned char http11[] = "\x08http/1.1";
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(ctx, http11, sizeof http11 - 1) != 0) {
        return refused(a, "TLS for upstreams");
    }
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) return refused(a, "the system's CAs");
    ERR_clear_error();
    return ca_pem.n ? trust(a, ctx, ca_pem) : NULL;
}

const err *tls_client_new(arena *a, str ca_pem, tls_client **out)
{
    *out = NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) return refused(a, "TLS for upstreams");
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
