/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../transport/tls_private.h"
#include "raw_client.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/resource.h>

/* A certificate for `name` and localhost; signed by itself, or by another pair. */
typedef struct {
    X509 *x;
    EVP_PKEY *key;
    char certificate[4096], secret[4096];
} paper;

static void as_text(BIO *from, char *to, size_t size)
{
    int n = BIO_read(from, to, (int)size - 1);
    assert_true(n > 0);
    to[n] = 0;
    BIO_free(from);
}

static void extend(X509 *x, int what, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, what, value);
    assert_non_null(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static paper write_paper(const char *name, const paper *issuer)
{
    static long serial = 1;
    paper p = {.x = X509_new(), .key = EVP_EC_gen("P-256")};
    assert_true(p.x && p.key);
    X509_set_version(p.x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p.x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(p.x), -60);
    X509_gmtime_adj(X509_getm_notAfter(p.x), 3600);
    X509_set_pubkey(p.x, p.key);
    X509_NAME *subject = X509_get_subject_name(p.x);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(p.x, issuer ? X509_get_subject_name(issuer->x) : subject);
    extend(p.x, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
    extend(p.x, NID_subject_alt_name, "DNS:localhost");
    assert_true(X509_sign(p.x, issuer ? issuer->key : p.key, EVP_sha256()) > 0);
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, p.x);
    as_text(out, p.certificate, sizeof p.certificate);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, p.key, NULL, NULL, 0, NULL, NULL);
    as_text(out, p.secret, sizeof p.secret);
    return p;
}

static void burn(paper *p)
{
    X509_free(p->x);
    EVP_PKEY_free(p->key);
}

static str text(const char *s)
{
    return (str){s, strlen(s)};
}

typedef struct {
    arena *a;
    paper first, second;
    tls_server *t;
    rig *g;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->a = arena_new();
    f->first = write_paper("first", NULL);
    f->second = write_paper("second", NULL);
    assert_null(
        tls_server_new(f->a, text(f->first.certificate), text(f->first.secret), (str){0}, &f->t));
    f->g = rig_open((server_limits){.header_timeout_ms = 5000}, f->t);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    rig_close(f->g);
    tls_server_free(f->t);
    burn(&f->first);
    burn(&f->second);
    arena_free(f->a);
    free(f);
    return 0;
}

typedef struct {
    tls_client *trust;
    SSL *ssl;
    int fd;
} wire;

/* A connection that trusts `ca`; `me` is what it shows of itself. */
static wire connect_tls(fixture *f, const paper *ca, const paper *me, int most_version)
{
    wire w = {.fd = dial(f->g)};
    assert_null(tls_client_new(f->a, text(ca->certificate), &w.trust));
    w.ssl = SSL_new(tls_client_ctx(w.trust));
    assert_non_null(w.ssl);
    if (most_version) {
        SSL_set_min_proto_version(w.ssl, 0);
        SSL_set_max_proto_version(w.ssl, most_version);
    }
    if (me) {
        SSL_use_certificate(w.ssl, me->x);
        SSL_use_PrivateKey(w.ssl, me->key);
    }
    SSL_set_fd(w.ssl, w.fd);
    SSL_set1_host(w.ssl, "localhost");
    /* SSL_set_tlsext_host_name() casts const away, which clang sees */
    static char name[] = "localhost";
    SSL_ctrl(w.ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
    return w;
}

static void hang_up(wire *w)
{
    SSL_free(w->ssl);
    tls_client_free(w->trust);
    close(w->fd);
}

static bool utter(wire *w, const char *words)
{
    return SSL_write(w->ssl, words, (int)strlen(words)) > 0;
}

static bool exchange_words(wire *w, const char *request, const char *want)
{
    if (SSL_connect(w->ssl) != 1) return false;
    if (!utter(w, request)) return false;
    char heard[8192];
    size_t n = 0;
    while (n < sizeof heard - 1) {
        int k = SSL_read(w->ssl, heard + n, (int)(sizeof heard - 1 - n));
        if (k <= 0) break;
        n += (size_t)k;
        heard[n] = 0;
        if (strstr(heard, want)) return true;
    }
    return false;
}

static void requests_are_answered_over_tls_and_known_to_be_secure(void **state)
{
    fixture *f = *state;
    wire w = connect_tls(f, &f->first, NULL, 0);
    assert_true(exchange_words(&w, "GET /facts HTTP/1.1\r\nHost: a\r\n\r\n", "|1|1"));
    assert_true(utter(&w, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    char heard[256];
    assert_true(SSL_read(w.ssl, heard, sizeof heard) > 0);
    hang_up(&w);
}

static void the_client_does_not_believe_a_stranger_nor_a_wrong_name(void **state)
{
    fixture *f = *state;
    wire w = connect_tls(f, &f->second, NULL, 0);
    assert_false(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    assert_true(SSL_get_verify_result(w.ssl) != X509_V_OK);
    hang_up(&w);
    w = connect_tls(f, &f->first, NULL, 0);
    SSL_set1_host(w.ssl, "elsewhere.example");
    assert_false(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    assert_int_equal(SSL_get_verify_result(w.ssl), X509_V_ERR_HOSTNAME_MISMATCH);
    hang_up(&w);
}

static void old_versions_of_tls_are_refused(void **state)
{
    fixture *f = *state;
    wire w = connect_tls(f, &f->first, NULL, TLS1_2_VERSION);
    assert_true(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    hang_up(&w);
    w = connect_tls(f, &f->first, NULL, TLS1_1_VERSION);
    SSL_set_cipher_list(w.ssl, "ALL:@SECLEVEL=0");
    assert_false(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    hang_up(&w);
}

static void a_replaced_certificate_serves_new_connections_and_old_ones_go_on(void **state)
{
    fixture *f = *state;
    wire old = connect_tls(f, &f->first, NULL, 0);
    assert_true(exchange_words(&old, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    assert_null(
        tls_server_replace(f->a, f->t, text(f->second.certificate), text(f->second.secret)));
    wire fresh = connect_tls(f, &f->second, NULL, 0);
    assert_true(exchange_words(&fresh, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    char heard[512];
    assert_true(utter(&old, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(SSL_read(old.ssl, heard, sizeof heard) > 0);
    hang_up(&old);
    hang_up(&fresh);
}

static void a_pair_that_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    fixture *f = *state;
    assert_non_null(
        tls_server_replace(f->a, f->t, text(f->second.certificate), text(f->first.secret)));
    assert_non_null(tls_server_replace(f->a, f->t, S("nonsense"), text(f->first.secret)));
    assert_non_null(tls_server_replace(f->a, f->t, text(f->first.certificate), S("")));
    tls_server *t;
    assert_non_null(
        tls_server_new(f->a, text(f->first.certificate), text(f->first.secret), S("no CA"), &t));
    tls_client *c;
    assert_non_null(tls_client_new(f->a, S("no CA"), &c));
    wire w = connect_tls(f, &f->first, NULL, 0);
    assert_true(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    hang_up(&w);
}

static void with_a_client_ca_only_its_clients_come_in(void **state)
{
    fixture *f = *state;
    paper ca = write_paper("ca", NULL), member = write_paper("member", &ca);
    tls_server *t;
    assert_null(tls_server_new(f->a, text(f->first.certificate), text(f->first.secret),
                               text(ca.certificate), &t));
    fixture own = *f;
    own.g = rig_open((server_limits){0}, t);
    wire w = connect_tls(&own, &f->first, &member, 0);
    assert_true(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    hang_up(&w);
    w = connect_tls(&own, &f->first, NULL, 0);
    assert_false(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    hang_up(&w);
    w = connect_tls(&own, &f->first, &f->second, 0);
    assert_false(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    hang_up(&w);
    rig_close(own.g);
    tls_server_free(t);
    burn(&ca);
    burn(&member);
}

static void a_client_that_leaves_is_noticed_over_tls(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        wire w = connect_tls(f, &f->first, NULL, 0);
        int before = atomic_load(&f->g->gone);
        exchange_words(&w,
                       i ? "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n"
                         : "GET /abort HTTP/1.1\r\nHost: a\r\n\r\n",
                       i ? "data: 0" : "some");
        hang_up(&w);
        assert_true(rig_wait_for(&f->g->gone, before + 1, 100));
    }
}

static void an_early_refusal_is_read_over_tls_too(void **state)
{
    fixture *f = *state;
    wire w = connect_tls(f, &f->first, NULL, 0);
    assert_int_equal(SSL_connect(w.ssl), 1);
    static const char head[] =
        "POST /limit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n";
    assert_true(SSL_write(w.ssl, head, sizeof head - 1) > 0);
    for (int i = 0; i < 100 && SSL_write(w.ssl, f->g->big, 16384) > 0; i++) continue;
    char heard[512] = "";
    int n = SSL_read(w.ssl, heard, sizeof heard - 1);
    assert_true(n > 0 && strstr(heard, "HTTP/1.1 413"));
    hang_up(&w);
}

static void large_answers_and_uploads_pass_over_tls_without_pauses(void **state)
{
    fixture *f = *state;
    char head[128];
    int64_t began = clock_mono_ms();
    wire w = connect_tls(f, &f->first, NULL, 0);
    assert_int_equal(SSL_connect(w.ssl), 1);
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             1 << 20);
    assert_true(utter(&w, head));
    for (int sent = 0, k; sent < 1 << 20; sent += k) {
        k = SSL_write(w.ssl, f->g->big + sent, (1 << 20) - sent); /* a record at a time */
        assert_true(k > 0);
    }
    assert_true(utter(&w, "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    size_t n = 0;
    static char some[65536];
    for (int k; (k = SSL_read(w.ssl, some, sizeof some)) > 0;) n += (size_t)k;
    assert_true(n > BIG + (1 << 20));
    assert_true(clock_mono_ms() - began < 2000);
    hang_up(&w);
}

static long cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* Seen once, with another library: they made the worker spin. */
static void connections_that_never_say_hello_do_not_spin_the_worker(void **state)
{
    fixture *f = *state;
    static int fd[300];
    for (int i = 0; i < 300; i++) {
        fd[i] = dial(f->g);
        if (i % 3 == 1) say(fd[i], "\x16\x03\x01");                 /* the first bytes of a hello */
        if (i % 3 == 2) shutdown(fd[i], i % 2 ? SHUT_WR : SHUT_RD); /* or half gone */
    }
    wire w = connect_tls(f, &f->first, NULL, 0);
    assert_true(exchange_words(&w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello"));
    usleep(300000);
    long before = cpu_us();
    usleep(1000000);
    long used = cpu_us() - before;
    if (used > 50000) print_message("%ld us of CPU in a second\n", used);
    assert_true(used < 50000);
    hang_up(&w);
    for (int i = 0; i < 300; i++) close(fd[i]);
}

static void a_handshake_that_does_not_end_is_cut_by_the_header_timeout(void **state)
{
    fixture *f = *state;
    fixture own = *f;
    own.g = rig_open((server_limits){.header_timeout_ms = 200, .idle_timeout_ms = 60000}, f->t);
    int silent = dial(own.g), partial = dial(own.g);
    say(partial, "\x16\x03\x01\x02");
    int64_t began = clock_mono_ms();
    assert_true(ending(silent, 2000) <= 0);
    assert_true(ending(partial, 2000) <= 0);
    assert_true(clock_mono_ms() - began < 1500);
    close(silent);
    close(partial);
    rig_close(own.g);
}

static void plain_text_on_a_tls_port_is_closed(void **state)
{
    fixture *f = *state;
    int fd = dial(f->g);
    say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(ending(fd, 2000) <= 0);
    close(fd);
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(requests_are_answered_over_tls_and_known_to_be_secure),
        T(the_client_does_not_believe_a_stranger_nor_a_wrong_name),
        T(old_versions_of_tls_are_refused),
        T(a_replaced_certificate_serves_new_connections_and_old_ones_go_on),
        T(a_pair_that_does_not_fit_is_refused_and_changes_nothing),
        T(with_a_client_ca_only_its_clients_come_in),
        T(a_client_that_leaves_is_noticed_over_tls),
        T(an_early_refusal_is_read_over_tls_too),
        T(large_answers_and_uploads_pass_over_tls_without_pauses),
        T(connections_that_never_say_hello_do_not_spin_the_worker),
        T(a_handshake_that_does_not_end_is_cut_by_the_header_timeout),
        T(plain_text_on_a_tls_port_is_closed),
    };
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
