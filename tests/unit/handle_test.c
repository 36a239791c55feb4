/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/handle.h"

static const char cat, dog;

static void a_handle_resolves_until_it_is_dropped(void **s)
{
    (void)s;
    handle_table *t = handle_table_new(255);
    int thing;
    handle h = handle_add(t, &cat, &thing);
    assert_true(h != 0);
    assert_int_equal(handle_worker(h), 255);
    assert_ptr_equal(handle_get(t, &cat, h), &thing);
    assert_null(handle_get(t, &dog, h));
    assert_null(handle_get(t, &cat, 0));
    assert_null(handle_get(t, &cat, h ^ (handle)1 << 56));
    assert_null(handle_get(t, &cat, h ^ (handle)1 << 32));
    assert_null(handle_get(t, &cat, h ^ 1));
    handle_drop(t, h ^ 1);
    assert_int_equal(handle_count(t), 1);
    handle_drop(t, h);
    handle_drop(t, h);
    assert_int_equal(handle_count(t), 0);
    assert_null(handle_get(t, &cat, h));
    handle_table_free(t);
}

static void a_slot_used_again_makes_no_old_handle_valid(void **s)
{
    (void)s;
    handle_table *t = handle_table_new(0);
    enum { N = 1000 };
    static int things[N];
    static handle old[N], now[N];
    for (size_t i = 0; i < N; i++) old[i] = handle_add(t, &cat, &things[i]);
    for (size_t i = 0; i < N; i++) handle_drop(t, old[i]);
    for (size_t i = 0; i < N; i++) now[i] = handle_add(t, &cat, &things[i]);
    assert_int_equal(handle_count(t), N);
    for (size_t i = 0; i < N; i++) {
        assert_null(handle_get(t, &cat, old[i]));
        assert_ptr_equal(handle_get(t, &cat, now[i]), &things[i]);
        assert_true((now[i] >> 32) < N); /* slots were used again */
        handle_drop(t, old[i]);
    }
    assert_int_equal(handle_count(t), N);
    handle_table_free(t);
}

static void freed_slots_are_taken_oldest_first(void **s)
{
    (void)s;
    handle_table *t = handle_table_new(0);
    int thing;
    handle a = handle_add(t, &cat, &thing), b = handle_add(t, &cat, &thing);
    handle_drop(t, b);
    handle_drop(t, a);
    assert_true(handle_add(t, &cat, &thing) >> 32 == b >> 32);
    assert_true(handle_add(t, &cat, &thing) >> 32 == a >> 32);
    assert_true(handle_add(t, &cat, &thing) >> 32 == 2);
    handle_table_free(t);
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(a_handle_resolves_until_it_is_dropped),
        cmocka_unit_test(a_slot_used_again_makes_no_old_handle_valid),
        cmocka_unit_test(freed_slots_are_taken_oldest_first),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
