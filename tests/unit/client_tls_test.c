/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* client_tls_test.c - whom the client believes, and that nothing else gets a byte. */
#include "call_habits.h"
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* TLS: an authority and leaves made here; the server is OpenSSL, blocking. */

typedef struct {
    EVP_PKEY *key;
    X509 *cert;
} identity;

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* names: "DNS:localhost,IP:127.0.0.1"; NULL makes an authority. days < 0: it has expired. */
static identity identity_new(const identity *issuer, const char *names, int days)
{
    identity me = {EVP_EC_gen("P-256"), X509_new()};
    assert_non_null(me.key);
    assert_non_null(me.cert);
    X509_set_version(me.cert, X509_VERSION_3);
    static atomic_int serial;
    ASN1_INTEGER_set(X509_get_serialNumber(me.cert), atomic_fetch_add(&serial, 1) + 1);
    X509_gmtime_adj(X509_getm_notBefore(me.cert), -864000L);
    X509_gmtime_adj(X509_getm_notAfter(me.cert), 86400L * days);
    X509_set_pubkey(me.cert, me.key);
    X509_NAME *name = X509_get_subject_name(me.cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)(names ? "leaf" : "authority"), -1, -1, 0);
    X509 *by = issuer ? issuer->cert : me.cert;
    X509_set_issuer_name(me.cert, X509_get_subject_name(by));
    add_extension(me.cert, by, NID_basic_constraints,
                  names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names) add_extension(me.cert, by, NID_subject_alt_name, names);
    assert_true(X509_sign(me.cert, issuer ? issuer->key : me.key, EVP_sha256()) > 0);
    return me;
}

static void identity_free(identity *me)
{
    EVP_PKEY_free(me->key);
    X509_free(me->cert);
}

struct tls_script {
    SSL_CTX *ctx;
    const char *answer;
    bool cut;     /* close without close_notify */
    size_t flood; /* bytes sent after the answer's text */
    atomic_int heard;
};

static bool tls_hear(SSL *ssl, char *in, size_t cap)
{
    size_t n = 0, body = 0;
    for (;;) {
        int k = SSL_read(ssl, in + n, (int)(cap - 1 - n));
        if (k <= 0) return false;
        n += (size_t)k;
        in[n] = 0;
        const char *end = strstr(in, "\r\n\r\n");
        if (!end) continue;
        const char *length = strstr(in, "Content-Length: ");
        if (length) body = strtoul(length + 16, NULL, 10);
        if (n >= (size_t)(end - in) + 4 + body) return true;
    }
}

static void tls_serve(int fd, int nth, server_fake *s)
{
    struct tls_script *script = s->ctx;
    char *in = malloc(1 << 20);
    SSL *ssl = SSL_new(script->ctx);
    (void)nth;
    SSL_set_fd(ssl, fd);
    if (in && SSL_accept(ssl) == 1) {
        while (tls_hear(ssl, in, 1 << 20)) {
            atomic_fetch_add(&script->heard, 1);
            if (SSL_write(ssl, script->answer, (int)strlen(script->answer)) <= 0) break;
            for (size_t sent = 0; sent < script->flood; sent += 16384)
                if (SSL_write(ssl, in, 16384) <= 0) break;
            if (script->cut) break;
        }
        if (!script->cut) (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    free(in);
}

static str pem_of(arena *a, X509 *cert)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    assert_int_equal(PEM_write_bio_X509(b, cert), 1);
    long n = BIO_get_mem_data(b, &p);
    str pem = arena_dup(a, (str){p, (size_t)n});
    BIO_free(b);
    return pem;
}

typedef struct {
    identity authority, leaf;
    struct tls_script script;
    server_fake s;
    arena *a;
    tls_client *trust;
    trial t;
} tls_trial;

static void tls_new(tls_trial *x, const char *names, int days, const char *host, bool trusted)
{
    *x = (tls_trial){0};
    x->a = arena_new();
    x->authority = identity_new(NULL, NULL, 10);
    x->leaf = identity_new(&x->authority, names, days);
    x->script.ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(x->script.ctx, x->leaf.cert);
    SSL_CTX_use_PrivateKey(x->script.ctx, x->leaf.key);
    x->script.answer = OK "Content-Length: 5\r\n\r\nhello";
    server_start(&x->s, tls_serve, &x->script);
    identity other = identity_new(NULL, NULL, 10);
    assert_null(
        tls_client_new(x->a, pem_of(x->a, trusted ? x->authority.cert : other.cert), &x->trust));
    identity_free(&other);
    char url[64];
    (void)snprintf(url, sizeof url, "https://%s:%u", host, x->s.port);
    trial_url(&x->t, url, x->trust);
}

static void tls_free(tls_trial *x)
{
    trial_free(&x->t);
    server_end(&x->s);
    tls_client_free(x->trust);
    SSL_CTX_free(x->script.ctx);
    identity_free(&x->leaf);
    identity_free(&x->authority);
    arena_free(x->a);
}

static void a_good_certificate_is_taken_and_the_connection_kept(void **st)
{
    (void)st;
    static const struct {
        const char *names, *host;
    } cases[] = {{"DNS:localhost", "localhost"},
                 {"IP:127.0.0.1", "127.0.0.1"},
                 {"DNS:x,DNS:LOCALHOST", "localhost"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tls_trial x;
        tls_new(&x, cases[i].names, 10, cases[i].host, true);
        x.t.want_ends = 3;
        x.t.on_end = again;
        x.t.rq.method = S("POST");
        x.t.rq.body[0] = S("one");
        x.t.rq.body[2] = S("two");
        trial_run(&x.t);
        assert_said(&x.t, "200[hello]ok200[hello]ok200[hello]ok");
        assert_int_equal(client_open(x.t.c), 1);
        assert_int_equal(atomic_load(&x.s.accepted), 1);
        tls_free(&x);
    }
}

static void a_doubtful_certificate_is_refused_before_a_byte_is_sent(void **st)
{
    (void)st;
    static const struct {
        const char *names, *host;
        int days;
        bool trusted;
        const char *why;
    } cases[] = {
        {"DNS:localhost", "localhost", 10, false, "certificate"},
        {"DNS:other.example", "localhost", 10, true, "ostname mismatch"},
        {"DNS:localhost", "127.0.0.1", 10, true, "IP address mismatch"},
        {"DNS:localhost", "localhost", -1, true, "expired"},
        {"DNS:l*", "localhost", 10, true, "ostname mismatch"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tls_trial x;
        tls_new(&x, cases[i].names, cases[i].days, cases[i].host, cases[i].trusted);
        trial_run(&x.t);
        assert_said_part(&x.t, "!upstream ");
        assert_said_part(&x.t, cases[i].why);
        assert_int_equal(atomic_load(&x.script.heard), 0);
        assert_int_equal(client_open(x.t.c), 0);
        tls_free(&x);
    }
}

static void a_cut_tls_stream_is_no_end(void **st)
{
    (void)st;
    for (int cut = 0; cut < 2; cut++) {
        tls_trial x;
        tls_new(&x, "DNS:localhost", 10, "localhost", true);
        x.script.answer = OK "Connection: close\r\n\r\nuntil close";
        x.script.cut = cut;
        if (!cut) x.script.answer = OK "Connection: close\r\nContent-Length: 3\r\n\r\nall";
        trial_run(&x.t);
        if (cut)
            assert_said_part(&x.t, "200[until close!upstream ");
        else
            assert_said(&x.t, "200[all]ok");
        tls_free(&x);
    }
}

static void much_goes_both_ways_over_tls(void **st)
{
    (void)st;
    char *big = calloc(1, 1000000);
    assert_non_null(big);
    tls_trial x;
    tls_new(&x, "DNS:localhost", 10, "localhost", true);
    x.script.answer = OK "Content-Length: 4194304\r\n\r\n";
    x.script.flood = 4194304;
    x.t.quiet = true;
    x.t.rq.method = S("POST");
    x.t.rq.body[0] = S("{");
    x.t.rq.body[1] = (str){big, 999998};
    x.t.rq.body[2] = S("}");
    x.t.want_ends = 2;
    x.t.on_end = again;
    x.t.on_data = pause_briefly;
    trial_run(&x.t);
    assert_said(&x.t, "");
    assert_int_equal(x.t.bytes, 2 * 4194304);
    assert_int_equal(atomic_load(&x.s.accepted), 1);
    tls_free(&x);
    free(big);
}

static void a_tls_server_that_never_greets_times_out(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, silent, NULL);
    arena *a = arena_new();
    tls_client *trust;
    assert_null(tls_client_new(a, (str){0}, &trust));
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u", s.port);
    trial t = {0};
    trial_url(&t, url, trust);
    t.rq.connect_ms = 150;
    trial_run(&t);
    assert_said_part(&t, "!timeout ");
    trial_free(&t);
    server_end(&s);
    tls_client_free(trust);
    arena_free(a);
}

static void an_https_origin_without_trust_is_our_mistake(void **st)
{
    (void)st;
    arena *a = arena_new();
    url_parts u;
    origin *o;
    assert_null(url_parse(a, S("https://127.0.0.1"), &u));
    const err *e = origin_new(a, &u, NULL, &o);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_BUG);
    arena_free(a);
}

int main(void)
{
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_is_taken_and_the_connection_kept),
        cmocka_unit_test(a_doubtful_certificate_is_refused_before_a_byte_is_sent),
        cmocka_unit_test(a_cut_tls_stream_is_no_end),
        cmocka_unit_test(much_goes_both_ways_over_tls),
        cmocka_unit_test(a_tls_server_that_never_greets_times_out),
        cmocka_unit_test(an_https_origin_without_trust_is_our_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
