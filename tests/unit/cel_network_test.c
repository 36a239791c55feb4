/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

#include "../../authz/cel/network.h"

static void addresses_are_read_strictly(void **s)
{
    (void)s;
    static const char *const good[] = {"0.0.0.0",
                                       "255.255.255.255",
                                       "::",
                                       "::1",
                                       "1::",
                                       "1::8",
                                       "1:2:3:4:5:6:7:8",
                                       "1:2:3:4:5:6:7::",
                                       "::2:3:4:5:6:7:8",
                                       "2001:DB8::68",
                                       "::ffff:c0a8:1",
                                       "64:ff9b::192.0.2.1",
                                       "::1.2.3.4",
                                       "1:2:3:4:5:6:1.2.3.4"};
    static const char *const bad[] = {"",
                                      " 1.2.3.4",
                                      "1.2.3.4 ",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.",
                                      ".1.2.3",
                                      "1..2.3",
                                      "256.1.1.1",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "1.2.3.+4",
                                      "0x1.2.3.4",
                                      "1.2.3.4/8",
                                      "1",
                                      "localhost",
                                      ":",
                                      ":::",
                                      "1:",
                                      ":1",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7:8::",
                                      "12345::",
                                      "g::",
                                      "fe80::1%en0",
                                      "::ffff:192.168.0.1",
                                      "::FFFF:1.2.3.4",
                                      "0:0:0:0:0:ffff:1.2.3.4",
                                      "1.2.3.4::",
                                      "::1.2.3.4:5",
                                      "::1.2.3",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "[::1]",
                                      "2001:db8:::68",
                                      "1111:2222:3333:4444:5555:6666:7777:8888:9999:0"};
    cel_net n;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!cel_net_parse_ip(text_of_c(good[i]), &n)) print_error("%s\n", good[i]);
        assert_true(cel_net_parse_ip(text_of_c(good[i]), &n));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (cel_net_parse_ip(text_of_c(bad[i]), &n)) print_error("%s\n", bad[i]);
        assert_false(cel_net_parse_ip(text_of_c(bad[i]), &n));
    }
    assert_false(cel_net_parse_ip((str){"1.2.3.4\0", 8}, &n));
}

static void text_is_the_shortest_there_is(void **s)
{
    static const cel_row rows[] = {
        {"string(ip('192.168.0.1'))", "\"192.168.0.1\""},
        {"string(ip('2001:0DB8:0:0:0:0:0:68'))", "\"2001:db8::68\""},
        {"string(ip('::'))", "\"::\""},
        {"string(ip('1::'))", "\"1::\""},
        {"string(ip('::1'))", "\"::1\""},
        {"string(ip('1:0:0:2:0:0:0:3'))", "\"1:0:0:2::3\""},      /* the longer run */
        {"string(ip('1:0:0:2:3:0:0:4'))", "\"1::2:3:0:0:4\""},    /* the first of equals */
        {"string(ip('1:0:2:3:4:5:6:7'))", "\"1:0:2:3:4:5:6:7\""}, /* one alone stays */
        {"string(ip('::1.2.3.4'))", "\"::102:304\""},
        {"string(cidr('2001:DB8::/32'))", "\"2001:db8::/32\""},
        {"string(cidr('10.1.2.3/8'))", "\"10.1.2.3/8\""},
        {"ip.isCanonical('2001:db8::68') && !ip.isCanonical('2001:DB8::68')", "true"},
        {"ip.isCanonical(dyn('127.0.0.1.0'))", "error: bad argument"},
        {"[ip('10.0.0.1'), cidr('10.0.0.0/8')]", "[\"10.0.0.1\",\"10.0.0.0/8\"]"},
        {"'%s in %s'.format([ip('10.0.0.1'), cidr('10.0.0.0/8')])", "\"10.0.0.1 in 10.0.0.0/8\""},
    };
    TRY(*s, rows);
}

static void an_ipv4_address_in_ipv6_is_that_address(void **s)
{
    static const cel_row rows[] = {
        {"ip('::ffff:c0a8:1') == ip('192.168.0.1')", "true"},
        {"ip('::ffff:c0a8:1').family()", "4"},
        {"cidr('192.168.0.0/16').containsIP('::ffff:c0a8:1')", "true"},
        {"isIP('::ffff:192.168.0.1')", "false"},
        {"isCIDR('::ffff:c0a8:0/112') || isCIDR('::ffff:192.168.0.0/112')", "false"},
        {"ip('::c0a8:1') == ip('192.168.0.1')", "false"},
    };
    TRY(*s, rows);
}

static void an_address_knows_what_it_is_for(void **s)
{
    static const cel_row rows[] = {
        {"ip('10.0.0.1').family() == 4 && ip('::1').family() == 6", "true"},
        {"ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified()", "true"},
        {"ip('0.0.0.1').isUnspecified() || ip('1::').isUnspecified()", "false"},
        {"ip('127.255.0.1').isLoopback() && ip('::1').isLoopback()", "true"},
        {"ip('128.0.0.1').isLoopback() || ip('::2').isLoopback()", "false"},
        {"ip('224.0.0.7').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()", "true"},
        {"ip('224.0.1.1').isLinkLocalMulticast() || ip('ff05::1').isLinkLocalMulticast()", "false"},
        {"ip('169.254.9.9').isLinkLocalUnicast() && ip('febf::1').isLinkLocalUnicast()", "true"},
        {"ip('169.253.9.9').isLinkLocalUnicast() || ip('fec0::1').isLinkLocalUnicast()", "false"},
        {"['10.0.0.1', '8.8.8.8', '240.0.0.1', '2001:db8::1', 'fd00::1']"
         ".all(a, ip(a).isGlobalUnicast())",
         "true"},
        {"['0.0.0.0', '127.0.0.1', '224.0.0.1', '169.254.0.1', '255.255.255.255', '::', '::1',"
         " 'ff0e::1', 'fe80::1'].exists(a, ip(a).isGlobalUnicast())",
         "false"},
    };
    TRY(*s, rows);
}

static void a_range_contains_what_agrees_in_its_prefix(void **s)
{
    static const cel_row rows[] = {
        {"cidr('10.0.0.0/8').containsIP(ip('10.255.255.255'))", "true"},
        {"cidr('10.0.0.0/8').containsIP('11.0.0.0')", "false"},
        {"cidr('10.20.30.40/30').containsIP('10.20.30.43')", "true"},
        {"cidr('10.20.30.40/30').containsIP('10.20.30.44')", "false"},
        {"cidr('0.0.0.0/0').containsIP('255.1.2.3')", "true"},
        {"cidr('0.0.0.0/0').containsIP('::1') || cidr('::/0').containsIP('1.2.3.4')", "false"},
        {"cidr('2001:db8::/33').containsIP('2001:db8:7fff::1')", "true"},
        {"cidr('2001:db8::/33').containsIP('2001:db8:8000::1')", "false"},
        {"cidr('::1/128').containsIP('::1')", "true"},
        {"cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", "true"},
        {"cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/7'))", "false"},
        {"cidr('10.0.0.0/8').containsCIDR('11.0.0.0/16')", "false"},
        {"cidr('10.0.0.0/8').containsIP(dyn('x'))", "error: bad argument"},
        {"cidr('10.0.0.0/8').containsCIDR(dyn('10.0.0.0'))", "error: bad argument"},
        {"cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", "true"},
        {"cidr('10.1.2.3/8') == cidr('10.0.0.0/8')", "false"},
        {"string(cidr('2001:db8:ffff::1/33').masked())", "\"2001:db8:8000::/33\""},
        {"string(cidr('10.1.2.3/0').masked())", "\"0.0.0.0/0\""},
        {"cidr('10.1.2.3/8').prefixLength() == 8 && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
         "true"},
        {"['10.0.0.0/', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/+8', '10.0.0.0/8/8',"
         " '::/129', '/8', '10.0.0/8', '::1%x/8', '10.0.0.0/-1', ''].exists(r, isCIDR(r))",
         "false"},
        {"type(ip('::1')) == net.IP && type(cidr('::/0')) == net.CIDR && net.IP != net.CIDR",
         "true"},
        {"dyn(ip('::1')) == dyn('::1')", "false"},
        {"ip('::1') in [ip('::2'), ip('::1')]", "true"},
    };
    TRY(*s, rows);
}

static void a_bad_literal_is_a_problem_of_the_rule(void **s)
{
    cel_world *w = *s;
    world_json(w, "a", "\"10.0.0.300\"");
    static const cel_row rows[] = {
        {"ip('10.0.0.300') == ip(a)",
         "E009 3+12 '10.0.0.300' is no IP address | like '10.0.0.1' or '2001:db8::1'"},
        {"cidr('10.0.0.0').containsIP(a)",
         "E009 5+10 '10.0.0.0' is no range of addresses | like '10.0.0.0/8' or '2001:db8::/32'"},
        {"ip(a)", "error: bad argument"},
        {"isIP(a)", "false"},
        {"a.containsIP('::1')", "error: no such overload"},
        {"ip('::1').containsIP('::1')",
         "E003 10+10 no overload of containsIP for (net.IP, string) | it takes (net.CIDR, net.IP), "
         "the first before the dot"},
    };
    TRY(w, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(addresses_are_read_strictly),
        CEL_TEST(text_is_the_shortest_there_is),
        CEL_TEST(an_ipv4_address_in_ipv6_is_that_address),
        CEL_TEST(an_address_knows_what_it_is_for),
        CEL_TEST(a_range_contains_what_agrees_in_its_prefix),
        CEL_TEST(a_bad_literal_is_a_problem_of_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
