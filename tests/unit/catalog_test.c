/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/catalog_read.h"
#include "fake_reply.h"
#include "link_watch.h"

enum { LISTS, STAGE };

static rig r;
static fake *f;

static int open_two(void **state)
{
    (void)state;
    rig_open(&r, 2, NULL);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    rig_close(&r);
    if (f) fake_close(f);
    f = NULL;
    return 0;
}

static upstream *listing_within(fake_fn *fn, int64_t list_timeout_ms)
{
    f = fake_open(fn);
    upstream_spec spec = fake_spec(f);
    spec.list_timeout_ms = list_timeout_ms;
    spec.timeout_ms = 1500;
    return rig_upstream(&r, spec);
}

static upstream *listing(fake_fn *fn)
{
    return listing_within(fn, 300);
}

/* Somebody who wants a list, as a request does. */
typedef struct {
    flow_run run;
    mcp_worker *w;
    upstream *u;
    catalog_kind kind;
    catalog_view view;
    int64_t began_ms, took_ms;
    bool waited;
    atomic_bool over;
} asker;

static flow_go want(void *x, flow_why why)
{
    asker *a = x;
    a->view = catalog_want(a->w, a->u, a->kind, a->run.self, why != FLOW_ENTER);
    if (!a->view.pending) return FLOW_NEXT;
    catalog_drop(a->view.now);
    a->waited = true;
    return FLOW_WAIT;
}

static void over(void *x)
{
    asker *a = x;
    a->took_ms = clock_mono_ms() - a->began_ms;
    atomic_store(&a->over, true);
}

static const flow_step steps[] = {{.name = "want", .run = want}, {0}};
static const flow wanting = {.name = "wanting", .steps = steps, .release = over};

static void begin(mcp_worker *w, void *ctx)
{
    asker *a = ctx;
    a->w = w;
    a->began_ms = clock_mono_ms();
    flow_start(&a->run, loop_flows(w->loop), &wanting, a);
    flow_let_go(&a->run); /* so that release, the last thing done with it, says that it is over */
}

static asker *start_asking(unsigned worker, upstream *u)
{
    asker *a = calloc(1, sizeof *a);
    a->u = u;
    rig_on(&r, worker, begin, a);
    return a;
}

static asker *ask(unsigned worker, upstream *u)
{
    asker *a = start_asking(worker, u);
    for (int i = 0; i < 5000 && !atomic_load(&a->over); i++) nap(1);
    assert_true(atomic_load(&a->over));
    return a;
}

static void forget(asker *a)
{
    catalog_drop(a->view.now);
    free(a);
}

static bool listing_asked(fake *s, int fd, const fake_request *rq)
{
    if (!strcmp(rq->method, "server/discover")) {
        fake_discover(fd, rq);
        return false;
    }
    atomic_fetch_add(&s->seen[LISTS], 1);
    return true;
}

#define TOOL(name) "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"

static void paged(fake *s, int fd, const fake_request *rq)
{
    if (!listing_asked(s, fd, rq)) return;
    if (!strstr(rq->body, "cursor")) {
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"ttlMs\":50000,\"cacheScope\":"
                  "\"public\",\"nextCursor\":\"p\\u00e4ge\\\"2\",\"tools\":["
                  "{\"name\":\"zeta\",\"title\":\"Z "
                  "\\u00fc\",\"inputSchema\":{\"type\":\"object\"},\"x\":18446744073709551615}"
                  "," TOOL("get_a") "," TOOL(
                      "") ",{\"name\":\"no_schema\"},{\"inputSchema\":{}},7,"
                          "{\"name\":\"bad_header\",\"inputSchema\":{\"properties\":{\"a\":{"
                          "\"type\":\"number\",\"x-mcp-header\":\"A\"}}}}"
                          "]}}",
                  rq->id);
    } else if (strstr(rq->body, "\"cursor\":\"p\303\244ge\\\"2\"")) {
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"ttlMs\":40000,\"cacheScope\":"
                  "\"public\",\"nextCursor\":\"\",\"tools\":["
                  "{\"name\":\"alpha\",\"annotations\":{\"title\":\"T\",\"readOnlyHint\":true},"
                  "\"inputSchema\":{\"type\":\"object\"}}," TOOL("zeta") "]}}",
                  rq->id);
    } else {
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"cacheScope\":\"public\",\"tools\":"
                  "[" TOOL("last") "]}}",
                  rq->id);
    }
}

static void all_pages_are_read_and_unusable_tools_left_out(void **state)
{
    static const char *const names[] = {"zeta", "get_a", "alpha", "last"};
    (void)state;
    upstream *u = listing_within(paged, 5000);
    asker *a = ask(0, u);
    const catalog *c = a->view.now;
    assert_non_null(c);
    assert_true(a->waited);
    assert_false(a->view.stale);
    assert_int_equal(c->count, 4);
    for (size_t i = 0; i < 4; i++) {
        str name = {names[i], strlen(names[i])};
        assert_true(str_eq(c->items[i].name, name));
        assert_ptr_equal(catalog_find(c, name), &c->items[i]);
    }
    assert_null(catalog_find(c, S("bad_header")));
    assert_null(catalog_find(c, S("")));
    assert_true(
        str_eq(c->items[0].raw.raw,
               S("{\"name\":\"zeta\",\"title\":\"Z "
                 "\\u00fc\",\"inputSchema\":{\"type\":\"object\"},\"x\":18446744073709551615}")));
    assert_true(str_eq(c->items[0].title, S("Z \303\274")));
    assert_true(str_eq(c->items[2].title, S("T")));
    assert_int_equal(c->items[2].annotations.kind, JS_OBJECT);
    assert_int_equal(c->items[0].annotations.kind, JS_ABSENT);
    assert_true(c->is_public);
    assert_int_equal(c->hash.n, 64);
    assert_true(a->view.fresh_ms > 39000 - 1000 && a->view.fresh_ms <= 40000);
    assert_true(rig_logged(&r, "\"bad_header\""));
    assert_true(rig_logged(&r, "twice"));
    assert_int_equal(atomic_load(&f->seen[LISTS]), 3);
    asker *b = ask(1, u);
    assert_ptr_equal(b->view.now, c);
    assert_false(b->waited);
    assert_int_equal(atomic_load(&f->seen[LISTS]), 3);
    forget(a);
    forget(b);
}

static void only_chosen_tools_are_listed(void **state)
{
    static const str include[] = {S("get_*"), S("last"), {0}}, exclude[] = {S("l*"), {0}};
    (void)state;
    f = fake_open(paged);
    upstream_spec spec = fake_spec(f);
    spec.include = include;
    spec.exclude = exclude;
    asker *a = ask(0, rig_upstream(&r, spec));
    assert_int_equal(a->view.now->count, 1);
    assert_true(str_eq(a->view.now->items[0].name, S("get_a")));
    forget(a);
}

static void one(fake *s, int fd, const fake_request *rq)
{
    if (!listing_asked(s, fd, rq)) return;
    int stage = atomic_load(&s->seen[STAGE]);
    if (stage == 1)
        fake_empty(fd, 500);
    else if (stage == 2)
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":\"no\"}}",
                  rq->id);
    else if (stage == 3)
        fake_json(fd, 200, "", "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"tools\":{}}}", rq->id);
    else if (stage == 4)
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"tools\":[],\"nextCursor\":\"more\"}"
                  "}",
                  rq->id);
    else if (stage == 5)
        nap(900);
    if (stage == 5 || stage == 0)
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"ttlMs\":0,\"tools\":[" TOOL(
                      "one") "]}}",
                  rq->id);
}

static void everybody_shares_one_fetch(void **state)
{
    (void)state;
    upstream *u = listing(one);
    asker *a[10];
    atomic_store(&f->seen[STAGE], 6);
    for (unsigned i = 0; i < 10; i++) a[i] = start_asking(i % 2, u);
    for (unsigned i = 0; i < 10; i++) {
        for (int k = 0; k < 3000 && !atomic_load(&a[i]->over); k++) nap(1);
        assert_true(atomic_load(&a[i]->over));
        assert_null(a[i]->view.now);
        assert_true(a[i]->took_ms < 2000);
        forget(a[i]);
    }
    assert_int_equal(atomic_load(&f->seen[LISTS]), 1);
}

static void a_list_that_is_never_fresh_is_fetched_again_and_kept_when_equal(void **state)
{
    (void)state;
    upstream *u = listing(one);
    asker *a = ask(0, u), *b = ask(1, u);
    assert_false(a->view.stale || b->view.stale);
    assert_int_equal(atomic_load(&f->seen[LISTS]), 2);
    assert_ptr_equal(a->view.now, b->view.now);
    assert_false(a->view.now->is_public);
    forget(a);
    forget(b);
}

static void the_last_good_list_stands_in_for_a_failing_server(void **state)
{
    (void)state;
    upstream *u = listing(one);
    asker *a = ask(0, u);
    for (int stage = 1; stage <= 4; stage += stage == 1 ? 2 : 1) {
        atomic_store(&f->seen[STAGE], stage);
        asker *b = ask(0, u);
        assert_ptr_equal(b->view.now, a->view.now);
        assert_true(b->view.stale);
        forget(b);
        b = ask(0, u); /* known to be failing: answered at once */
        assert_false(b->waited);
        assert_true(b->view.stale);
        forget(b);
        atomic_store(&f->seen[STAGE], 0);
        for (int i = 0; i < 8; i++) {
            nap(1000);
            b = ask(0, u);
            bool well = !b->view.stale;
            forget(b);
            if (well) break;
            assert_true(i < 7);
        }
    }
    assert_true(atomic_load(&f->seen[LISTS]) < 220); /* the endless list ended at its bound */
    forget(a);
}

static void a_server_without_tools_has_an_empty_list(void **state)
{
    (void)state;
    upstream *u = listing(one);
    atomic_store(&f->seen[STAGE], 2);
    asker *a = ask(0, u);
    assert_non_null(a->view.now);
    assert_int_equal(a->view.now->count, 0);
    assert_false(a->view.stale);
    forget(a);
}

static void a_black_hole_delays_only_the_first(void **state)
{
    (void)state;
    upstream *u = listing(one);
    atomic_store(&f->seen[STAGE], 6); /* takes the request and says nothing */
    asker *a = ask(0, u);
    assert_true(a->took_ms >= 250 && a->took_ms < 1400);
    assert_null(a->view.now);
    forget(a);
    for (int i = 0; i < 40; i++) { /* while it hangs, fails, rests and is tried again */
        a = ask((unsigned)i % 2, u);
        assert_false(a->waited);
        forget(a);
        nap(100);
    }
    assert_true(atomic_load(&f->seen[LISTS]) >= 2);
    atomic_store(&f->seen[STAGE], 0);
    for (int i = 0; i < 100; i++) {
        a = ask(0, u);
        bool there = a->view.now != NULL;
        forget(a);
        if (there) return;
        nap(100);
    }
    fail_msg("it never came back");
}

static void a_slow_answer_is_kept_for_the_next(void **state)
{
    (void)state;
    upstream *u = listing(one);
    atomic_store(&f->seen[STAGE], 5);
    asker *a = ask(0, u);
    assert_null(a->view.now);
    assert_true(a->view.stale);
    forget(a);
    nap(800);
    atomic_store(&f->seen[STAGE], 6);
    a = ask(0, u);
    assert_non_null(a->view.now);
    forget(a);
}

static void an_absent_server_costs_no_time(void **state)
{
    (void)state;
    upstream *u =
        rig_upstream(&r, (upstream_spec){.kind = UPSTREAM_HTTP, .url = S("http://127.0.0.1:1/")});
    for (int i = 0; i < 5; i++) {
        asker *a = ask(0, u);
        assert_null(a->view.now);
        assert_true(a->view.stale);
        assert_true(a->took_ms < 2000);
        forget(a);
    }
}

static void a_fetch_ends_with_its_worker(void **state)
{
    (void)state;
    upstream *u = listing(one);
    atomic_store(&f->seen[STAGE], 6);
    asker *a = start_asking(0, u);
    for (int i = 0; i < 1000 && !atomic_load(&f->seen[LISTS]); i++) nap(1);
    assert_false(atomic_load(&a->over));
    close_all(state);
    free(a);
    open_two(state);
}

static void too_many_tools_are_refused(void **state)
{
    (void)state;
    upstream *u =
        rig_upstream(&r, (upstream_spec){.kind = UPSTREAM_HTTP, .url = S("http://127.0.0.1:1/")});
    catalog_draft *d = catalog_draft_new(u, CATALOG_TOOLS);
    arena *a = arena_new();
    buf b = buf_new(a, 64 << 20);
    buf_put(&b, S("{\"tools\":["));
    for (int i = 0; i <= CATALOG_ITEMS; i++) {
        buf_fmt(&b, "%s{\"name\":\"t%d\",\"inputSchema\":{}}", i ? "," : "", i);
    }
    buf_put(&b, S("]}"));
    js_value v;
    str cursor;
    assert_null(js_check(a, buf_str(&b), 64, &v));
    assert_non_null(catalog_draft_page(d, v, &cursor));
    catalog_draft_free(d);
    arena_free(a);
}

#define LIST_TEST(t) cmocka_unit_test_setup_teardown(t, open_two, close_all)

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        LIST_TEST(all_pages_are_read_and_unusable_tools_left_out),
        LIST_TEST(only_chosen_tools_are_listed),
        LIST_TEST(everybody_shares_one_fetch),
        LIST_TEST(a_list_that_is_never_fresh_is_fetched_again_and_kept_when_equal),
        LIST_TEST(the_last_good_list_stands_in_for_a_failing_server),
        LIST_TEST(a_server_without_tools_has_an_empty_list),
        LIST_TEST(a_black_hole_delays_only_the_first),
        LIST_TEST(a_slow_answer_is_kept_for_the_next),
        LIST_TEST(an_absent_server_costs_no_time),
        LIST_TEST(a_fetch_ends_with_its_worker),
        LIST_TEST(too_many_tools_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
