/* SPDX-License-Identifier: Apache-2.0 */
/* own_arena.h - tests that each have an arena `a` of their own. */
#ifndef SP_TEST_OWN_ARENA_H
#define SP_TEST_OWN_ARENA_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/arena.h"

static arena *a;

static inline int open_arena(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static inline int close_arena(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}
#define ARENA_TEST(f) cmocka_unit_test_setup_teardown(f, open_arena, close_arena)
#endif
