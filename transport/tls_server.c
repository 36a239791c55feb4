/* SPDX-License-Identifier: Apache-2.0 */
/* tls_server.c - a listener's certificate and key, replaceable while it serves.
 *
 * The pair is counted: the server holds the current one, each connection the one it began
 * with. The lock is taken once a connection, never for a request. */
#include "tls.h"
#include "tls_server_private.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct tls_pair {
    atomic_uint holders;
    gnutls_pcert_st chain[TLS_CHAIN];
    unsigned count;
    gnutls_privkey_t key;
};

typedef struct {
    pthread_mutex_t lock;
    tls_pair *pair;
} current;

struct tls_server {
    current *now;
    char *client_ca;
};

void tls_pair_drop(tls_pair *p)
{
    if (!p || atomic_fetch_sub(&p->holders, 1) != 1) return;
    for (unsigned i = 0; i < p->count; i++) gnutls_pcert_deinit(&p->chain[i]);
    if (p->key) gnutls_privkey_deinit(p->key);
    free(p);
}

void tls_pair_give(const tls_pair *p, gnutls_pcert_st **chain, unsigned *count,
                   gnutls_privkey_t *key)
{
    union {
        const gnutls_pcert_st *mine;
        gnutls_pcert_st *theirs; /* the library's type lacks a const it keeps */
    } view = {.mine = p->chain};
    *chain = view.theirs;
    *count = p->count;
    *key = p->key;
}

static bool as_datum(str pem, gnutls_datum_t *d)
{
    union {
        const char *mine;
        unsigned char *theirs;
    } view = {.mine = pem.p};
    if (!pem.n || pem.n > UINT_MAX) return false;
    *d = (gnutls_datum_t){.data = view.theirs, .size = (unsigned)pem.n};
    return true;
}

static const err *fill(arena *a, tls_pair *p, str certificate_pem, str key_pem)
{
    gnutls_datum_t certificate, key;
    if (!as_datum(certificate_pem, &certificate))
        return err_new(a, ERR_MALFORMED, "certificate: empty");
    if (!as_datum(key_pem, &key)) return err_new(a, ERR_MALFORMED, "private key: empty");
    unsigned count = TLS_CHAIN;
    int rc = gnutls_pcert_list_import_x509_raw(p->chain, &count, &certificate, GNUTLS_X509_FMT_PEM,
                                               GNUTLS_X509_CRT_LIST_SORT);
    if (rc < 0) return err_new(a, ERR_MALFORMED, "certificate: %s", gnutls_strerror(rc));
    p->count = count;
    rc = gnutls_privkey_init(&p->key);
    if (rc == 0) {
        rc = gnutls_privkey_import_x509_raw(p->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    }
    if (rc < 0) return err_new(a, ERR_MALFORMED, "private key: %s", gnutls_strerror(rc));
    return NULL;
}

static bool key_id(gnutls_pubkey_t key, unsigned char *id, size_t *size)
{
    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, size) == 0;
}

/* A key that does not fit the certificate would fail each handshake: better said at load. */
static const err *check_fit(arena *a, const tls_pair *p)
{
    unsigned char of_key[32], of_certificate[32];
    size_t n = sizeof of_key, m = sizeof of_certificate;
    gnutls_pubkey_t public = NULL;
    bool same = gnutls_pubkey_init(&public) == 0 &&
                gnutls_pubkey_import_privkey(public, p->key, 0, 0) == 0 &&
                key_id(public, of_key, &n) && key_id(p->chain[0].pubkey, of_certificate, &m) &&
                n == m && memcmp(of_key, of_certificate, n) == 0;
    if (public) gnutls_pubkey_deinit(public);
    return same ? NULL : err_new(a, ERR_MALFORMED, "the private key is not the certificate's");
}

static const err *pair_new(arena *a, str certificate_pem, str key_pem, tls_pair **out)
{
    tls_pair *p = calloc(1, sizeof *p);
    if (!p) abort();
    atomic_init(&p->holders, 1);
    const err *e = fill(a, p, certificate_pem, key_pem);
    if (!e) e = check_fit(a, p);
    if (e) {
        tls_pair_drop(p);
        return e;
    }
    *out = p;
    return NULL;
}

static const err *check_ca(arena *a, str pem)
{
    gnutls_datum_t d;
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    if (!as_datum(pem, &d)) return err_new(a, ERR_MALFORMED, "client CA: empty");
    int rc = gnutls_x509_crt_list_import2(&list, &count, &d, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0) return err_new(a, ERR_MALFORMED, "client CA: %s", gnutls_strerror(rc));
    for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return NULL;
}

const err *tls_server_new(arena *a, str certificate_pem, str key_pem, str client_ca_pem,
                          tls_server **out)
{
    *out = NULL;
    tls_pair *p = NULL;
    const err *e = client_ca_pem.n ? check_ca(a, client_ca_pem) : NULL;
    if (!e) e = pair_new(a, certificate_pem, key_pem, &p);
    if (e) return e;
    tls_server *t = calloc(1, sizeof *t);
    if (!t || !(t->now = calloc(1, sizeof *t->now))) abort();
    if (pthread_mutex_init(&t->now->lock, NULL)) abort();
    t->now->pair = p;
    if (client_ca_pem.n && !(t->client_ca = strndup(client_ca_pem.p, client_ca_pem.n))) abort();
    *out = t;
    return NULL;
}

const err *tls_server_replace(arena *a, tls_server *t, str certificate_pem, str key_pem)
{
    tls_pair *fresh = NULL;
    const err *e = pair_new(a, certificate_pem, key_pem, &fresh);
    if (e) return e;
    pthread_mutex_lock(&t->now->lock);
    tls_pair *old = t->now->pair;
    t->now->pair = fresh;
    pthread_mutex_unlock(&t->now->lock);
    tls_pair_drop(old);
    return NULL;
}

tls_pair *tls_server_hold(const tls_server *t)
{
    pthread_mutex_lock(&t->now->lock);
    tls_pair *p = t->now->pair;
    atomic_fetch_add(&p->holders, 1);
    pthread_mutex_unlock(&t->now->lock);
    return p;
}

void tls_server_free(tls_server *t)
{
    if (!t) return;
    tls_pair_drop(t->now->pair);
    pthread_mutex_destroy(&t->now->lock);
    free(t->now);
    free(t->client_ca);
    free(t);
}

const char *tls_server_client_ca(const tls_server *t)
{
    return t->client_ca;
}

static int verify_client(gnutls_session_t session)
{
    unsigned status = 0;
    int rc = gnutls_certificate_verify_peers3(session, NULL, &status);
    return rc < 0 || status ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

void tls_session_demand(gnutls_session_t session)
{
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_function(session, verify_client);
}
