/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../base/tally.h"
#include <pthread.h>

static void one_key_holds_no_more_than_it_may(void **state)
{
    (void)state;
    tally *t = tally_new();
    arena *first = arena_new(), *second = arena_new();
    assert_true(tally_take(t, S("alice"), 2, first));
    assert_true(tally_take(t, S("alice"), 2, second));
    assert_false(tally_take(t, S("alice"), 2, second));
    assert_true(tally_take(t, S("bob"), 2, second));
    assert_int_equal(tally_held(t, S("alice")), 2);
    arena_reset(first);
    assert_int_equal(tally_held(t, S("alice")), 1);
    assert_true(tally_take(t, S("alice"), 2, first));
    arena_free(first);
    arena_free(second);
    assert_int_equal(tally_held(t, S("alice")), 0);
    assert_int_equal(tally_held(t, S("bob")), 0);
    tally_free(t);
}

static void nothing_may_be_held_where_the_limit_is_none(void **state)
{
    (void)state;
    tally *t = tally_new();
    arena *a = arena_new();
    assert_false(tally_take(t, S("alice"), 0, a));
    assert_true(tally_take(t, S(""), 1, a));
    assert_false(tally_take(t, S(""), 1, a));
    arena_free(a);
    tally_free(t);
}

enum { THREADS = 4, ROUNDS = 20000, MOST = 3 };

typedef struct {
    tally *t;
    unsigned taken, refused, over;
} taker;

static void *take_and_give(void *ctx)
{
    taker *w = ctx;
    arena *a = arena_new();
    for (int i = 0; i < ROUNDS; i++) {
        if (tally_take(w->t, S("shared"), MOST, a)) {
            w->taken++;
            if (tally_held(w->t, S("shared")) > MOST) w->over++;
        } else
            w->refused++;
        if (i % 2) arena_reset(a);
    }
    arena_free(a);
    return NULL;
}

static void threads_never_hold_more_together(void **state)
{
    (void)state;
    tally *t = tally_new();
    pthread_t threads[THREADS];
    taker takers[THREADS];
    unsigned taken = 0;
    for (size_t i = 0; i < THREADS; i++) {
        takers[i] = (taker){.t = t};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &takers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(takers[i].over, 0);
        assert_int_equal(takers[i].taken + takers[i].refused, ROUNDS);
        taken += takers[i].taken;
    }
    assert_true(taken > 0);
    assert_int_equal(tally_held(t, S("shared")), 0);
    tally_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key_holds_no_more_than_it_may),
        cmocka_unit_test(nothing_may_be_held_where_the_limit_is_none),
        cmocka_unit_test(threads_never_hold_more_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
