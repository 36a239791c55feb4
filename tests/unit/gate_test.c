/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/gate.h"

/* clang-format off */
static const str origins[] = {
    S("https://app.example.com"), S("http://dev.example.com:3000/"), S("vscode-webview://panel"), S("null"), {0},
};
/* clang-format on */
/* clang-format off */
static const str hosts[] = {
    S("gw.example.com"), S("box.lan:8080"), S("*.tools.example.com"), S("[fd00::1]"), {0},
};
/* clang-format on */
static const gate listed = {origins, hosts};
static const gate empty = {0};

typedef struct {
    const gate *g;
    bool loopback;
    const char *host, *origin; /* NULL: no such header */
    bool secure;
    gate_result want;
} gate_case;

static str view(const char *s)
{
    return s ? (str){s, strlen(s)} : (str){0};
}

static void run(const gate_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const gate_case *c = &cases[i];
        gate_result got = gate_check(c->g, c->loopback, view(c->host), view(c->origin), c->secure);
        if (got != c->want)
            print_error("row %zu: host %s origin %s: got %d\n", i, c->host ? c->host : "-",
                        c->origin ? c->origin : "-", (int)got);
        assert_int_equal(got, c->want);
    }
}

static void a_loopback_listener_answers_only_to_its_names(void **state)
{
    (void)state;
    /* clang-format off */
    static const gate_case cases[] = {
        {&empty, true, "localhost", NULL, false, GATE_OPEN}, {&empty, true, "LocalHost:8080", NULL, false, GATE_OPEN},
        {&empty, true, "localhost.:8080", NULL, false, GATE_OPEN}, {&empty, true, "127.0.0.1", NULL, false, GATE_OPEN},
        {&empty, true, "127.9.8.7:1", NULL, false, GATE_OPEN}, {&empty, true, "[::1]:8080", NULL, false, GATE_OPEN},
        {&empty, true, "[0:0:0:0:0:0:0:1]", NULL, false, GATE_OPEN},
        {&empty, true, "[::ffff:127.0.0.1]", NULL, false, GATE_OPEN},
        {&empty, true, "evil.example", NULL, false, GATE_BAD_HOST},
        {&empty, true, "localhost.evil.example", NULL, false, GATE_BAD_HOST},
        {&empty, true, "127.0.0.1.evil.example", NULL, false, GATE_BAD_HOST},
        {&empty, true, "notlocalhost", NULL, false, GATE_BAD_HOST}, {&empty, true, "128.0.0.1", NULL, false, GATE_BAD_HOST},
        {&empty, true, "[::2]", NULL, false, GATE_BAD_HOST}, {&empty, true, "", NULL, false, GATE_BAD_HOST},
        {&empty, true, NULL, NULL, false, GATE_BAD_HOST}, {&empty, true, "gw.example.com", NULL, false, GATE_BAD_HOST},
        {&listed, true, "GW.example.com.", NULL, false, GATE_OPEN},
        {&listed, true, "gw.example.com:1234", NULL, false, GATE_OPEN},
        {&listed, true, "box.lan:8080", NULL, false, GATE_OPEN},
        {&listed, true, "box.lan:8081", NULL, false, GATE_BAD_HOST}, {&listed, true, "box.lan", NULL, false, GATE_BAD_HOST},
        {&listed, true, "a.tools.example.com", NULL, false, GATE_OPEN},
        {&listed, true, "a.b.tools.example.com", NULL, false, GATE_OPEN},
        {&listed, true, "tools.example.com", NULL, false, GATE_BAD_HOST},
        {&listed, true, "eviltools.example.com", NULL, false, GATE_BAD_HOST},
        {&listed, true, "[fd00:0::1]", NULL, false, GATE_OPEN},
    };
    /* clang-format on */
    run(cases, sizeof cases / sizeof *cases);
}

static void a_host_that_is_none_is_refused_everywhere(void **state)
{
    (void)state;
    /* clang-format off */
    static const gate_case cases[] = {
        {&empty, false, "anything.example", NULL, false, GATE_OPEN}, {&empty, false, "", NULL, false, GATE_OPEN}, /* HTTP/1.0; the server asks 1.1 for one */
        {&empty, false, "a b", NULL, false, GATE_BAD_HOST}, {&empty, false, "user@host", NULL, false, GATE_BAD_HOST},
        {&empty, false, "host/path", NULL, false, GATE_BAD_HOST}, {&empty, false, "host:", NULL, false, GATE_BAD_HOST},
        {&empty, false, "host:0", NULL, false, GATE_BAD_HOST}, {&empty, false, "host:65536", NULL, false, GATE_BAD_HOST},
        {&empty, false, "host:80x", NULL, false, GATE_BAD_HOST}, {&empty, false, "host:80:80", NULL, false, GATE_BAD_HOST},
        {&empty, false, "::1", NULL, false, GATE_BAD_HOST}, {&empty, false, "[::1", NULL, false, GATE_BAD_HOST},
        {&empty, false, "[::1]80", NULL, false, GATE_BAD_HOST}, {&empty, false, "[::1%lo]", NULL, false, GATE_BAD_HOST},
        {&empty, false, "[127.0.0.1]", NULL, false, GATE_BAD_HOST}, {&empty, false, ":80", NULL, false, GATE_BAD_HOST},
    };
    /* clang-format on */
    run(cases, sizeof cases / sizeof *cases);
}

static void an_origin_must_be_our_own_or_listed(void **state)
{
    (void)state;
    /* clang-format off */
    static const gate_case cases[] = {
        {&empty, false, "gw.example.com", "https://gw.example.com", true, GATE_OPEN},
        {&empty, false, "gw.example.com:443", "https://gw.example.com", true, GATE_OPEN},
        {&empty, false, "GW.example.com", "HTTPS://gw.Example.com.", true, GATE_OPEN},
        {&empty, false, "gw.example.com:8443", "https://gw.example.com:8443", true, GATE_OPEN},
        {&empty, false, "[fd00::1]:80", "http://[fd00:0:0::1]", false, GATE_OPEN},
        {&empty, false, "gw.example.com", "http://gw.example.com", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "https://gw.example.com", false, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "https://gw.example.com:8443", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "https://evil.example", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "https://gw.example.com.evil.example", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "https://gw.example.com@evil.example", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "https://gw.example.com/x", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "null", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "", true, GATE_BAD_ORIGIN},
        {&empty, false, "gw.example.com", "gw.example.com", true, GATE_BAD_ORIGIN},
        {&empty, false, "", "http://", false, GATE_BAD_ORIGIN},
        {&empty, false, "localhost:8080", "http://localhost:6274", false, GATE_BAD_ORIGIN},
        {&listed, false, "gw.example.com", "null", true, GATE_BAD_ORIGIN}, /* though somebody listed it */
        {&listed, false, "gw.example.com", "https://app.example.com", false, GATE_OPEN},
        {&listed, false, "gw.example.com", "https://app.example.com:443", false, GATE_OPEN},
        {&listed, false, "gw.example.com", "http://app.example.com", false, GATE_BAD_ORIGIN},
        {&listed, false, "gw.example.com", "https://app.example.com:444", false, GATE_BAD_ORIGIN},
        {&listed, false, "gw.example.com", "http://dev.example.com:3000", false, GATE_OPEN},
        {&listed, false, "gw.example.com", "vscode-webview://panel", false, GATE_OPEN},
        {&listed, false, "gw.example.com", "vscode-webview://other", false, GATE_BAD_ORIGIN},
    };
    /* clang-format on */
    run(cases, sizeof cases / sizeof *cases);
}

static void on_a_loopback_listener_local_pages_may_ask(void **state)
{
    (void)state;
    /* clang-format off */
    static const gate_case cases[] = {
        {&empty, true, "localhost:8080", "http://localhost:6274", false, GATE_OPEN},
        {&empty, true, "127.0.0.1:8080", "https://[::1]:1", false, GATE_OPEN},
        {&empty, true, "localhost:8080", "http://evil.example", false, GATE_BAD_ORIGIN},
        {&empty, true, "localhost:8080", "http://localhost.evil.example", false, GATE_BAD_ORIGIN},
        {&empty, true, "localhost:8080", "file://localhost", false, GATE_BAD_ORIGIN},
        {&empty, true, "localhost:8080", "null", false, GATE_BAD_ORIGIN},
        {&empty, true, "evil.example", "http://evil.example", false, GATE_BAD_HOST},
    };
    /* clang-format on */
    run(cases, sizeof cases / sizeof *cases);
}

static void loopback_is_known_in_every_spelling(void **state)
{
    (void)state;
    static const char *const yes[] = {"localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80",
                                      "::1",       "[::1]",       "[::1]:80",  "0:0:0:0:0:0:0:1"};
    static const char *const no[] = {"",          "0.0.0.0",       "::",      "localhost.lan",
                                     "10.0.0.1",  "127.0.0.1.lan", "[::]:80", "127.1",
                                     "0177.0.0.1"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(gate_is_loopback(view(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(gate_is_loopback(view(no[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loopback_listener_answers_only_to_its_names),
        cmocka_unit_test(a_host_that_is_none_is_refused_everywhere),
        cmocka_unit_test(an_origin_must_be_our_own_or_listed),
        cmocka_unit_test(on_a_loopback_listener_local_pages_may_ask),
        cmocka_unit_test(loopback_is_known_in_every_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
