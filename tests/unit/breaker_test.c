/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/breaker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool fail_times(breaker *b, int n, int64_t now_ms)
{
    bool opened = false;
    for (int i = 0; i < n; i++) opened |= breaker_failed(b, now_ms);
    return opened;
}

static void five_failures_in_a_row_open_it(void **state)
{
    (void)state;
    breaker b = {0};
    assert_false(fail_times(&b, 4, 100));
    breaker_worked(&b);
    assert_false(fail_times(&b, 4, 100));
    assert_int_equal(breaker_begin(&b, 100), BREAKER_CLOSED);
    assert_true(breaker_failed(&b, 100));
    assert_int_equal(breaker_begin(&b, 100), BREAKER_OPEN);
    assert_int_equal(breaker_begin(&b, 1099), BREAKER_OPEN);
}

static void one_call_is_the_trial(void **state)
{
    (void)state;
    breaker b = {0};
    (void)fail_times(&b, 5, 0);
    assert_int_equal(breaker_begin(&b, 1000), BREAKER_TRIAL);
    assert_int_equal(breaker_begin(&b, 1000), BREAKER_OPEN);
    breaker_end(&b, BREAKER_OPEN);
    assert_int_equal(breaker_begin(&b, 1000), BREAKER_OPEN);
    breaker_end(&b, BREAKER_TRIAL); /* it was cancelled: nothing was learned */
    assert_int_equal(breaker_begin(&b, 1000), BREAKER_TRIAL);
    breaker_worked(&b);
    breaker_end(&b, BREAKER_TRIAL);
    assert_int_equal(breaker_begin(&b, 1000), BREAKER_CLOSED);
}

static void each_failed_trial_doubles_the_pause_up_to_a_bound(void **state)
{
    (void)state;
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    breaker b = {0};
    int64_t now = 0;
    (void)fail_times(&b, 5, now);
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        assert_int_equal(breaker_look(&b, now + pauses[i] - 1), BREAKER_OPEN);
        now += pauses[i];
        assert_int_equal(breaker_begin(&b, now), BREAKER_TRIAL);
        assert_false(breaker_failed(&b, now)); /* it was open before */
        breaker_end(&b, BREAKER_TRIAL);
    }
    breaker_worked(&b);
    (void)fail_times(&b, 5, now);
    assert_int_equal(breaker_look(&b, now + 1000), BREAKER_TRIAL);
}

static void calls_from_before_it_opened_say_nothing(void **state)
{
    (void)state;
    breaker b = {0};
    (void)fail_times(&b, 5, 0);
    (void)fail_times(&b, 50, 500);
    assert_int_equal(breaker_look(&b, 1000), BREAKER_TRIAL);
}

static void calls_are_counted_up_to_a_bound(void **state)
{
    (void)state;
    breaker b = {0};
    assert_true(breaker_enter(&b, 2));
    assert_true(breaker_enter(&b, 2));
    assert_false(breaker_enter(&b, 2));
    breaker_leave(&b);
    assert_true(breaker_enter(&b, 2));
    for (int i = 0; i < 100; i++) assert_true(breaker_enter(&b, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_failures_in_a_row_open_it),
        cmocka_unit_test(one_call_is_the_trial),
        cmocka_unit_test(each_failed_trial_doubles_the_pause_up_to_a_bound),
        cmocka_unit_test(calls_from_before_it_opened_say_nothing),
        cmocka_unit_test(calls_are_counted_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
