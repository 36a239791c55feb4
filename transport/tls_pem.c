/* SPDX-License-Identifier: Apache-2.0 */
/* tls_pem.c - reads PEM until there is no more of it; everything else is an error. */
#include "tls_pem.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

const err *tls_pem_refused(arena *a, const char *what)
{
    char why[160];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return err_new(a, ERR_MALFORMED, "%s: %s", what, why);
}

static BIO *reader(str pem)
{
    BIO *in = BIO_new_mem_buf(pem.n ? pem.p : "", pem.n < INT_MAX ? (int)pem.n : INT_MAX);
    if (!in) abort();
    ERR_clear_error();
    return in;
}

/* The reader always ends with an error: "no start line" is the good one. */
static bool at_end(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

const err *tls_pem_trust(arena *a, SSL_CTX *ctx, str pem, const char *what)
{
    BIO *in = reader(pem);
    size_t count = 0;
    bool stored = true;
    X509 *ca = NULL;
    while (stored && (ca = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL))) {
        stored = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) &&
                 SSL_CTX_add_client_CA(ctx, ca); /* whom a server names; a client does not */
        X509_free(ca);
        count++;
    }
    BIO_free(in);
    if (!stored || !at_end() || !count) return tls_pem_refused(a, what);
    ERR_clear_error();
    return NULL;
}

/* No passphrase. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the library's signature */
static int silent(char *to, int size, int writing, void *ctx)
{
    (void)to, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *read_key(str pem)
{
    BIO *in = reader(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, silent, NULL);
    BIO_free(in);
    return key;
}

/* The context's own certificate, or one of its chain. */
static bool show_one(SSL_CTX *ctx, X509 *certificate, EVP_PKEY *key, bool *shown)
{
    if (!*shown && X509_check_private_key(certificate, key) == 1) {
        *shown = true;
        return SSL_CTX_use_certificate(ctx, certificate) == 1;
    }
    ERR_clear_error(); /* of the check */
    return SSL_CTX_add1_chain_cert(ctx, certificate) == 1;
}

static const err *show_all(arena *a, SSL_CTX *ctx, str pem, EVP_PKEY *key)
{
    BIO *in = reader(pem);
    size_t count = 0;
    bool taken = true, shown = false;
    X509 *certificate = NULL;
    while (taken && (certificate = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        taken = ++count <= TLS_PEM_CHAIN_MOST && show_one(ctx, certificate, key, &shown);
        X509_free(certificate);
        if (taken) ERR_clear_error();
    }
    BIO_free(in);
    if (!taken || !at_end() || !count) return tls_pem_refused(a, "certificate");
    ERR_clear_error();
    return shown ? NULL : err_new(a, ERR_MALFORMED, "the private key is not the certificate's");
}

const err *tls_pem_show(arena *a, SSL_CTX *ctx, str certificate, str key)
{
    EVP_PKEY *private = read_key(key);
    if (!private) return tls_pem_refused(a, "private key");
    const err *e = show_all(a, ctx, certificate, private);
    if (!e && (SSL_CTX_use_PrivateKey(ctx, private) != 1 || SSL_CTX_check_private_key(ctx) != 1))
        e = tls_pem_refused(a, "private key");
    EVP_PKEY_free(private);
    return e;
}
