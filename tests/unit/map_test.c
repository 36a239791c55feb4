/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/hash.h"
#include "../../base/map.h"

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

static str name(arena *a, size_t i)
{
    return arena_fmt(a, "key%zu", i);
}

static void what_was_put_is_found_and_nothing_else(void **s)
{
    arena *a = *s;
    map *maps[] = {map_new(a), map_new(NULL)};
    static char things[5000];
    for (size_t k = 0; k < 2; k++) {
        map *m = maps[k];
        assert_null(map_get(m, S("key0")));
        for (size_t i = 0; i < 5000; i++) {
            map_put(m, name(a, i), &things[i]);
            assert_int_equal(map_count(m), i + 1);
            assert_ptr_equal(map_get(m, name(a, i / 2)), &things[i / 2]);
            assert_null(map_get(m, name(a, i + 1)));
        }
        map_put(m, S("key17"), &things[0]);
        assert_int_equal(map_count(m), 5000);
        assert_ptr_equal(map_get(m, S("key17")), &things[0]);
        map_put(m, S(""), &things[1]);
        assert_ptr_equal(map_get(m, (str){0}), &things[1]);
        map_free(m);
    }
}

static void walking_is_in_order_of_insertion_also_after_deletions(void **s)
{
    arena *a = *s;
    map *m = map_new(a);
    static char things[100];
    for (size_t i = 0; i < 100; i++) map_put(m, name(a, i), &things[i]);
    for (size_t i = 0; i < 100; i += 3) assert_ptr_equal(map_del(m, name(a, i)), &things[i]);
    assert_null(map_del(m, S("key0")));
    map_put(m, S("key0"), &things[0]); /* comes last now */
    size_t at = 0, want = 1;
    str key;
    void *value;
    while (map_each(m, &at, &key, &value)) {
        if (want == 100) break;
        assert_true(str_eq(key, name(a, want)));
        assert_ptr_equal(value, &things[want]);
        want += want % 3 == 1 ? 1 : 2;
    }
    assert_true(str_eq(key, S("key0")));
    assert_int_equal(map_count(m), 67);
}

static void deleting_while_walking_is_safe(void **s)
{
    arena *a = *s;
    map *m = map_new(a);
    static char thing;
    for (size_t i = 0; i < 50; i++) map_put(m, name(a, i), &thing);
    size_t at = 0, seen = 0;
    str key;
    void *value;
    while (map_each(m, &at, &key, &value)) {
        seen++;
        (void)map_del(m, key);
    }
    assert_int_equal(seen, 50);
    assert_int_equal(map_count(m), 0);
}

/* Against a plain array that knows what should be there. */
static void a_long_life_of_random_changes_loses_nothing(void **s)
{
    arena *a = *s;
    map *m = map_new(NULL);
    enum { KEYS = 200 };
    static char things[KEYS];
    bool there[KEYS] = {false};
    size_t count = 0;
    uint32_t seed = 7;
    for (int i = 0; i < 50000; i++) {
        seed = seed * 1664525 + 1013904223;
        size_t k = (seed >> 8) % (i % 5000 < 2500 ? KEYS : 10);
        str key = name(a, k);
        if (seed >> 31) {
            map_put(m, key, &things[k]);
            count += !there[k];
            there[k] = true;
        } else {
            assert_ptr_equal(map_del(m, key), there[k] ? &things[k] : NULL);
            count -= there[k];
            there[k] = false;
        }
        assert_int_equal(map_count(m), count);
    }
    for (size_t k = 0; k < KEYS; k++)
        assert_ptr_equal(map_get(m, name(a, k)), there[k] ? &things[k] : NULL);
    map_free(m);
}

static void the_hash_depends_on_seed_and_on_every_byte(void **s)
{
    (void)s;
    hash_seed one = hash_seed_new(), two = hash_seed_new();
    assert_true(one.a != two.a || one.b != two.b);
    char text[40] = {0};
    for (size_t n = 1; n <= sizeof text; n++) {
        uint64_t h = hash_bytes(one, (str){text, n});
        assert_true(h != hash_bytes(two, (str){text, n}));
        assert_true(h != hash_bytes(one, (str){text, n - 1}));
        for (size_t i = 0; i < n; i++) {
            text[i] = 1;
            assert_true(h != hash_bytes(one, (str){text, n}));
            text[i] = 0;
        }
    }
}

static int64_t of_number(const void *value, void *ctx)
{
    ++*(int *)ctx;
    return *(const int64_t *)value;
}

static void the_least_is_the_first_of_those_that_count(void **s)
{
    arena *a = *s;
    map *m = map_new(a);
    static int64_t things[] = {INT64_MAX, 7, 3, INT64_MAX, 3, 9};
    int asked = 0;
    assert_null(map_least(m, of_number, &asked));
    for (size_t i = 0; i < 6; i++) map_put(m, name(a, i), &things[i]);
    assert_ptr_equal(map_least(m, of_number, &asked), &things[2]);
    assert_int_equal(asked, 6);
    (void)map_del(m, name(a, 2));
    assert_ptr_equal(map_least(m, of_number, &asked), &things[4]);
    for (size_t i = 1; i < 6; i++) (void)map_del(m, name(a, i));
    assert_null(map_least(m, of_number, &asked));
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(what_was_put_is_found_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(walking_is_in_order_of_insertion_also_after_deletions,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(deleting_while_walking_is_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_life_of_random_changes_loses_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_least_is_the_first_of_those_that_count, setup,
                                        teardown),
        cmocka_unit_test(the_hash_depends_on_seed_and_on_every_byte),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
