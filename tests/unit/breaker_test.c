/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../base/breaker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool fail_times(breaker *b, int n, int64_t now_ms)
{
    bool opened = false;
    for (int i = 0; i < n; i++) opened |= breaker_failed(b, &breaker_usual, now_ms);
    return opened;
}

static void five_failures_in_a_row_open_it(void **state)
{
    (void)state;
    breaker b = {0};
    assert_false(fail_times(&b, 4, 100));
    breaker_worked(&b, &breaker_usual, 0);
    assert_false(fail_times(&b, 4, 100));
    assert_int_equal(breaker_begin(&b, 100), BREAKER_CLOSED);
    assert_true(breaker_failed(&b, &breaker_usual, 100));
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
    breaker_worked(&b, &breaker_usual, 0);
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
        assert_false(breaker_failed(&b, &breaker_usual, now)); /* it was open before */
        breaker_end(&b, BREAKER_TRIAL);
    }
    breaker_worked(&b, &breaker_usual, 0);
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

static const breaker_rule rated = {.failures = 100,
                                   .percent = 50,
                                   .least = 10,
                                   .window_ms = 1000,
                                   .pause_ms = 1000,
                                   .pause_most_ms = 60000,
                                   .forgets_ms = 5000};

static void too_large_a_share_of_failures_opens_it(void **state)
{
    (void)state;
    breaker b = {0};
    for (int i = 0; i < 6; i++) breaker_worked(&b, &rated, 10000);
    for (int i = 0; i < 5; i++) assert_false(breaker_failed(&b, &rated, 10500));
    assert_true(breaker_failed(&b, &rated, 10999));
    assert_false(breaker_lets_in(&b, 11998));
    assert_true(breaker_lets_in(&b, 11999));
    breaker few = {0};
    for (int i = 0; i < 9; i++) assert_false(breaker_failed(&few, &rated, 1999));
    assert_false(breaker_failed(&few, &rated, 2000)); /* another window */
}

static void what_works_for_a_while_only_is_left_alone_longer(void **state)
{
    (void)state;
    breaker b = {0};
    int64_t now = 10000;
    for (int64_t pause = 1000; pause <= 4000; pause *= 2) {
        for (int i = 0; i < 10; i++) (void)breaker_failed(&b, &rated, now);
        assert_int_equal(breaker_look(&b, now + pause - 1), BREAKER_OPEN);
        now += pause;
        assert_int_equal(breaker_begin(&b, now), BREAKER_TRIAL);
        assert_false(breaker_lets_in(&b, now));
        breaker_worked(&b, &rated, now);
        breaker_end(&b, BREAKER_TRIAL);
        assert_true(breaker_lets_in(&b, now));
    }
    now += 5001;
    for (int i = 0; i < 10; i++) (void)breaker_failed(&b, &rated, now);
    assert_int_equal(breaker_look(&b, now + 1000), BREAKER_TRIAL);
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
        cmocka_unit_test(too_large_a_share_of_failures_opens_it),
        cmocka_unit_test(what_works_for_a_while_only_is_left_alone_longer),
        cmocka_unit_test(calls_are_counted_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
