/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/quota_say.h"

#include "own_arena.h"

static void money_is_told_in_dollars(void **state)
{
    (void)state;
    const struct {
        int64_t micro;
        str text;
    } cases[] = {{0, S("0")},       {1, S("0.000001")},  {500000, S("0.5")},
                 {2000000, S("2")}, {20000000, S("20")}, {12345678, S("12.345678")}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(str_eq(quota_dollars(a, cases[i].micro), cases[i].text));
}

static void a_part_of_a_second_is_a_second(void **state)
{
    (void)state;
    assert_int_equal(quota_seconds(0), 0);
    assert_int_equal(quota_seconds(1), 1);
    assert_int_equal(quota_seconds(1000), 1);
    assert_int_equal(quota_seconds(1001), 2);
}

static void headers_tell_the_quota(void **state)
{
    (void)state;
    header list[QUOTA_HEADERS];
    quota_view v = {.limit = 2500000, .remaining = 1, .reset_ms = 1500, .money = true};
    quota_headers(a, &v, list);
    assert_true(
        str_eq(header_get(list, S("x-ratelimit-limit")).p ? list[0].value : S(""), S("2.5")));
    assert_true(str_eq(list[1].value, S("0.000001")) && str_eq(list[2].value, S("2")));
    v.money = false;
    quota_headers(a, &v, list);
    assert_true(str_eq(list[0].value, S("2500000")) && str_eq(list[1].value, S("1")));
    assert_null(list[3].name.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(money_is_told_in_dollars),
        ARENA_TEST(a_part_of_a_second_is_a_second),
        ARENA_TEST(headers_tell_the_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
