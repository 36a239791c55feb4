/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../server/net_address.h"

static void an_address_is_a_host_and_a_port(void **state)
{
    (void)state;
    static const struct {
        str text, host;
        unsigned port;
        bool ok;
    } cases[] = {
        {S("127.0.0.1:8080"), S("127.0.0.1"), 8080, true},
        {S("[::1]:0"), S("::1"), 0, true},
        {S("gw.example.com:443"), S("gw.example.com"), 443, true},
        {S("a:65535"), S("a"), 65535, true},
        {S("a:65536"), {0}, 0, false},
        {S("a:"), {0}, 0, false},
        {S("a"), {0}, 0, false},
        {S(":80"), {0}, 0, false},
        {S("::1:80"), {0}, 0, false},
        {S("a b:80"), {0}, 0, false},
        {S("a:8x"), {0}, 0, false},
        {S(""), {0}, 0, false},
        {S("http://a:80"), {0}, 0, false},
        {S("a:000080"), {0}, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        net_address got;
        assert_int_equal(net_address_parse(cases[i].text, &got), cases[i].ok);
        if (!cases[i].ok) continue;
        assert_true(str_eq(got.host, cases[i].host));
        assert_int_equal(got.port, cases[i].port);
    }
}

static void a_range_holds_what_its_bits_say(void **state)
{
    (void)state;
    static const struct {
        str range, address;
        bool ok, has;
    } cases[] = {
        {S("10.0.0.0/8"), S("10.255.1.2"), true, true},
        {S("10.0.0.0/8"), S("11.0.0.1"), true, false},
        {S("192.168.4.128/25"), S("192.168.4.127"), true, false},
        {S("192.168.4.128/25"), S("192.168.4.200"), true, true},
        {S("1.2.3.4"), S("1.2.3.4"), true, true},
        {S("1.2.3.4"), S("1.2.3.5"), true, false},
        {S("0.0.0.0/0"), S("8.8.8.8"), true, true},
        {S("0.0.0.0/0"), S("2001:db8::1"), true, false},
        {S("::/0"), S("2001:db8::1"), true, true},
        {S("2001:db8::/33"), S("2001:db8:8000::1"), true, false},
        {S("10.0.0.0/8"), S("::ffff:10.0.0.1"), true, true},
        {S("10.0.0.0/8"), S("nobody"), true, false},
        {S("10.0.0.0/33"), {0}, false, false},
        {S("10.0.0.0/"), {0}, false, false},
        {S("::/129"), {0}, false, false},
        {S("10.0.0/8"), {0}, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        net_range r;
        assert_int_equal(net_range_parse(cases[i].range, &r), cases[i].ok);
        if (cases[i].ok) assert_int_equal(net_range_has(&r, cases[i].address), cases[i].has);
    }
}

static void only_a_trusted_proxy_speaks_for_a_client(void **state)
{
    (void)state;
    net_range proxies[2];
    assert_true(net_range_parse(S("10.0.0.0/8"), &proxies[0]) &&
                net_range_parse(S("127.0.0.1"), &proxies[1]));
    static const struct {
        str peer, forwarded, client;
    } cases[] = {
        {S("10.0.0.1"), S("203.0.113.7"), S("203.0.113.7")},
        {S("10.0.0.1"), S("203.0.113.7, 10.0.0.9"), S("203.0.113.7")},
        {S("10.0.0.1"), S("6.6.6.6, 203.0.113.7, 10.0.0.9"),
         S("203.0.113.7")}, /* what the client wrote is not believed */
        {S("203.0.113.7"), S("1.1.1.1"), S("203.0.113.7")},
        {S("10.0.0.1"), S("10.0.0.2,10.0.0.3"), S("10.0.0.2")},
        {S("10.0.0.1"), S("1.1.1.1, <script>"), S("10.0.0.1")},
        {S("10.0.0.1"), S(""), S("10.0.0.1")},
        {S("10.0.0.1"), S(",,"), S("10.0.0.1")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str got = net_client_address(proxies, 2, cases[i].peer, cases[i].forwarded);
        if (!str_eq(got, cases[i].client)) fail_msg("case %zu: %.*s", i, (int)got.n, got.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_host_and_a_port),
        cmocka_unit_test(a_range_holds_what_its_bits_say),
        cmocka_unit_test(only_a_trusted_proxy_speaks_for_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
