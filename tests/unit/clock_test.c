/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include "own_arena.h"

#include "../../base/clock.h"

static void a_time_is_read_as_peers_write_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t s; /* -1: it is none */
    } cases[] = {
        {"2026-01-02T03:04:05Z", 1767323045},
        {"2026-01-02T03:04:05.999999Z", 1767323045},
        {"2026-01-02T05:04:05+02:00", 1767323045},
        {"2026-01-01T21:34:05-05:30", 1767323045},
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-02T03:04:05", -1},
        {"2026-01-02 03:04:05Z", -1},
        {"2026-01-02T03:04:05Zx", -1},
        {"2026-01-02T03:04:05.Z", -1},
        {"2026-1-2T03:04:05Z", -1},
        {"2026-01-02T24:04:05Z", -1},
        {"2026-01-02T03:04:05+0200", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1000;
        bool fine = clock_read_rfc3339((str){cases[i].text, strlen(cases[i].text)}, &ms);
        assert_int_equal(fine, cases[i].s >= 0);
        if (fine) assert_int_equal(ms, cases[i].s * 1000);
    }
}

static void a_date_of_http_is_read(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_true(clock_read_http(S(" Fri, 02 Jan 2026 03:04:05 GMT\r\n"), &ms));
    assert_int_equal(ms, 1767323045000);
    assert_false(clock_read_http(S("Friday, 02-Jan-26 03:04:05 GMT"), &ms));
    assert_false(clock_read_http(S("Fri, 02 Jun"), &ms));
    assert_false(clock_read_http((str){0}, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_time_is_read_as_peers_write_it),
        ARENA_TEST(a_date_of_http_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
