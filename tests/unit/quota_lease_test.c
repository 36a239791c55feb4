/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy_kit.h"

#include "../../authz/quota.h"
#include "../../base/clock.h"
#include "../../server/quota_file.h"
#include "../../server/store.h"

#define QUOTAS "policy: v1\nquotas:\n"
#define HOURLY "  - {id: q, for: {models: m}, limit: 1000, window: 1h, kind: fixed}\n"

typedef struct {
    arena *a;
    policy *p;
    store_keeper *keeper;
    ledger books;
    quotas *q[2]; /* two replicas */
    int64_t now_ms;
    quota_refusal no;
    unsigned woken, called;
} rig;

static void woken(void *ctx, handle waiter)
{
    rig *r = ctx;
    assert_int_equal(waiter, 77);
    r->woken++;
}

static void called(void *ctx, quotas *q)
{
    rig *r = ctx;
    (void)q;
    r->called++;
}

/* Fixed windows that do not end while the test runs: at the end of an hour it waits for the next.
 */
static void stay_in_hour(void)
{
    while (clock_wall_ms() % 3600000 > 3600000 - 20000) (void)usleep(200000);
}

static void set_up_rig(rig *r, arena *a, const char *text, const char *where)
{
    *r = (rig){.a = a, .p = must_load(a, text)};
    stay_in_hour();
    assert_null(store_keeper_new(a, view(where), S("/tmp"), &r->keeper));
    r->books = store_keeper_ledger(r->keeper);
    const quota_options o = {.store = &r->books, .soon = called, .wake = woken, .ctx = r};
    r->q[0] = quotas_new(&o);
    r->q[1] = quotas_new(&o);
    r->now_ms = clock_wall_ms();
}

static void tear_down_rig(rig *r)
{
    quotas_free(r->q[0]);
    quotas_free(r->q[1]);
    store_keeper_free(r->keeper);
}

static quota_answer take_in(rig *r, arena *a, quotas *q, int64_t tokens, quota_hold **h,
                            quota_refusal *no)
{
    const question about = {.kind = SUBJECT_MODEL,
                            .name = S("m"),
                            .who = caller_of_claims(a, js_tree(a, json(a, "{\"iss\":\"i\",\"sub\":"
                                                                          "\"alice\"}"))),
                            .now_ms = r->now_ms,
                            .llm = {.model = S("m"), .endpoint = S("/v1/chat/completions")}};
    const quota_request rq = {.rules = r->p,
                              .about = &about,
                              .estimate = {.output = tokens},
                              .waiter = 77};
    return quota_reserve(q, &rq, a, h, no);
}

/* As a flow does it: waits, is woken, asks again. */
static quota_answer take(rig *r, int replica, int64_t tokens, quota_hold **h)
{
    for (int i = 0; i < 10; i++) {
        quota_answer is = take_in(r, r->a, r->q[replica], tokens, h, &r->no);
        if (is != QUOTA_WAIT) return is;
        quotas_exchange(r->q[replica], r->now_ms);
    }
    return QUOTA_WAIT;
}

static void settle_with(quota_hold *h, int64_t tokens)
{
    const quota_usage used = {.output = tokens};
    quota_settle(h, &used, QUOTA_DONE);
}

static int64_t spend_all(rig *r, int replica, int64_t each)
{
    int64_t spent = 0;
    quota_hold *h;
    while (take(r, replica, each, &h) == QUOTA_ROOM) {
        settle_with(h, each);
        spent += each;
    }
    return spent;
}

/* What the ledger has, as the other replica finds it. */
static int64_t booked(rig *r)
{
    quota_hold *h;
    quota_view v;
    assert_int_equal(take(r, 1, 1, &h), QUOTA_ROOM);
    assert_true(quota_tightest(h, &v));
    quota_settle(h, NULL, QUOTA_UNSENT);
    quotas_close(r->q[1], r->now_ms);
    return v.limit - v.remaining - 1;
}

static void the_first_waits_and_the_next_do_not(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    assert_int_equal(take_in(&r, r.a, r.q[0], 1, &h, &r.no), QUOTA_WAIT);
    assert_null(h);
    quotas_exchange(r.q[0], r.now_ms);
    assert_int_equal(r.woken, 1);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(take_in(&r, r.a, r.q[0], 1, &h, &r.no), QUOTA_ROOM);
        settle_with(h, 1);
    }
    assert_int_equal(quotas_asked(r.q[0]), 1);
    quota_view v;
    assert_true(quota_tightest(h, &v));
    assert_int_equal(v.remaining, 992);
    tear_down_rig(&r);
}

static void two_replicas_spend_the_limit_and_no_more(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    int64_t spent = 0;
    for (int i = 0; i < 400; i++)
        if (take(&r, i % 2, 3, &h) == QUOTA_ROOM) {
            settle_with(h, 3);
            spent += 3;
        }
    assert_true(spent <= 1000 && spent > 900);
    r.now_ms += 3000; /* what is left in leases comes back when they lie idle */
    for (int i = 0; i < 4; i++) {
        r.now_ms += 1100;
        quotas_exchange(r.q[0], r.now_ms);
        quotas_exchange(r.q[1], r.now_ms);
    }
    spent += spend_all(&r, 0, 1) + spend_all(&r, 1, 1);
    r.now_ms += 3000;
    spent += spend_all(&r, 0, 1) + spend_all(&r, 1, 1);
    assert_int_equal(spent, 1000);
    assert_int_equal(r.no.why, QUOTA_USED_UP);
    assert_true(r.no.retry_after_ms > 0);
    tear_down_rig(&r);
}

static void what_is_left_of_a_lease_counts_for_the_last(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    static const int64_t costs[] = {1, 484, 515};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        assert_int_equal(take(&r, 0, costs[i], &h), QUOTA_ROOM);
    assert_int_equal(take(&r, 0, 1, &h), QUOTA_FULL);
    tear_down_rig(&r);
}

/* A lease is at most a fourth of what would be each one's share of the rest. */
static void more_replicas_have_smaller_leases(void **state)
{
    rig r;
    quota_hold *h;
    ledger_life life;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    assert_int_equal(take(&r, 0, 1, &h), QUOTA_ROOM);
    static const str others[] = {S("b"), S("c"), S("d"), S("e")};
    for (size_t i = 0; i < 4; i++)
        assert_null(r.books.hold(r.books.ctx, r.a, others[i], NULL, 0, &life));
    r.now_ms += 15000;
    for (int i = 0; i < 2; i++) quotas_exchange(r.q[0], r.now_ms += 1100);
    int64_t before = booked(&r);
    for (int i = 0; i < 40; i++) assert_int_equal(take(&r, 0, 10, &h), QUOTA_ROOM);
    assert_true(booked(&r) - before <= 400 + 2 * 1000 / (4 * 5));
    tear_down_rig(&r);
}

static void what_was_dearer_is_owed(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    assert_int_equal(take(&r, 0, 100, &h), QUOTA_ROOM);
    settle_with(h, 700);
    quotas_exchange(r.q[0], r.now_ms + 1100);
    quotas_exchange(r.q[0], r.now_ms + 2200);
    quotas_exchange(r.q[0], r.now_ms + 3300);
    r.now_ms += 3300;
    assert_int_equal(spend_all(&r, 1, 1), 300);
    tear_down_rig(&r);
}

static void what_is_all_out_is_not_asked_for(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS "  - {id: q, for: {models: m}, limit: 1, kind: concurrency}\n",
               "memory:");
    assert_int_equal(take(&r, 0, 1, &h), QUOTA_ROOM);
    r.called = 0;
    for (int i = 0; i < 20; i++) {
        settle_with(h, 1);
        assert_int_equal(take_in(&r, r.a, r.q[0], 1, &h, &r.no), QUOTA_ROOM);
    }
    assert_int_equal(r.called, 0);
    tear_down_rig(&r);
}

static void an_orderly_end_gives_all_back(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    assert_int_equal(take(&r, 0, 10, &h), QUOTA_ROOM);
    settle_with(h, 10);
    assert_true(quotas_close(r.q[0], r.now_ms));
    assert_int_equal(spend_all(&r, 1, 1), 990);
    tear_down_rig(&r);
}

static void tick(rig *r, int times)
{
    for (int i = 0; i < times; i++) quotas_exchange(r->q[0], r->now_ms += 1100);
}

/* Its lease is closed while it is under way, since nothing else happens; or others were had since.
 */
static void what_comes_back_late_is_given_back_too(void **state)
{
    rig r;
    quota_hold *h, *more[8];
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    assert_int_equal(take(&r, 0, 100, &h), QUOTA_ROOM);
    tick(&r, 3);
    settle_with(h, 10);
    tick(&r, 3);
    assert_int_equal(booked(&r), 10);
    for (int i = 0; i < 8; i++) assert_int_equal(take(&r, 0, 40, &more[i]), QUOTA_ROOM);
    for (int i = 0; i < 8; i++) settle_with(more[i], 1);
    quotas_close(r.q[0], r.now_ms);
    assert_int_equal(booked(&r), 18);
    tear_down_rig(&r);
}

static void a_sliding_window_does_not_count_what_was_never_spent(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS "  - {id: q, for: {models: m}, limit: 1000, window: 2s}\n",
               "memory:");
    while (clock_wall_ms() % 2000 > 200) (void)usleep(1000);
    r.now_ms = clock_wall_ms();
    assert_int_equal(take(&r, 0, 500, &h), QUOTA_ROOM);
    settle_with(h, 1);
    while (clock_wall_ms() % 2000 > 200 || clock_wall_ms() - r.now_ms < 1000) (void)usleep(1000);
    r.now_ms = clock_wall_ms();
    tick(&r, 1);
    r.now_ms = clock_wall_ms();
    assert_int_equal(take(&r, 1, 900, &h), QUOTA_ROOM);
    tear_down_rig(&r);
}

static void slots_are_shared_and_given_back(void **state)
{
    rig r;
    quota_hold *h[4];
    set_up_rig(&r, *state, QUOTAS "  - {id: q, for: {models: m}, limit: 3, kind: concurrency}\n",
               "memory:");
    assert_int_equal(take(&r, 0, 1, &h[0]), QUOTA_ROOM);
    assert_int_equal(take(&r, 0, 1, &h[1]), QUOTA_ROOM);
    assert_int_equal(take(&r, 1, 1, &h[2]), QUOTA_ROOM);
    assert_int_equal(take(&r, 1, 1, &h[3]), QUOTA_FULL);
    assert_int_equal(take(&r, 0, 1, &h[3]), QUOTA_FULL);
    settle_with(h[0], 5);
    settle_with(h[1], 5);
    for (int i = 0; i < 3; i++) quotas_exchange(r.q[0], r.now_ms += 1100);
    assert_int_equal(take(&r, 1, 1, &h[0]), QUOTA_ROOM);
    assert_int_equal(take(&r, 1, 1, &h[1]), QUOTA_ROOM);
    assert_int_equal(take(&r, 1, 1, &h[3]), QUOTA_FULL);
    tear_down_rig(&r);
}

static const err *broken_take(void *ctx, arena *a, const ledger_ask *asks, size_t n,
                              ledger_grant *grants)
{
    (void)ctx, (void)asks, (void)n, (void)grants;
    return err_new(a, ERR_UPSTREAM, "away");
}

static const err *broken_hold(void *ctx, arena *a, str holder, ledger_slots *slots, size_t n,
                              ledger_life *life)
{
    (void)ctx, (void)holder, (void)slots, (void)n, (void)life;
    return err_new(a, ERR_UPSTREAM, "away");
}

static void without_the_store_it_refuses_or_counts_alone(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    const ledger good = r.books;
    assert_int_equal(take(&r, 0, 1, &h), QUOTA_ROOM);
    r.books.take = broken_take;
    r.books.hold = broken_hold;
    assert_int_equal(take(&r, 1, 1, &h), QUOTA_FULL);
    assert_int_equal(r.no.why, QUOTA_AWAY);
    assert_int_equal(r.no.retry_after_ms, 1000);
    quotas *local = quotas_new(
        &(quota_options){.store = &r.books, .local_on_loss = true, .wake = woken, .ctx = &r});
    quotas *first = r.q[0];
    r.q[0] = local;
    assert_int_equal(spend_all(&r, 0, 100), 1000);
    assert_int_equal(r.no.why, QUOTA_USED_UP);
    r.books = good; /* and then it is told */
    for (int i = 0; i < 3; i++) quotas_exchange(local, r.now_ms += 1100);
    quotas_exchange(r.q[1], r.now_ms);
    assert_int_equal(take(&r, 1, 1, &h), QUOTA_FULL);
    assert_int_equal(r.no.why, QUOTA_USED_UP);
    quotas_free(first);
    tear_down_rig(&r);
}

/* The round before found nobody; the next would come too late. */
static void an_end_tells_what_was_counted_alone(void **state)
{
    rig r;
    quota_hold *h;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    static _Alignas(128) char cells[2][1 << 16];
    quota_options o = {.bytes = sizeof *cells, .boot = S("this one")};
    o.store = &r.books;
    o.local_on_loss = true;
    for (int times = 0; times < 2; times++) {
        const ledger good = r.books;
        quotas *first = r.q[0];
        o.cells = cells[times];
        r.q[0] = quotas_new(&o);
        r.books.take = broken_take;
        r.books.hold = broken_hold;
        assert_int_equal(take(&r, 0, 100, &h), QUOTA_ROOM);
        settle_with(h, 90);
        if (times == 1) assert_false(quotas_close(r.q[0], r.now_ms));
        r.books = good;
        if (times == 0) assert_true(quotas_close(r.q[0], r.now_ms));
        quotas_free(r.q[0]);
        r.q[0] = first;
    }
    assert_int_equal(booked(&r), 90);
    quotas *next = quotas_new(&(quota_options){.store = &r.books,
                                               .left = cells[1],
                                               .left_bytes = sizeof *cells,
                                               .boot = o.boot});
    quotas_exchange(next, r.now_ms);
    assert_int_equal(booked(&r), 180);
    quotas_free(next);
    tear_down_rig(&r);
}

/* kill -9 */

enum { SETTLED = 40, IN_FLIGHT = 7 };

static quotas *quotas_in(rig *r, quota_file *f)
{
    quota_options o = {.store = &r->books, .wake = woken, .ctx = r};
    o.cells = quota_file_memory(f, &o.bytes);
    o.left = quota_file_left(f, &o.left_bytes);
    o.boot = quota_file_boot(r->a);
    return quotas_new(&o);
}

static void be_killed(arena *a, const char *where, str cells)
{
    rig r;
    quota_file *f = NULL;
    quota_hold *h;
    set_up_rig(&r, a, QUOTAS HOURLY, where);
    if (quota_file_new(a, cells, &f)) _exit(2);
    r.q[0] = quotas_in(&r, f);
    for (int i = 0; i < SETTLED; i++) {
        if (take(&r, 0, 3, &h) != QUOTA_ROOM) _exit(3);
        settle_with(h, 1);
    }
    if (take(&r, 0, IN_FLIGHT, &h) != QUOTA_ROOM) _exit(4);
    (void)kill(getpid(), SIGKILL);
}

static void after_kill_9_only_what_was_spent_is_gone(void **state)
{
    rig r;
    arena *a = *state;
    char dir[] = "/tmp/quota-test-XXXXXX";
    quota_file *f = NULL;
    int status = 0;
    assert_non_null(mkdtemp(dir));
    const char *where = arena_fmt(a, "sqlite:%s/ledger.db", dir).p;
    str cells = arena_fmt(a, "%s/cells", dir);
    stay_in_hour();
    pid_t child = fork();
    if (child == 0) be_killed(a, where, cells);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    set_up_rig(&r, a, QUOTAS HOURLY, where);
    assert_null(quota_file_new(a, cells, &f));
    quotas *first = r.q[0];
    r.q[0] = quotas_in(&r, f);
    quotas_exchange(r.q[0], r.now_ms);
    assert_int_equal(spend_all(&r, 0, 1), 1000 - SETTLED - IN_FLIGHT);
    quotas_free(first);
    tear_down_rig(&r);
    quota_file_free(f, true);
    (void)system(arena_fmt(a, "rm -r %s", dir).p);
}

/* Property */

enum { THREADS = 50, ROUNDS = 60 };
typedef struct {
    rig *r;
    unsigned seed;
    _Atomic int64_t *out;
    _Atomic bool *over;
} spender;

static void *spend(void *arg)
{
    spender *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        arena *a = arena_new();
        quota_hold *h;
        quota_refusal no;
        int64_t want = 1 + rand_r(&s->seed) % 20, really = rand_r(&s->seed) % (want + 1);
        quotas *q = s->r->q[s->seed % 2];
        quota_answer is = QUOTA_WAIT;
        while ((is = take_in(s->r, a, q, want, &h, &no)) == QUOTA_WAIT) (void)usleep(1000);
        if (is == QUOTA_ROOM) {
            if (atomic_fetch_add(s->out, want) + want > 1000) atomic_store(s->over, true);
            atomic_fetch_sub(s->out, want - really);
            settle_with(h, really);
        }
        arena_free(a);
    }
    return NULL;
}

typedef struct {
    rig *r;
    _Atomic bool over;
} exchanger;

static void *exchange(void *arg)
{
    exchanger *x = arg;
    for (int64_t n = 0; !atomic_load(&x->over); n++) {
        quotas_exchange(x->r->q[n % 2], clock_wall_ms());
        (void)usleep(500);
    }
    return NULL;
}

static void ignore(void *ctx, handle waiter)
{
    (void)ctx, (void)waiter;
}

static void fifty_on_two_replicas_never_spend_more_than_there_is(void **state)
{
    rig r;
    set_up_rig(&r, *state, QUOTAS HOURLY, "memory:");
    const quota_options o = {.store = &r.books, .wake = ignore};
    for (int i = 0; i < 2; i++) {
        quotas_free(r.q[i]);
        r.q[i] = quotas_new(&o);
    }
    _Atomic int64_t out = 0;
    _Atomic bool over = false;
    exchanger x = {&r, false};
    pthread_t threads[THREADS], exchanges;
    spender all[THREADS];
    assert_int_equal(pthread_create(&exchanges, NULL, exchange, &x), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        all[i] = (spender){&r, i + 1, &out, &over};
        assert_int_equal(pthread_create(&threads[i], NULL, spend, &all[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    atomic_store(&x.over, true);
    pthread_join(exchanges, NULL);
    assert_false(over);
    assert_true(out <= 1000);
    quotas_close(r.q[0], clock_wall_ms());
    quotas_close(r.q[1], clock_wall_ms());
    r.now_ms = clock_wall_ms() + 1100;
    assert_int_equal(out + spend_all(&r, 0, 1), 1000); /* and nothing was lost */
    tear_down_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(the_first_waits_and_the_next_do_not),
        T(two_replicas_spend_the_limit_and_no_more),
        T(what_is_left_of_a_lease_counts_for_the_last),
        T(more_replicas_have_smaller_leases),
        T(what_was_dearer_is_owed),
        T(what_is_all_out_is_not_asked_for),
        T(an_orderly_end_gives_all_back),
        T(what_comes_back_late_is_given_back_too),
        T(a_sliding_window_does_not_count_what_was_never_spent),
        T(slots_are_shared_and_given_back),
        T(without_the_store_it_refuses_or_counts_alone),
        T(an_end_tells_what_was_counted_alone),
        T(after_kill_9_only_what_was_spent_is_gone),
        T(fifty_on_two_replicas_never_spend_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
