/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>

#include "policy_kit.h"

#include "../../authz/quota.h"

enum { HOUR_MS = 3600000 };
static const int64_t start_ms = (int64_t)500000 * HOUR_MS;

#define QUOTAS "policy: v1\nquotas:\n"

typedef struct {
    arena *a;
    policy *p;
    quotas *q;
    quota_refusal no;
} rig;

static rig rig_of(arena *a, const char *text)
{
    return (rig){.a = a, .p = must_load(a, text), .q = quotas_new(&(quota_options){0})};
}

static quota_answer reserve_as(rig *r, const char *sub, int64_t now_ms, int64_t tokens,
                               quota_hold **h)
{
    const json_t *claims =
        js_tree(r->a, json(r->a, arena_fmt(r->a, "{\"iss\":\"i\",\"sub\":\"%s\"}", sub).p));
    question q = {.kind = SUBJECT_MODEL,
                  .name = S("m"),
                  .who = caller_of_claims(r->a, claims),
                  .now_ms = now_ms,
                  .llm = {.model = S("m"), .endpoint = S("/v1/chat/completions")}};
    const quota_request rq = {.rules = r->p, .about = &q, .estimate = {.output = tokens}};
    return quota_reserve(r->q, &rq, r->a, h, &r->no);
}

static quota_answer take(rig *r, int64_t now_ms, int64_t tokens, quota_hold **h)
{
    return reserve_as(r, "alice", now_ms, tokens, h);
}

static void without_a_quota_there_is_room(void **state)
{
    rig r = rig_of(*state, "policy: v1\n");
    quota_hold *h;
    assert_int_equal(take(&r, start_ms, 5, &h), QUOTA_ROOM);
    assert_null(h);
    quota_settle(h, NULL, QUOTA_DONE);
    quota_view v;
    assert_false(quota_tightest(h, &v));
    quotas_free(r.q);
}

static void a_fixed_window_is_used_up_and_begins_anew(void **state)
{
    rig r =
        rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 10, window: 1h, kind: fixed,"
                              " message: enough}\n");
    quota_hold *h;
    assert_int_equal(take(&r, start_ms + 60000, 8, &h), QUOTA_ROOM);
    quota_view v;
    assert_true(quota_tightest(h, &v));
    assert_true(v.limit == 10 && v.remaining == 2 && v.reset_ms == HOUR_MS - 60000);
    quota_hold *other;
    assert_int_equal(take(&r, start_ms + 60000, 3, &other), QUOTA_FULL);
    assert_int_equal(r.no.why, QUOTA_USED_UP);
    assert_int_equal(r.no.retry_after_ms, HOUR_MS - 60000);
    assert_true(str_eq(r.no.message, S("enough")) && str_eq(r.no.view.id, S("q")));
    assert_int_equal(reserve_as(&r, "bob", start_ms, 3, &other), QUOTA_ROOM); /* another key */
    const quota_usage less = {.output = 4};
    quota_settle(h, &less, QUOTA_DONE);
    assert_int_equal(take(&r, start_ms + 60000, 6, &h), QUOTA_ROOM);
    assert_int_equal(take(&r, start_ms + 60000, 1, &other), QUOTA_FULL);
    assert_int_equal(take(&r, start_ms + HOUR_MS, 10, &other), QUOTA_ROOM);
    assert_int_equal(take(&r, start_ms, 11, &other), QUOTA_FULL);
    assert_true(r.no.why == QUOTA_TOO_LARGE && r.no.retry_after_ms == 0);
    quotas_free(r.q);
}

static void a_sliding_window_remembers_the_one_before(void **state)
{
    rig r = rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 10, window: 1h}\n");
    quota_hold *h;
    assert_int_equal(take(&r, start_ms, 10, &h), QUOTA_ROOM);
    assert_int_equal(take(&r, start_ms + 60000, 1, &h), QUOTA_FULL);
    assert_int_equal(r.no.retry_after_ms, HOUR_MS - 60000 + HOUR_MS / 10); /* a tenth slid off */
    assert_int_equal(take(&r, start_ms + HOUR_MS, 1, &h), QUOTA_FULL);
    assert_int_equal(take(&r, start_ms + HOUR_MS + HOUR_MS / 10 - 1000, 1, &h), QUOTA_FULL);
    assert_int_equal(take(&r, start_ms + HOUR_MS + HOUR_MS / 10, 1, &h), QUOTA_ROOM);
    quota_settle(h, NULL, QUOTA_UNSENT);
    assert_int_equal(take(&r, start_ms + HOUR_MS + HOUR_MS / 2, 6, &h), QUOTA_FULL);
    assert_int_equal(take(&r, start_ms + HOUR_MS + HOUR_MS / 2, 5, &h), QUOTA_ROOM);
    assert_int_equal(take(&r, start_ms + 2 * HOUR_MS - 1, 5, &h), QUOTA_FULL);
    assert_int_equal(take(&r, start_ms + 2 * HOUR_MS - 1, 4, &h), QUOTA_ROOM);
    quotas_free(r.q);
}

static void a_month_is_the_calendars(void **state)
{
    rig r = rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 1, window: month}\n");
    const int64_t feb_28 = 1709164799000, mar_1 = 1709251200000; /* 2024: a leap year */
    quota_hold *h;
    assert_int_equal(take(&r, feb_28, 1, &h), QUOTA_ROOM);
    assert_int_equal(take(&r, feb_28 + 1000, 1, &h), QUOTA_FULL); /* the 29th */
    assert_int_equal(r.no.view.reset_ms, 86400000);
    assert_int_equal(take(&r, mar_1, 1, &h), QUOTA_ROOM);
    quotas_free(r.q);
}

static void slots_of_concurrency_come_back(void **state)
{
    rig r = rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 2, kind: concurrency}\n");
    quota_hold *one, *two, *three;
    assert_int_equal(take(&r, start_ms, 100, &one), QUOTA_ROOM);
    assert_int_equal(take(&r, start_ms, 100, &two), QUOTA_ROOM);
    assert_int_equal(take(&r, start_ms, 100, &three), QUOTA_FULL);
    const quota_usage used = {.output = 1000};
    quota_settle(one, &used, QUOTA_CUT);
    assert_int_equal(take(&r, start_ms, 100, &three), QUOTA_ROOM);
    quotas_free(r.q);
}

static void all_have_room_or_nothing_is_taken(void **state)
{
    rig r = rig_of(*state, QUOTAS "  - {id: a, for: {models: m}, limit: 100, window: 1h}\n"
                                  "  - {id: b, for: {models: m}, limit: 1, window: 1h, cost: 1}\n");
    quota_hold *h, *other;
    quota_view v;
    int64_t cost;
    assert_int_equal(take(&r, start_ms, 30, &h), QUOTA_ROOM);
    assert_true(quota_tightest(h, &v) && str_eq(v.id, S("b")) && v.remaining == 0);
    for (int i = 0; i < 10; i++) assert_int_equal(take(&r, start_ms, 30, &other), QUOTA_FULL);
    assert_true(str_eq(r.no.view.id, S("b")));
    quota_settle(h, NULL, QUOTA_UNSENT);
    assert_int_equal(take(&r, start_ms, 100, &h), QUOTA_ROOM);
    assert_true(quota_each(h, 0, &v, &cost) && cost == 100 && str_eq(v.id, S("a")));
    assert_true(quota_each(h, 1, &v, &cost) && cost == 1);
    assert_false(quota_each(h, 2, &v, &cost));
    quotas_free(r.q);
}

static void what_nobody_counted_costs_what_was_reserved(void **state)
{
    static const struct {
        bool known;
        int64_t used;
        quota_end end;
        int64_t want;
    } cases[] = {{true, 3, QUOTA_DONE, 3},   {true, 9, QUOTA_DONE, 9}, {false, 0, QUOTA_DONE, 5},
                 {true, 3, QUOTA_CUT, 5},    {true, 9, QUOTA_CUT, 9},  {false, 0, QUOTA_CUT, 5},
                 {true, 3, QUOTA_UNSENT, 0}, {true, 0, QUOTA_DONE, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r = rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 10, window: 1h}\n");
        quota_hold *h, *rest;
        quota_view v;
        int64_t cost;
        const quota_usage used = {.output = cases[i].used};
        assert_int_equal(take(&r, start_ms, 5, &h), QUOTA_ROOM);
        quota_settle(h, cases[i].known ? &used : NULL, cases[i].end);
        assert_true(quota_each(h, 0, &v, &cost) && cost == cases[i].want);
        assert_int_equal(take(&r, start_ms, 10 - cases[i].want, &rest), QUOTA_ROOM);
        assert_int_equal(take(&r, start_ms, 1, &rest), QUOTA_FULL);
        quotas_free(r.q);
    }
}

static void a_request_that_is_tried_again_counts_once(void **state)
{
    rig r =
        rig_of(*state, QUOTAS "  - {id: calls, for: {models: m}, limit: 2, window: 1h, cost: 1}\n"
                              "  - {id: tokens, for: {models: m}, limit: 100, window: 1h}\n");
    quota_hold *h;
    quota_view v;
    int64_t cost;
    const quota_usage used = {.output = 9};
    for (int attempt = 0; attempt < 3; attempt++) {
        assert_int_equal(take(&r, start_ms, 20, &h), QUOTA_ROOM);
        quota_settle(h, &used, attempt < 2 ? QUOTA_AGAIN : QUOTA_DONE);
        assert_true(quota_each(h, 0, &v, &cost) && cost == (attempt == 2));
        assert_true(quota_each(h, 1, &v, &cost) && cost == 9);
    }
    assert_int_equal(take(&r, start_ms, 20, &h), QUOTA_ROOM);
    quota_settle(h, &used, QUOTA_DONE);
    assert_int_equal(take(&r, start_ms, 20, &h), QUOTA_FULL);
    assert_true(str_eq(r.no.view.id, S("calls")));
    quotas_free(r.q);
}

static void a_shadow_counts_and_never_refuses(void **state)
{
    rig r =
        rig_of(*state, QUOTAS
               "  - {id: q, for: {models: m}, limit: 2, window: 1h, cost: 1, mode: shadow}\n"
               "  - {id: w, for: {models: m}, limit: 9, window: 1h, key: jwt.x, mode: shadow}\n");
    quota_hold *h;
    quota_view v;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(take(&r, start_ms, 1, &h), QUOTA_ROOM);
        assert_true(str_eq(quota_shadowed(h), S("w"))); /* its key cannot be told */
    }
    assert_int_equal(take(&r, start_ms, 1, &h), QUOTA_ROOM);
    assert_true(str_eq(quota_shadowed(h), S("q")));
    assert_false(quota_tightest(h, &v));
    quota_settle(h, NULL, QUOTA_DONE);
    quotas_free(r.q);
}

static void what_cannot_be_told_is_refused(void **state)
{
    rig r =
        rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 2, window: 1h, key: jwt.x}\n");
    quota_hold *h;
    assert_int_equal(take(&r, start_ms, 1, &h), QUOTA_FULL);
    assert_true(r.no.why == QUOTA_UNTOLD && r.no.retry_after_ms == 0 && r.no.error.n);
    quotas_free(r.q);
}

static void a_key_too_many_is_refused_and_not_shared(void **state)
{
    rig r = rig_of(*state,
                   QUOTAS "  - {id: q, for: {models: m}, limit: 2, window: 1h, key: jwt.sub}\n");
    quota_hold *h;
    int refused = 0;
    for (int i = 0; i < QUOTA_KEYS_MOST + 100; i++) {
        char sub[16];
        (void)snprintf(sub, sizeof sub, "u%d", i);
        arena *a = arena_new();
        rig one = {.a = a, .p = r.p, .q = r.q};
        if (reserve_as(&one, sub, start_ms, 2, &h) == QUOTA_FULL) {
            assert_int_equal(one.no.why, QUOTA_KEYS);
            refused++;
        }
        arena_free(a);
    }
    assert_true(refused >= 100 && refused < 300);
    assert_int_equal(reserve_as(&r, "u1", start_ms, 1, &h), QUOTA_FULL);
    assert_int_equal(r.no.why, QUOTA_USED_UP);
    assert_int_equal(reserve_as(&r, "fresh", start_ms + 2 * HOUR_MS, 1, &h), QUOTA_ROOM);
    quotas_free(r.q);
}

static void rules_see_what_remains(void **state)
{
    rig r =
        rig_of(*state, QUOTAS "  - {id: q, for: {models: m}, limit: 10, window: 1h, key: jwt.sub}\n"
                              "rules:\n"
                              "  - {id: p, permit: fs/x, when: quota.q.remaining >= 5 &&"
                              " quota.q.reset_in > 60}\n");
    quota_hold *h;
    question q = call_of(r.a, "fs", "x", NULL);
    q.quotas = r.q;
    q.now_ms = start_ms;
    assert_true(decide(r.a, r.p, &q).permit);
    assert_int_equal(take(&r, start_ms, 6, &h), QUOTA_ROOM);
    assert_false(decide(r.a, r.p, &q).permit);
    quota_settle(h, NULL, QUOTA_UNSENT);
    assert_true(decide(r.a, r.p, &q).permit);
    quotas_free(r.q);
}

/* Property: never more than the limit is out, and at the end it is what was settled. */

enum { THREADS = 50, ROUNDS = 200, LIMIT = 1000 };
typedef struct {
    rig *r;
    unsigned seed;
    _Atomic int64_t *out, *settled;
    bool over;
} spender;

static void *spend(void *arg)
{
    spender *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        rig mine = {.a = arena_new(), .p = s->r->p, .q = s->r->q};
        int64_t want = rand_r(&s->seed) % 20, really = rand_r(&s->seed) % 3;
        quota_hold *h;
        if (take(&mine, start_ms, want, &h) == QUOTA_ROOM) {
            if (atomic_fetch_add(s->out, want) + want > LIMIT) s->over = true;
            if (really > want) really = want;
            atomic_fetch_sub(s->out, want - really);
            atomic_fetch_add(s->settled, really);
            const quota_usage used = {.output = really};
            quota_settle(h, &used, QUOTA_DONE);
        }
        arena_free(mine.a);
    }
    return NULL;
}

static void fifty_spend_never_more_than_there_is(void **state)
{
    rig r = rig_of(*state,
                   QUOTAS "  - {id: q, for: {models: m}, limit: 1000, window: 1h, kind: fixed}\n");
    _Atomic int64_t out = 0, settled = 0;
    pthread_t threads[THREADS];
    spender all[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        all[i] = (spender){&r, i + 1, &out, &settled, false};
        assert_int_equal(pthread_create(&threads[i], NULL, spend, &all[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < THREADS; i++) assert_false(all[i].over);
    quota_hold *h;
    quota_view v;
    int64_t left = LIMIT - settled;
    assert_true(left >= 0);
    assert_int_equal(take(&r, start_ms, left + 1, &h), QUOTA_FULL);
    assert_int_equal(r.no.view.remaining, left);
    assert_int_equal(take(&r, start_ms, left, &h), QUOTA_ROOM);
    assert_true(quota_tightest(h, &v) && v.remaining == 0);
    quotas_free(r.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(without_a_quota_there_is_room),
        T(a_fixed_window_is_used_up_and_begins_anew),
        T(a_sliding_window_remembers_the_one_before),
        T(a_month_is_the_calendars),
        T(slots_of_concurrency_come_back),
        T(all_have_room_or_nothing_is_taken),
        T(what_nobody_counted_costs_what_was_reserved),
        T(a_request_that_is_tried_again_counts_once),
        T(a_shadow_counts_and_never_refuses),
        T(what_cannot_be_told_is_refused),
        T(a_key_too_many_is_refused_and_not_shared),
        T(rules_see_what_remains),
        T(fifty_spend_never_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
