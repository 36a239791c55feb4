/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/capability.h"
#include "../../mcp/facet.h"
#include "link_rig.h"

static rig r;

static int open_one(void **state)
{
    (void)state;
    rig_make(&r, 1, NULL);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    rig_close(&r);
    return 0;
}

static upstream *server(upstream_lists lists, upstream_isolation isolation)
{
    const upstream_spec spec = {.name = S("s"),
                                .kind = UPSTREAM_HTTP,
                                .url = S("http://127.0.0.1:9/mcp"),
                                .timeout_ms = 1000,
                                .lists = lists,
                                .isolation = isolation};
    upstream *u = NULL;
    const err *e = upstream_acquire(&r.s, r.a, &spec, &u);
    assert_null(e);
    upstream_era_is(u, ERA_LEGACY, 0);
    return u;
}

/* A visit of an old client, as far as a facet looks at it. */
static visit *by(const char *who, unsigned capabilities)
{
    visit *v = NEW(r.a, visit);
    caller *c = NEW(r.a, caller);
    c->kind = CALLER_JWT;
    c->id = (str){who, strlen(who)};
    v->w = r.w[0];
    v->a = r.a;
    v->who = c;
    v->q.speaks = &dialect_legacy;
    v->q.session.capabilities = capabilities;
    return v;
}

static void each_caller_has_his_own(void **state)
{
    (void)state;
    upstream *u = server(LISTS_CALLER, ISOLATION_CALLER);
    upstream *alice = facet_of_caller(by("alice", 0), u), *bob = facet_of_caller(by("bob", 0), u);
    upstream *again = facet_of_caller(by("alice", 0), u);
    assert_true(alice && bob && facet_is_one(alice) && !facet_is_one(u));
    assert_ptr_equal(alice, again);
    assert_ptr_not_equal(alice, bob);
    assert_true(str_eq(alice->eye.caller_id, S("alice")));
    size_t n = 0;
    for (upstream **f = facets_all(r.a, u); *f; f++, n++) upstream_release(*f);
    assert_int_equal(n, 2);
    upstream_release(again);
    upstream_release(alice);
    upstream_release(bob);
    upstream_drop(u);
}

static void who_can_be_asked_has_another(void **state)
{
    (void)state;
    upstream *u = server(LISTS_CALLER, ISOLATION_CALLER);
    upstream *deaf = facet_of_caller(by("alice", 0), u);
    upstream *asked = facet_of_caller(by("alice", CAN_ELICIT_URL), u);
    upstream *tasks = facet_of_caller(by("alice", CAN_FOLLOW_TASKS), u);
    assert_ptr_not_equal(deaf, asked);
    assert_ptr_equal(deaf, tasks); /* following tasks is no matter of a server's sessions */
    upstream_release(deaf);
    upstream_release(asked);
    upstream_release(tasks);
    upstream_drop(u);
}

static void where_all_share_there_is_none(void **state)
{
    (void)state;
    upstream *shared = server(LISTS_SHARED, ISOLATION_SHARED);
    assert_null(facet_of_caller(by("alice", 0), shared));
    upstream_drop(shared);
    upstream *modern = server(LISTS_SHARED, ISOLATION_CALLER);
    upstream_era_is(modern, ERA_MODERN, 0);
    assert_null(facet_of_caller(by("alice", 0), modern)); /* it has no sessions to differ */
    upstream_drop(modern);
}

static void one_without_users_stays_only_for_its_lists(void **state)
{
    (void)state;
    upstream *u = server(LISTS_SHARED, ISOLATION_CALLER);
    str isolation = S("alice");
    upstream_release(facet_of_caller(by("alice", 0), u));
    assert_null(facet_known(u, isolation));
    upstream *f = facet_of_caller(by("alice", 0), u);
    upstream_release(facet_differs(u, isolation, 1U << CATALOG_TOOLS));
    upstream_release(f);
    f = facet_known(u, isolation);
    assert_non_null(f);
    upstream_release(f);
    upstream_drop(u);
}

static void a_list_is_its_own_once_it_differs(void **state)
{
    (void)state;
    upstream *u = server(LISTS_SHARED, ISOLATION_CALLER), *f = facet_of_caller(by("alice", 0), u);
    assert_true(facet_shows(u, CATALOG_TOOLS) && !facet_shows(f, CATALOG_TOOLS));
    upstream_release(facet_differs(u, S("alice"), 1U << CATALOG_TOOLS));
    assert_true(facet_shows(f, CATALOG_TOOLS) && !facet_shows(f, CATALOG_PROMPTS));
    assert_null(facet_differs(u, S("bob"), 1U << CATALOG_TOOLS));
    upstream_release(f);
    upstream_drop(u);
    u = server(LISTS_CALLER, ISOLATION_CALLER);
    f = facet_of_caller(by("alice", 0), u);
    assert_true(!facet_shows(u, CATALOG_TOOLS) && facet_shows(f, CATALOG_TOOLS));
    upstream_release(f);
    upstream_drop(u);
}

static void it_asks_in_its_callers_name(void **state)
{
    (void)state;
    upstream *u = server(LISTS_CALLER, ISOLATION_CALLER);
    upstream *f = facet_of_caller(by("alice", CAN_ELICIT_URL), u);
    link_request rq = {.to = f}, none = {.to = u};
    facet_fill(f, r.a, &rq);
    assert_true(str_eq(rq.caller_id, S("alice")) && rq.capabilities == CAN_ELICIT_URL);
    facet_fill(u, r.a, &none);
    assert_true(!none.caller_id.n && !none.capabilities);
    upstream_release(f);
    upstream_drop(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_caller_has_his_own, open_one, close_all),
        cmocka_unit_test_setup_teardown(who_can_be_asked_has_another, open_one, close_all),
        cmocka_unit_test_setup_teardown(where_all_share_there_is_none, open_one, close_all),
        cmocka_unit_test_setup_teardown(one_without_users_stays_only_for_its_lists, open_one,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_list_is_its_own_once_it_differs, open_one, close_all),
        cmocka_unit_test_setup_teardown(it_asks_in_its_callers_name, open_one, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
