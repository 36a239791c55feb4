/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../llm/shelf.h"
#include <stdio.h>
#include <string.h>

/* One value, or a store that fails; and what the answers were, in a row. */
typedef struct {
    char value[32];
    bool there, fails;
    char answers[128];
    int open;
} rig;

static rig *told; /* a letter has no context but a handle */

static const err *get(void *ctx, arena *a, store_key key, str *value)
{
    rig *r = ctx;
    assert_true(str_eq(key.space, S("space")) && str_eq(key.name, S("name")));
    *value = r->there ? arena_dup(a, (str){r->value, strlen(r->value)}) : (str){0};
    return r->fails ? err_new(a, ERR_BUG, "store: broken") : NULL;
}

static const err *put(void *ctx, arena *a, store_key key, str value, int64_t lives_s)
{
    rig *r = ctx;
    (void)key;
    assert_int_equal(lives_s, 60);
    if (r->fails) return err_new(a, ERR_BUG, "store: broken");
    (void)snprintf(r->value, sizeof r->value, STR_FMT, STR_ARG(value));
    r->there = true;
    return NULL;
}

static const err *drop(void *ctx, arena *a, store_key key)
{
    rig *r = ctx;
    (void)a;
    (void)key;
    r->there = false;
    return NULL;
}

static void got(loop *at, handle who, str value)
{
    assert_int_equal(who, 7);
    size_t n = strlen(told->answers);
    (void)snprintf(told->answers + n, sizeof told->answers - n, "[" STR_FMT "]",
                   STR_ARG(value.p ? value : S("none")));
    if (--told->open == 0) loop_stop(at);
}

static const store_key key = {{"space", 5}, {"name", 4}};

static shelf shelf_of(rig *r, errands *disk, logger *log)
{
    told = r;
    return (shelf){{get, put, drop, r}, disk, log};
}

static void what_was_put_is_got_in_order(void **state)
{
    (void)state;
    rig r = {.open = 4};
    errands *disk = errands_new(1, 16);
    loop *l = loop_new(0);
    const shelf s = shelf_of(&r, disk, NULL);
    assert_true(shelf_get(&s, key, l, 7, got));
    assert_true(shelf_put(&s, key, S("value"), 60));
    assert_true(shelf_get(&s, key, l, 7, got));
    assert_true(shelf_take(&s, key, l, 7, got));
    assert_true(shelf_take(&s, key, l, 7, got));
    loop_run(l);
    assert_string_equal(r.answers, "[none][value][value][none]");
    errands_free(disk);
    loop_free(l);
}

static void a_long_value_is_put_like_any_other(void **state)
{
    (void)state;
    static const char zeros[100000];
    rig r = {.open = 1};
    errands *disk = errands_new(1, 16);
    loop *l = loop_new(0);
    const shelf s = shelf_of(&r, disk, NULL);
    assert_true(shelf_put(&s, key, (str){zeros, sizeof zeros}, 60));
    assert_true(shelf_get(&s, key, l, 7, got));
    loop_run(l);
    assert_true(r.there);
    errands_free(disk);
    loop_free(l);
}

static void a_store_that_fails_has_nothing(void **state)
{
    (void)state;
    rig r = {.open = 1, .fails = true};
    FILE *out = tmpfile();
    assert_non_null(out);
    logger *log = log_new(fileno(out), LOG_WARN_LEVEL);
    errands *disk = errands_new(1, 16);
    loop *l = loop_new(0);
    const shelf s = shelf_of(&r, disk, log);
    assert_true(shelf_put(&s, key, S("value"), 60));
    assert_true(shelf_get(&s, key, l, 7, got));
    loop_run(l);
    assert_string_equal(r.answers, "[none]");
    assert_false(r.there);
    errands_free(disk);
    loop_free(l);
    log_free(log);
    (void)fclose(out);
}

static void what_cannot_be_taken_on_is_refused(void **state)
{
    (void)state;
    rig r = {0};
    errands *full = errands_new(1, 0);
    const shelf nowhere = shelf_of(&r, NULL, NULL), s = shelf_of(&r, full, NULL);
    assert_false(shelf_put(&nowhere, key, S("value"), 60));
    assert_false(shelf_put(&s, key, S("value"), 60));
    assert_false(shelf_get(&s, key, NULL, 7, got));
    errands_free(full);
}

static void answers_to_a_loop_that_is_gone_are_dropped(void **state)
{
    (void)state;
    rig r = {.open = 1};
    errands *disk = errands_new(1, 16);
    loop *l = loop_new(0);
    const shelf s = shelf_of(&r, disk, NULL);
    assert_true(shelf_get(&s, key, l, 7, got));
    errands_free(disk);
    loop_free(l);
    assert_string_equal(r.answers, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_got_in_order),
        cmocka_unit_test(a_long_value_is_put_like_any_other),
        cmocka_unit_test(a_store_that_fails_has_nothing),
        cmocka_unit_test(what_cannot_be_taken_on_is_refused),
        cmocka_unit_test(answers_to_a_loop_that_is_gone_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
