/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* watch_test.c - what is watched of a server, and which tasks it has promised to tell of. */
#include "../../mcp/watch.h"
#include "link_rig.h"

static rig r;
static upstream *u;

static int open_one(void **state)
{
    const upstream_spec spec = {.name = S("s"),
                                .kind = UPSTREAM_HTTP,
                                .url = S("http://127.0.0.1:9/mcp"),
                                .timeout_ms = 1000};
    (void)state;
    rig_make(&r, 1, NULL);
    const err *e = upstream_acquire(&r.s, r.a, &spec, &u);
    assert_null(e);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    upstream_drop(u);
    rig_close(&r);
    return 0;
}

static void a_task_and_a_resource_of_one_name_are_two(void **state)
{
    size_t n = 0;
    uint64_t epoch = 0;
    (void)state;
    watch_add(u, WATCH_TASK, S("a"));
    watch_add(u, WATCH_TASK, S("a"));
    assert_false(watch_has(u, WATCH_RESOURCE, S("a")));
    str *row = watch_list(u, WATCH_TASK, r.a, &n, &epoch);
    assert_int_equal(n, 1);
    assert_true(str_eq(row[0], S("a")));
    watch_remove(u, WATCH_TASK, S("a"));
    assert_true(watch_has(u, WATCH_TASK, S("a")));
    watch_remove(u, WATCH_TASK, S("a"));
    assert_false(watch_has(u, WATCH_TASK, S("a")));
    (void)watch_list(u, WATCH_RESOURCE, r.a, &n, &epoch);
    assert_int_equal(n, 0);
}

static void a_promise_is_new_once_and_ends_with_its_stream(void **state)
{
    (void)state;
    watch_add(u, WATCH_TASK, S("a"));
    assert_false(watch_is_promised(u, S("a")));
    watch_renew(u);
    assert_true(watch_promised(u, S("a")));
    assert_false(watch_promised(u, S("unknown")));
    assert_true(watch_is_promised(u, S("a")));
    watch_renew(u); /* a new listening takes the place of the old: nothing was lost between */
    assert_false(watch_promised(u, S("a")));
    watch_renew(u); /* which leaves it out */
    assert_false(watch_is_promised(u, S("a")));
    watch_renew(u);
    assert_true(watch_promised(u, S("a")));
    watch_broken(u);
    assert_false(watch_is_promised(u, S("a")));
    watch_renew(u); /* what happened meanwhile is not known */
    assert_true(watch_promised(u, S("a")));
    watch_remove(u, WATCH_TASK, S("a"));
    assert_false(watch_is_promised(u, S("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_task_and_a_resource_of_one_name_are_two, open_one,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_promise_is_new_once_and_ends_with_its_stream, open_one,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
