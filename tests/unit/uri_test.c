/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/uri.h"

static str view(const char *s)
{
    return (str){s, strlen(s)};
}

static void a_template_fits_what_it_could_make(void **state)
{
    static const struct {
        const char *template, *uri;
        bool fits;
    } cases[] = {
        {"note://{id}", "note://7", true},
        {"note://{id}", "note://", true},
        {"note://{id}", "nota://7", false},
        {"note://{a}/x/{b}", "note://1/2/x/3", true},
        {"note://{a}/x/{b}", "note://1/y/3", false},
        {"note://{a}.txt", "note://a.txt.txt", true},
        {"note://{a}.txt", "note://a.txt2", false},
        {"{+all}", "anything:at all", true},
        {"x:{open", "x:y}z", true},
        {"note:///\303\274/{x}", "note:///%C3%BC/1", true}, /* a literal that is encoded */
        {"note:///%41/{x}", "note:///%41/1", true},
        {"note:///%41/{x}", "note:///A/1", false},
        {"note://7", "note://7", true},
        {"note://7", "note://8", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (uri_fits(view(cases[i].template), view(cases[i].uri)) != cases[i].fits)
            fail_msg("%s %s", cases[i].template, cases[i].uri);
}

static void a_glob_meets_or_holds_a_template(void **state)
{
    static const struct {
        const char *template, *glob;
        bool meets, within;
    } cases[] = {
        {"note://{id}", "*", true, true},
        {"note://{id}", "note://*", true, true},
        {"note://{id}", "note://?", true, false},
        {"note://{id}", "note://7", true, false},
        {"note://{id}", "note://secret/*", true, false},
        {"note://secret/{id}", "note://*", true, true},
        {"note://secret/{id}", "note://public/*", false, false},
        {"note://secret/{id}.md", "*.md", true, true},
        {"note://secret/{id}.md", "*.txt", false, false},
        {"note://{a}/{b}", "note://*/?*", true, false},
        {"note://{a}/{b}", "note://*/*", true, true},
        {"note://7", "note://?", true, true},
        {"note://7", "note://7", true, true},
        {"note://7", "note://8", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str template = view(cases[i].template), glob = view(cases[i].glob);
        if (uri_meets_glob(template, glob) != cases[i].meets ||
            uri_within_glob(template, glob) != cases[i].within)
            fail_msg("%s %s", cases[i].template, cases[i].glob);
    }
}

static void what_a_server_may_read_otherwise_is_doubtful(void **state)
{
    static const struct {
        const char *uri;
        bool is;
    } cases[] = {
        {"file:///a/../b", true},
        {"file:///a/./b", true},
        {"file:///a/..", true},
        {"file:///a/%2e%2E/b", true},
        {"file:///a/.%2e/b", true},
        {"file:///a%2f..%2Fb", true},
        {"file:///a\\..\\b", true},
        {"file:///a%5c..%5cb", true},
        {"../a", true},
        {"file:..", true},
        {"file:///a/..?q", true},
        {"file:///%252e%252e/b", true},
        {"file:///%25252e./b", true},
        {"file:///a/...", false},
        {"file:///a/..b/c", false},
        {"file:///a.b/c..", false},
        {"file:///a/.git/x", false},
        {"file:///a/%2x../b", false},
        {"https://a.b/?q=1.2", false},
        {"", false},
        {"file:///%", false},
        {"note://%73ecret/x", true}, /* an s */
        {"note://a%2Db", true},
        {"note://%2573ecret/x", true},
        {"note://a%20b%C3%A9%2Fc%3A", false},
        {"note://100%25/a%25", false},
        {"note://sec\nret/x", true},
        {"note://sec\tret", true},
        {"note://a\x7f", true},
        {" note://a", true},
        {"note://a ", true},
        {"note://a b/\xC3\xA9", false},
        {"NOTE://secret/x", true},
        {"Note:secret", true},
        {"note://Secret/X:Y", false},
        {"Secret/x", false},
        {"note://{Name}/{?Q}", false},
        {"FILE:///srv/secret", true},
        {"file:/srv/secret", true},
        {"file:srv", true},
        {"file:////srv/secret", true},
        {"file:///srv//secret", true},
        {"file:///srv%2Fsecret", true},
        {"file:///srv\\secret", true},
        {"file:\\\\\\srv", true},
        {"file://localhost/srv", true},
        {"file://LOCALHOST/srv", true},
        {"file://host/srv", false},
        {"file:///C:/a b/{path}", false},
        {"file:///srv/a?x//y", false},
        {"https://example.com/A//b", false},
        {"https://Example.com/a", true},
        {"https://example.com:443/a", true},
        {"https://example.com:/a", true},
        {"https://example.com:0443/a", true},
        {"https://example.com:8443/a", false},
        {"http://[::1]/a", false},
        {"http://[::1]:80/a", true},
        {"https://ex%61mple.com/a", true},
        {"https:/example.com/a", true},
        {"https:///example.com/a", true},
        {"https://a.b\\c", true},
        {"https://{Host}/a", false},
        {"https://a.b/?u=https:\\x", false},
        {"ui://board", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (uri_is_doubtful(view(cases[i].uri)) != cases[i].is) fail_msg("%s", cases[i].uri);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_fits_what_it_could_make),
        cmocka_unit_test(a_glob_meets_or_holds_a_template),
        cmocka_unit_test(what_a_server_may_read_otherwise_is_doubtful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
