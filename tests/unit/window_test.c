/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../server/window.h"

#define DAY_MS 86400000LL

static const ledger_cell minute = {{"m", 1}, LEDGER_FIXED, 60000};
static const ledger_cell sliding = {{"s", 1}, LEDGER_SLIDING, 60000};
static const ledger_cell month = {{"y", 1}, LEDGER_MONTH, 0};

static void fixed_windows_begin_at_whole_lengths(void **state)
{
    (void)state;
    window w = window_at(&minute, 125000);
    assert_int_equal(w.index, 2);
    assert_int_equal(w.starts_ms, 120000);
    assert_int_equal(w.ends_ms, 180000);
}

static void months_are_the_calendars(void **state)
{
    (void)state;
    static const struct {
        int64_t at, index, starts, ends;
    } cases[] = {
        {0, 1970 * 12, 0, 31 * DAY_MS},
        {31 * DAY_MS - 1, 1970 * 12, 0, 31 * DAY_MS},
        {31 * DAY_MS, 1970 * 12 + 1, 31 * DAY_MS, 59 * DAY_MS},
        {1709164800000, 2024 * 12 + 1, 1706745600000, 1709251200000}, /* 29 February 2024 */
        {1798761599999, 2026 * 12 + 11, 1796083200000, 1798761600000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        window w = window_at(&month, cases[i].at);
        assert_int_equal(w.index, cases[i].index);
        assert_int_equal(w.starts_ms, cases[i].starts);
        assert_int_equal(w.ends_ms, cases[i].ends);
    }
}

static void what_slides_is_rounded_up_and_needs_no_more_than_53_bits(void **state)
{
    (void)state;
    assert_int_equal(window_slides(0, 60000, 60000), 0);
    assert_int_equal(window_slides(100, 60000, 60000), 100);
    assert_int_equal(window_slides(100, 60000, 30000), 50);
    assert_int_equal(window_slides(100, 60000, 1), 1);
    assert_int_equal(window_slides(100, 60000, 0), 0);
    assert_int_equal(window_slides(3, 60000, 40000), 2);
    assert_int_equal(window_slides(3, 60000, 40001), 3);
    assert_int_equal(window_slides(LEDGER_UNITS_MOST, 30 * DAY_MS, 30 * DAY_MS), LEDGER_UNITS_MOST);
    assert_int_equal(window_slides(LEDGER_UNITS_MOST, 30 * DAY_MS, 15 * DAY_MS),
                     LEDGER_UNITS_MOST / 2);
}

static void asking_when_there_is_room_finds_room(void **state)
{
    (void)state;
    for (int64_t now = 120000; now < 180000; now += 7919) {
        for (int64_t previous = 0; previous <= 12; previous += 3) {
            for (int64_t used = 0; used <= 10; used++) {
                window w = window_at(&sliding, now);
                int64_t in =
                    window_room_in(&sliding, &w, (window_load){10, used, previous, 1}, now);
                int64_t then = now + in;
                bool next = then >= w.ends_ms;
                int64_t slides = next ? window_slides(used, 60000, w.ends_ms + 60000 - then)
                                      : used + window_slides(previous, 60000, w.ends_ms - then);
                assert_true(slides + 1 <= 10);
                if (in == 0 || next) continue;
                assert_true(used + window_slides(previous, 60000, w.ends_ms - then + 1) + 1 > 10);
            }
        }
    }
}

static void without_sliding_room_comes_with_the_next_window(void **state)
{
    (void)state;
    window w = window_at(&minute, 125000);
    assert_int_equal(window_room_in(&minute, &w, (window_load){10, 10, 0, 1}, 125000), 55000);
    w = window_at(&sliding, 125000);
    assert_int_equal(window_room_in(&sliding, &w, (window_load){10, 0, 0, 11}, 125000), 55000);
}

static void only_whole_seconds_up_to_a_month_are_windows(void **state)
{
    (void)state;
    static const struct {
        ledger_window kind;
        int64_t ms;
        bool sound;
    } cases[] = {
        {LEDGER_FIXED, 1000, true},
        {LEDGER_FIXED, 0, false},
        {LEDGER_FIXED, -1000, false},
        {LEDGER_FIXED, 1500, false},
        {LEDGER_MONTH, 0, true},
        {LEDGER_MONTH, 1000, false},
        {LEDGER_SLIDING, 999, false},
        {LEDGER_SLIDING, 30 * DAY_MS, true},
        {LEDGER_SLIDING, 32 * DAY_MS, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ledger_cell c = {{"x", 1}, cases[i].kind, cases[i].ms};
        assert_int_equal(window_is_sound(&c), cases[i].sound);
    }
    assert_false(window_is_sound(&(ledger_cell){{"", 0}, LEDGER_FIXED, 1000}));
    assert_false(window_is_sound(&(ledger_cell){{"", LEDGER_CELL_MOST + 1}, LEDGER_FIXED, 1000}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_windows_begin_at_whole_lengths),
        cmocka_unit_test(months_are_the_calendars),
        cmocka_unit_test(what_slides_is_rounded_up_and_needs_no_more_than_53_bits),
        cmocka_unit_test(asking_when_there_is_room_finds_room),
        cmocka_unit_test(without_sliding_room_comes_with_the_next_window),
        cmocka_unit_test(only_whole_seconds_up_to_a_month_are_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
