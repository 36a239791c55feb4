/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/arena.h"
#include "../../base/err.h"

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

static void a_second_block_is_used_again_and_zeroed(void **s)
{
    (void)s;
    arena *a = arena_new_of(1024);
    char *second = NULL;
    for (int turn = 0; turn < 3; turn++) {
        (void)NEW_N(a, char, 700);
        char *p = NEW_N(a, char, 350);
        for (size_t i = 0; i < 350; i++) assert_int_equal(p[i], 0);
        if (second) assert_ptr_equal(p, second);
        second = p;
        memset(p, 'x', 350);
        (void)NEW_N(a, char, 5000);
        arena_reset(a);
    }
    arena_free(a);
}

static void what_was_given_back_is_taken_again_and_is_empty(void **s)
{
    (void)s;
    enum { MANY = 50 };
    arena_spares spares = {0};
    arena *all[MANY];
    for (size_t i = 0; i < MANY; i++) all[i] = arena_spares_take(&spares);
    for (size_t i = 0; i < MANY; i++) {
        memset(NEW_N(all[i], char, 100), 'x', 100);
        arena_spares_give(&spares, all[i]);
    }
    arena *again = arena_spares_take(&spares);
    const char *p = NEW_N(again, char, 100);
    for (size_t i = 0; i < 100; i++) assert_int_equal(p[i], 0);
    arena_spares_give(&spares, again);
    arena_spares_free(&spares);
    assert_int_equal(spares.n, 0);
}

static void memory_is_zeroed_aligned_and_apart(void **s)
{
    static const size_t sizes[] = {1, 3, 8, 100, 2000, 4000, 8191, 8192, 8193, 100000, 1, 70000, 7};
    enum { N = sizeof sizes / sizeof *sizes };
    unsigned char *got[N * 20];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N * 20; i++) {
            size_t n = sizes[i % N];
            size_t align = (size_t)1 << (i % 5);
            got[i] = arena_alloc(*s, 1, align, n);
            assert_true((uintptr_t)got[i] % align == 0);
            for (size_t k = 0; k < n; k++) assert_int_equal(got[i][k], 0);
            memset(got[i], (int)(i % 255) + 1, n);
        }
        for (size_t i = 0; i < N * 20; i++) {
            for (size_t k = 0; k < sizes[i % N]; k++)
                assert_int_equal(got[i][k], (int)(i % 255) + 1);
        }
        arena_reset(*s);
    }
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
static void what_is_not_handed_out_is_poisoned(void **s)
{
    static const size_t sizes[] = {16, 5000, 100000};
    for (size_t i = 0; i < 3; i++) {
        char *p = NEW_N(*s, char, sizes[i]), *q = NEW_N(*s, char, 8);
        assert_false(__asan_address_is_poisoned(p) || __asan_address_is_poisoned(p + sizes[i] - 1));
        assert_true(__asan_address_is_poisoned(p + sizes[i]));
        assert_false(__asan_address_is_poisoned(q));
    }
    char *view = NEW_N(*s, char, 8);
    arena_reset(*s);
    view = NEW_N(*s, char, 8);
    assert_false(__asan_address_is_poisoned(view));
    arena_reset(*s);
    assert_true(__asan_address_is_poisoned(view));
}
#endif

typedef struct {
    char *log;
    char name;
} dropped;

static void note_drop(void *x)
{
    dropped *d = x;
    size_t n = strlen(d->log);
    d->log[n] = d->name;
    d->log[n + 1] = 0;
}

static void owned_things_are_dropped_once_last_in_first_out(void **s)
{
    char log[16] = "";
    dropped d[] = {{log, 'a'}, {log, 'b'}, {log, 'c'}};
    for (size_t i = 0; i < 3; i++) arena_own(*s, note_drop, &d[i]);
    assert_string_equal(log, "");
    arena_reset(*s);
    assert_string_equal(log, "cba");
    arena_reset(*s);
    assert_string_equal(log, "cba");
    arena_own(*s, note_drop, &d[1]);
    arena_reset(*s);
    assert_string_equal(log, "cbab");
}

static void texts_are_copied_and_end_in_nul(void **s)
{
    char text[] = "hello";
    str copy = arena_dup(*s, (str){text, 5});
    text[0] = 'j';
    assert_string_equal(copy.p, "hello");
    assert_int_equal(copy.n, 5);
    assert_string_equal(arena_dup(*s, (str){0}).p, "");
    str made = arena_fmt(*s, "%d-%s", 17, "x");
    assert_string_equal(made.p, "17-x");
    assert_int_equal(made.n, 4);
    assert_int_equal(arena_fmt(*s, "%*d", 20000, 1).n, 20000);
}

static void an_error_keeps_its_kind_and_gathers_context(void **s)
{
    const err *e = err_new(*s, ERR_QUOTA, "only %d left", 3);
    assert_int_equal(e->kind, ERR_QUOTA);
    assert_string_equal(e->text.p, "only 3 left");
    const err *outer = err_wrap(*s, e, "rule %s", "r1");
    assert_int_equal(outer->kind, ERR_QUOTA);
    assert_string_equal(outer->text.p, "rule r1: only 3 left");
    e = err_new(*s, ERR_BUG, "%*d", 5000, 1);
    assert_true(e->text.n < 512);
}

static void every_kind_has_a_name_of_its_own(void **s)
{
    (void)s;
    for (int i = 0; i < ERR_KINDS; i++) {
        assert_non_null(err_kind_name((err_kind)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(err_kind_name((err_kind)i), err_kind_name((err_kind)k));
    }
    assert_string_equal(err_kind_name(ERR_UPSTREAM), "upstream");
    assert_string_equal(err_kind_name(ERR_KINDS), "bug");
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(a_second_block_is_used_again_and_zeroed),
        cmocka_unit_test(what_was_given_back_is_taken_again_and_is_empty),
        cmocka_unit_test_setup_teardown(memory_is_zeroed_aligned_and_apart, setup, teardown),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test_setup_teardown(what_is_not_handed_out_is_poisoned, setup, teardown),
#endif
        cmocka_unit_test_setup_teardown(owned_things_are_dropped_once_last_in_first_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(texts_are_copied_and_end_in_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_keeps_its_kind_and_gathers_context, setup,
                                        teardown),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
