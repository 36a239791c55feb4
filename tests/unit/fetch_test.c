/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_test.c - where a fetch may go, what it takes along, and how much it takes in. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../base/clock.h"
#include "../../transport/client.h"
#include "../../transport/fetch_guard.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that answers by path; every answer closes. */
typedef struct {
    int fd;
    unsigned port, other_port; /* other_port: where /away leads */
    pthread_t thread;
    atomic_int accepted;
    char last[65536]; /* the last request */
} fake;

static void answer(fake *f, int fd, const char *path)
{
    static char big[3 << 20];
    char out[1024];
    const char *redirect = NULL;
    char away[64];
    (void)snprintf(away, sizeof away, "http://127.0.0.1:%u/last", f->other_port);
    if (strncmp(path, "/hop", 4) == 0)
        redirect = path[4] > '1' ? (path[4] == '4'   ? "/hop3"
                                    : path[4] == '3' ? "/hop2"
                                                     : "hop1")
                                 : "/last";
    if (strncmp(path, "/away", 5) == 0) redirect = away;
    if (strncmp(path, "/file", 5) == 0) redirect = "file:///etc/passwd";
    if (strncmp(path, "/user", 5) == 0) redirect = "http://u:p@127.0.0.1/";
    if (redirect) {
        (void)snprintf(out, sizeof out,
                       "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 3\r\nConnection: "
                       "close\r\n\r\nhop",
                       redirect);
        (void)send(fd, out, strlen(out), MSG_NOSIGNAL);
    } else if (strncmp(path, "/big", 4) == 0) { /* no length: found out on the way */
        (void)snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        (void)send(fd, out, strlen(out), MSG_NOSIGNAL);
        (void)send(fd, big, sizeof big, MSG_NOSIGNAL);
    } else if (strncmp(path, "/slow", 5) == 0) {
        (void)usleep(600000);
    } else {
        (void)snprintf(out, sizeof out,
                       "HTTP/1.1 %s\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
                       strncmp(path, "/none", 5) == 0 ? "404 Not Found" : "200 OK");
        (void)send(fd, out, strlen(out), MSG_NOSIGNAL);
    }
}

static void *fake_main(void *arg)
{
    fake *f = arg;
    for (;;) {
        int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) return NULL;
        atomic_fetch_add(&f->accepted, 1);
        size_t n = 0;
        for (;;) {
            ssize_t k = recv(fd, f->last + n, sizeof f->last - 1 - n, 0);
            if (k <= 0) break;
            n += (size_t)k;
            f->last[n] = 0;
            const char *end = strstr(f->last, "\r\n\r\n");
            if (end && (strncmp(f->last, "POST", 4) != 0 || end[4])) break;
        }
        const char *path = strchr(f->last, ' ');
        if (n && path) answer(f, fd, path + 1);
        close(fd);
    }
}

static void fake_start(fake *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    *f = (fake){0};
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(f->fd, 16), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&at, &n), 0);
    f->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&f->thread, NULL, fake_main, f), 0);
}

static void fake_end(fake *f)
{
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
}

typedef struct {
    arena *a;
    fake f;
} trial;

static int setup(void **s)
{
    trial *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->a = arena_new();
    fake_start(&t->f);
    *s = t;
    return 0;
}

static int teardown(void **s)
{
    trial *t = *s;
    fake_end(&t->f);
    arena_free(t->a);
    free(t);
    return 0;
}

static str at(trial *t, const char *path)
{
    return arena_fmt(t->a, "http://127.0.0.1:%u%s", t->f.port, path);
}

static const header credentials[] = {{S("Authorization"), S("Bearer secret")},
                                     {S("X-Empty"), S("")},
                                     {{0}, {0}}};

static void a_document_is_fetched(void **s)
{
    trial *t = *s;
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = at(t, "/doc?x=1"), .headers = credentials, .allow_private = true};
    assert_null(fetch(t->a, &rq, &status, &body));
    assert_int_equal(status, 200);
    assert_true(str_eq(body, S("hello")));
    assert_non_null(strstr(t->f.last, "GET /doc?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(t->f.last, "Authorization: Bearer secret\r\n"));
    assert_non_null(strstr(t->f.last, "X-Empty:"));
    rq.url = at(t, "/none");
    assert_null(fetch(t->a, &rq, &status, &body));
    assert_int_equal(status, 404);
}

static void a_post_is_sent_and_never_redirected(void **s)
{
    trial *t = *s;
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = at(t, "/token"),
                        .post_body = S("grant_type=x"),
                        .allow_private = true};
    assert_null(fetch(t->a, &rq, &status, &body));
    assert_int_equal(status, 200);
    assert_non_null(strstr(t->f.last, "POST /token HTTP/1.1\r\n"));
    assert_non_null(strstr(t->f.last, "\r\n\r\ngrant_type=x"));
    assert_null(strstr(t->f.last, "Expect"));
    rq.url = at(t, "/hop1");
    assert_non_null(fetch(t->a, &rq, &status, &body));
}

static void redirects_are_followed_three_times(void **s)
{
    trial *t = *s;
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = at(t, "/hop3"), .headers = credentials, .allow_private = true};
    assert_null(fetch(t->a, &rq, &status, &body));
    assert_int_equal(status, 200);
    assert_true(str_eq(body, S("hello")));
    assert_non_null(strstr(t->f.last, "GET /last "));
    assert_non_null(strstr(t->f.last, "Authorization: ")); /* the same host all the way */
    int before = atomic_load(&t->f.accepted);
    rq.url = at(t, "/hop4");
    const err *e = fetch(t->a, &rq, &status, &body);
    assert_non_null(e);
    assert_int_equal(atomic_load(&t->f.accepted), before + 4);
}

static void a_redirect_elsewhere_takes_no_credentials(void **s)
{
    trial *t = *s;
    fake other;
    fake_start(&other);
    t->f.other_port = other.port;
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = at(t, "/away"), .headers = credentials, .allow_private = true};
    assert_null(fetch(t->a, &rq, &status, &body));
    assert_non_null(strstr(other.last, "GET /last "));
    assert_null(strstr(other.last, "Authorization"));
    fake_end(&other);
}

static void a_redirect_to_another_scheme_is_refused(void **s)
{
    trial *t = *s;
    static const char *const paths[] = {"/file", "/user"};
    for (size_t i = 0; i < 2; i++) {
        int status = 0;
        str body = {0};
        fetch_request rq = {.url = at(t, paths[i]), .allow_private = true};
        const err *e = fetch(t->a, &rq, &status, &body);
        assert_non_null(e);
        assert_int_equal(e->kind, ERR_MALFORMED);
    }
}

static void private_places_are_refused_without_a_byte(void **s)
{
    trial *t = *s;
    static const char *const urls[] =
        {"https://127.0.0.1:%u/",          "https://localhost:%u/",       "https://[::1]:%u/",
         "https://[::ffff:127.0.0.1]:%u/", "https://169.254.169.254:%u/", "https://10.1.2.3:%u/",
         "http://127.0.0.1:%u/",           "http://93.184.216.34:%u/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char url[128];
        const char *at_port = strstr(urls[i], "%u");
        (void)snprintf(url, sizeof url, "%.*s%u/", (int)(at_port - urls[i]), urls[i], t->f.port);
        int status = 0;
        str body = {0};
        fetch_request rq = {.url = {url, strlen(url)}, .timeout_ms = 2000};
        const err *e = fetch(t->a, &rq, &status, &body);
        if (!e) fail_msg("fetched %s", url);
        if (e->kind != ERR_FORBIDDEN) fail_msg("%s: " STR_FMT, url, STR_ARG(e->text));
    }
    assert_int_equal(atomic_load(&t->f.accepted), 0);
}

static void size_and_time_are_bounded(void **s)
{
    trial *t = *s;
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = at(t, "/big"), .allow_private = true};
    const err *e = fetch(t->a, &rq, &status, &body);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
    rq = (fetch_request){.url = at(t, "/doc"), .allow_private = true, .limit = 4};
    e = fetch(t->a, &rq, &status, &body);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
    rq.limit = 5;
    assert_null(fetch(t->a, &rq, &status, &body));
    rq = (fetch_request){.url = at(t, "/slow"), .allow_private = true, .timeout_ms = 150};
    e = fetch(t->a, &rq, &status, &body);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TIMEOUT);
}

static void nonsense_is_an_error(void **s)
{
    trial *t = *s;
    static const header split[] = {{S("X"), S("a\r\nY: b")}, {{0}, {0}}};
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = S("ftp://h/")};
    assert_non_null(fetch(t->a, &rq, &status, &body));
    rq = (fetch_request){.url = S("https://does-not-exist.invalid/")};
    assert_non_null(fetch(t->a, &rq, &status, &body));
    rq = (fetch_request){.url = at(t, "/doc"), .headers = split, .allow_private = true};
    assert_non_null(fetch(t->a, &rq, &status, &body));
    assert_int_equal(atomic_load(&t->f.accepted), 0);
    rq = (fetch_request){.url = S("http://127.0.0.1:1/"), .allow_private = true};
    assert_non_null(fetch(t->a, &rq, &status, &body));
}

static void environment_proxies_are_not_asked(void **s)
{
    trial *t = *s;
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    int status = 0;
    str body = {0};
    fetch_request rq = {.url = at(t, "/doc"), .allow_private = true};
    assert_null(fetch(t->a, &rq, &status, &body));
    (void)unsetenv("http_proxy");
    (void)unsetenv("ALL_PROXY");
}

static bool reach(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) return fetch_may_reach((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return fetch_may_reach((struct sockaddr *)&v6);
}

static void only_public_addresses_are_reached(void **s)
{
    (void)s;
    static const char *const closed[] = {"0.0.0.0",
                                         "0.1.2.3",
                                         "10.0.0.1",
                                         "10.255.255.255",
                                         "100.64.0.1",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "127.255.255.255",
                                         "169.254.169.254",
                                         "169.254.0.1",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.1",
                                         "192.0.2.1",
                                         "192.88.99.1",
                                         "192.168.0.1",
                                         "198.18.0.1",
                                         "198.19.255.255",
                                         "198.51.100.1",
                                         "203.0.113.1",
                                         "224.0.0.1",
                                         "239.1.1.1",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "168.63.129.16",
                                         "::",
                                         "::1",
                                         "::ffff:127.0.0.1",
                                         "::ffff:8.8.8.8",
                                         "::127.0.0.1",
                                         "64:ff9b::7f00:1",
                                         "64:ff9b:1::1",
                                         "fe80::1",
                                         "febf::1",
                                         "fec0::1",
                                         "fc00::1",
                                         "fd00:ec2::254",
                                         "ff02::1",
                                         "100::1",
                                         "2001::1",
                                         "2001:db8::1",
                                         "2001:1ff::1",
                                         "2002:7f00:1::1",
                                         "3fff::1",
                                         "3fff:0fff::1",
                                         "4000::1",
                                         "1fff::1"};
    static const char *const open[] = {"8.8.8.8",         "1.1.1.1",         "9.255.255.255",
                                       "11.0.0.1",        "100.63.255.255",  "100.128.0.0",
                                       "126.255.255.255", "128.0.0.1",       "169.253.255.255",
                                       "169.255.0.0",     "172.15.255.255",  "172.32.0.0",
                                       "192.167.255.255", "192.169.0.0",     "198.17.255.255",
                                       "198.20.0.0",      "223.255.255.255", "2001:4860:4860::8888",
                                       "2606:4700::1111", "2a00::1",         "2001:200::1",
                                       "2003::1",         "3fff:1000::1",    "3ffe::1"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (reach(closed[i])) fail_msg("%s is reached", closed[i]);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (!reach(open[i])) fail_msg("%s is not reached", open[i]);
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_false(fetch_may_reach(&local));
}

int main(void)
{
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_is_fetched, setup, teardown),
        cmocka_unit_test_setup_teardown(a_post_is_sent_and_never_redirected, setup, teardown),
        cmocka_unit_test_setup_teardown(redirects_are_followed_three_times, setup, teardown),
        cmocka_unit_test_setup_teardown(a_redirect_elsewhere_takes_no_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(a_redirect_to_another_scheme_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(private_places_are_refused_without_a_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(size_and_time_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(environment_proxies_are_not_asked, setup, teardown),
        cmocka_unit_test(only_public_addresses_are_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
