/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "link_rig.h"

static const upstream_spec plain = {.name = S("a"),
                                    .kind = UPSTREAM_HTTP,
                                    .url = S("http://127.0.0.1:9/mcp"),
                                    .timeout_ms = 1000};

static upstream *acquire(rig *r, upstream_spec spec)
{
    upstream *u = NULL;
    const err *e = upstream_acquire(&r->s, r->a, &spec, &u);
    assert_null(e);
    return u;
}

static void equal_specs_share_one_upstream(void **state)
{
    rig r;
    (void)state;
    rig_open(&r, 1, NULL);
    upstream *one = acquire(&r, plain), *two = acquire(&r, plain);
    assert_ptr_equal(one, two);
    upstream_era_is(one, ERA_MODERN, 0);
    upstream_drop(one);
    assert_int_equal(upstream_era_now(two, 0), ERA_MODERN);
    upstream_drop(two);
    upstream *three = acquire(&r, plain);
    assert_int_equal(upstream_era_now(three, 0), ERA_UNKNOWN);
    upstream_drop(three);
    rig_close(&r);
}

static void any_difference_makes_another_upstream(void **state)
{
    static const header auth[] = {{S("Authorization"), S("Bearer x")}, {{0}, {0}}};
    static const header auth2[] = {{S("AuthorizationB"), S("earer x")}, {{0}, {0}}};
    static const str list[] = {S("ab"), S("c"), {0}}, list2[] = {S("a"), S("bc"), {0}};
    upstream_spec other[] = {plain, plain, plain, plain, plain, plain, plain};
    rig r;
    (void)state;
    rig_open(&r, 1, NULL);
    other[0].name = S("b");
    other[1].url = S("http://127.0.0.1:9/mcp2");
    other[2].auth = auth;
    other[3].auth = auth2;
    other[4].include = list;
    other[5].include = list2;
    other[6].exclude = list;
    upstream *first = acquire(&r, plain), *made[7];
    for (size_t i = 0; i < 7; i++) {
        made[i] = acquire(&r, other[i]);
        assert_ptr_not_equal(first, made[i]);
        for (size_t k = 0; k < i; k++) assert_ptr_not_equal(made[k], made[i]);
    }
    for (size_t i = 0; i < 7; i++) upstream_drop(made[i]);
    upstream_drop(first);
    rig_close(&r);
}

static void the_spec_is_copied(void **state)
{
    rig r;
    char name[] = "mine";
    upstream_spec spec = plain;
    (void)state;
    rig_open(&r, 1, NULL);
    spec.name = (str){name, 4};
    upstream *u = acquire(&r, spec);
    name[0] = 'X';
    assert_true(str_eq(upstream_spec_of(u)->name, S("mine")));
    assert_int_equal(upstream_spec_of(u)->connect_ms, 5000);
    upstream_drop(u);
    rig_close(&r);
}

static void globs_choose_tools(void **state)
{
    static const struct {
        str include[3], exclude[3];
        const char *tool;
        bool chosen;
    } cases[] = {
        {{{0}}, {{0}}, "anything", true},
        {{S("get_*"), {0}}, {{0}}, "get_it", true},
        {{S("get_*"), {0}}, {{0}}, "set_it", false},
        {{S("get_*"), {0}}, {S("*_admin"), {0}}, "get_admin", false},
        {{S("get_*"), {0}}, {S("*_admin"), {0}}, "get_admins", true},
        {{S("a?c"), S("x*y*z"), {0}}, {{0}}, "abc", true},
        {{S("a?c"), S("x*y*z"), {0}}, {{0}}, "ac", false},
        {{S("a?c"), S("x*y*z"), {0}}, {{0}}, "xyyyzz", true},
        {{S("a?c"), S("x*y*z"), {0}}, {{0}}, "xyyyzq", false},
        {{S("**"), {0}}, {S(""), {0}}, "a", true},
        {{S("/^(get|list)_/"), {0}}, {{0}}, "list_it", true},
        {{S("/^(get|list)_/"), {0}}, {{0}}, "relist_it", false},
        {{S("get_*"), {0}}, {S("/_(admin|root)$/"), {0}}, "get_root", false},
        {{S("get_*"), {0}}, {S("/_(admin|root)$/"), {0}}, "get_roots", true},
        {{S("/"), {0}}, {{0}}, "a", false},
        {{{0}},
         {S("*a*a*a*a*a*a*a*a*a*a*b"), {0}},
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         true},
    };
    rig r;
    (void)state;
    rig_open(&r, 1, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        upstream_spec spec = plain;
        spec.include = cases[i].include;
        spec.exclude = cases[i].exclude;
        upstream *u = acquire(&r, spec);
        str tool = {cases[i].tool, strlen(cases[i].tool)};
        if (upstream_tool_selected(u, tool) != cases[i].chosen) fail_msg("case %zu", i);
        upstream_drop(u);
    }
    rig_close(&r);
}

static void a_bad_spec_is_an_error_and_leaves_nothing(void **state)
{
    rig r;
    upstream *u = NULL;
    upstream_spec ftp = {.name = S("a"), .url = S("ftp://x/")},
                  nothing = {.name = S("b"), .kind = UPSTREAM_STDIO};
    (void)state;
    rig_open(&r, 1, NULL);
    assert_non_null(upstream_acquire(&r.s, r.a, &ftp, &u));
    assert_non_null(upstream_acquire(&r.s, r.a, &nothing, &u));
    assert_null(u);
    rig_close(&r);
}

static void a_legacy_verdict_ends_after_a_day(void **state)
{
    rig r;
    (void)state;
    rig_open(&r, 1, NULL);
    upstream *u = acquire(&r, plain);
    upstream_era_is(u, ERA_LEGACY, 1000);
    assert_int_equal(upstream_era_now(u, 1000 + 86399000), ERA_LEGACY);
    assert_int_equal(upstream_era_now(u, 1000 + 86400000), ERA_UNKNOWN);
    upstream_era_is(u, ERA_MODERN, 1000);
    assert_int_equal(upstream_era_now(u, 1000 + 86400000), ERA_MODERN);
    upstream_drop(u);
    rig_close(&r);
}

static void up_and_down_are_said_once(void **state)
{
    rig r;
    char line[4096];
    (void)state;
    rig_open(&r, 1, NULL);
    upstream *u = acquire(&r, plain);
    upstream_is_up(u);
    assert_false(rig_logged(&r, "upstream is"));
    upstream_is_down(u, S("first"));
    upstream_is_down(u, S("second"));
    upstream_is_up(u);
    upstream_is_up(u);
    ssize_t n = pread(r.log_fd, line, sizeof line - 1, 0);
    line[n > 0 ? n : 0] = 0;
    size_t lines = 0;
    for (const char *p = line; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 2);
    assert_null(strstr(line, "second"));
    upstream_drop(u);
    rig_close(&r);
}

static void *churn(void *r_)
{
    rig *r = r_;
    arena *a = arena_new();
    for (int i = 0; i < 200; i++) {
        upstream *u = NULL;
        const err *e = upstream_acquire(&r->s, a, &plain, &u);
        if (!e) upstream_drop(u);
    }
    arena_free(a);
    return NULL;
}

static void acquiring_and_dropping_from_two_threads_is_safe(void **state)
{
    rig r;
    pthread_t one, two;
    (void)state;
    rig_open(&r, 1, NULL);
    pthread_create(&one, NULL, churn, &r);
    pthread_create(&two, NULL, churn, &r);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    upstream *u = acquire(&r, plain);
    assert_int_equal(atomic_load(&u->holders), 1);
    upstream_drop(u);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_specs_share_one_upstream),
        cmocka_unit_test(any_difference_makes_another_upstream),
        cmocka_unit_test(the_spec_is_copied),
        cmocka_unit_test(globs_choose_tools),
        cmocka_unit_test(a_bad_spec_is_an_error_and_leaves_nothing),
        cmocka_unit_test(a_legacy_verdict_ends_after_a_day),
        cmocka_unit_test(up_and_down_are_said_once),
        cmocka_unit_test(acquiring_and_dropping_from_two_threads_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
