/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* url_test.c - what is taken apart, and what two readers could take apart in two ways. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../transport/client.h"

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

static str text(const char *s)
{
    return (str){s, strlen(s)};
}

static void assert_text(str got, const char *want)
{
    if (!str_eq(got, text(want))) fail_msg("got " STR_FMT ", wanted %s", STR_ARG(got), want);
}

static void good_urls_come_apart(void **st)
{
    static const struct {
        const char *url, *host, *path, *authority;
        bool secure;
        unsigned port;
    } cases[] = {
        {"http://h", "h", "/", "h", false, 80},
        {"https://h", "h", "/", "h", true, 443},
        {"HTTPS://API.Example.COM/V1?Q=1", "api.example.com", "/V1?Q=1", "api.example.com", true,
         443},
        {"http://h:8080/mcp", "h", "/mcp", "h:8080", false, 8080},
        {"http://h:80/", "h", "/", "h", false, 80},
        {"https://h:80/", "h", "/", "h:80", true, 80},
        {"http://h?x=1", "h", "/?x=1", "h", false, 80},
        {"http://h:1?", "h", "/?", "h:1", false, 1},
        {"http://127.0.0.1:65535/a", "127.0.0.1", "/a", "127.0.0.1:65535", false, 65535},
        {"http://[::1]:9/a", "::1", "/a", "[::1]:9", false, 9},
        {"https://[2001:DB8::1]", "2001:db8::1", "/", "[2001:db8::1]", true, 443},
        {"http://my_host-1.local/a%20b//c/../d", "my_host-1.local", "/a%20b//c/../d",
         "my_host-1.local", false, 80},
        {"https://x.1password.com/", "x.1password.com", "/", "x.1password.com", true, 443},
        {"http://7f3a9c1e/", "7f3a9c1e", "/", "7f3a9c1e", false, 80},
        {"https://h/models/g:generate?alt=sse&x[]=@", "h", "/models/g:generate?alt=sse&x[]=@", "h",
         true, 443},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        url_parts u;
        const err *e = url_parse(*st, text(cases[i].url), &u);
        if (e) fail_msg("%s: " STR_FMT, cases[i].url, STR_ARG(e->text));
        assert_text(u.host, cases[i].host);
        assert_text(u.path, cases[i].path);
        assert_text(u.authority, cases[i].authority);
        assert_int_equal(u.secure, cases[i].secure);
        assert_int_equal(u.port, cases[i].port);
        assert_int_equal(u.host.p[u.host.n], 0);
    }
}

static void doubtful_urls_are_refused(void **st)
{
    static const char *const cases[] = {
        "",
        "h",
        "ftp://h/",
        "file:///etc/passwd",
        "//h/",
        "http:/h",
        "http:h",
        "http://",
        "http:///x",
        "http://u@h/",
        "http://u:p@h/",
        "http://good@evil/",
        "http://@h/",
        "http://h@/",
        "http://h/#f",
        "http://h#f",
        "http://h/a b",
        "http://h/a\tb",
        "http://h/a\r\nX: y",
        "http://h/\x01",
        "http://h/\x7f",
        "http://h/\xc3\xa9",
        "http://h\xc3\xa9/",
        "http://h\\evil/",
        "http://h/a\\b",
        "http://h:/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:99999999999/",
        "http://h:-1/",
        "http://h:+1/",
        "http://h:8o/",
        "http://h: 80/",
        "http://h:80:80/",
        "http://:80/",
        "http://.h/",
        "http://h./",
        "http://a..b/",
        "http://-h/",
        "http://h-/",
        "http://h%41/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://127.0.0.1.5/",
        "http://256.0.0.1/",
        "http://0177.0.0.1/",
        "http://1.2.3/",
        "http://a.1/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[]/",
        "http://[::g]/",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://::1/",
        "http://h/%",
        "http://h/%4",
        "http://h/%zz",
        "http://h/<a>",
        "http://h/\"",
        "http://h/`",
        "http://h/{x}",
        "http://h/|",
        "http://h/^",
        " http://h/",
        "http://h/ ",
        "http://h,evil/",
        "http://h;evil/",
        "http://h&evil/",
        "http://*/",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        url_parts u;
        const err *e = url_parse(*st, text(cases[i]), &u);
        if (!e) fail_msg("taken: %s", cases[i]);
        assert_int_equal(e->kind, ERR_MALFORMED);
    }
}

static void a_nul_or_too_much_is_refused(void **st)
{
    static const str nuls[] = {S("http://h\0.evil/"), S("http://127.0.0.1\0/"),
                               S("http://[::1\0]/"), S("http://h/\0")};
    url_parts u;
    for (size_t i = 0; i < sizeof nuls / sizeof *nuls; i++)
        assert_non_null(url_parse(*st, nuls[i], &u));
    str_pair cut = str_cut(arena_fmt(*st, "http://h/%09000d", 1), 0);
    assert_non_null(url_parse(*st, cut.head, &u));
    assert_non_null(url_parse(*st, arena_fmt(*st, "http://%0250d.com/", 1), &u));
    assert_non_null(url_parse(*st, arena_fmt(*st, "http://x%063d/", 1), &u));
    assert_null(url_parse(*st, arena_fmt(*st, "http://x%062d/", 1), &u));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_urls_come_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(doubtful_urls_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_nul_or_too_much_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
