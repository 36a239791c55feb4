/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../llm/standing.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RULE                                                                                       \
    {                                                                                              \
        .failures = 3, .pause_ms = 1000, .pause_most_ms = 4000                                     \
    }
static const standing_terms plain = {.breaker = RULE};
static const llm_model_limits small[] = {{.model = {"small", 5},
                                          .of = {[UNIT_REQUESTS] = {1, 1000}}},
                                         {{0}, {{0}}}};
static const standing_terms limited = {.breaker = RULE,
                                       .models = small,
                                       .of = {{.limit = 3, .window_ms = 1000},
                                              {.limit = 100, .window_ms = 1000}}};

typedef struct {
    standings *all;
    standing *s;
} rig;

static int set_up(void **state)
{
    static rig r;
    r.all = standings_new();
    r.s = standing_of(r.all, S("b"), S("http://u"));
    *state = &r;
    return 0;
}

static int tear_down(void **state)
{
    rig *r = *state;
    standing_drop(r->s);
    standings_free(r->all);
    return 0;
}

static standing_ask ask(const char *model, int64_t tokens, int64_t now_ms)
{
    return (standing_ask){.model = {model, strlen(model)}, .tokens = tokens, .now_ms = now_ms};
}

static standing_kind kind(rig *r, const standing_terms *t, const char *model, int64_t now_ms)
{
    const standing_ask k = ask(model, 10, now_ms);
    return standing_look(r->s, t, &k).kind;
}

static bool begin(rig *r, const standing_terms *t, standing_ask k, standing_hold *h)
{
    int64_t full;
    return standing_begin(r->s, t, &k, h, &full);
}

static void end(standing_hold *h, standing_end_kind how, bool reached, int64_t now_ms)
{
    const standing_outcome o = {.how = how, .reached = reached, .tokens = -1, .now_ms = now_ms};
    (void)standing_end(h, &o);
}

static void hear(standing_hold *h, int status, const header *headers, int64_t now_ms)
{
    const standing_answer a = {.status = status, .headers = headers, .now_ms = now_ms};
    standing_heard(h, &a);
}

static void fail_times(rig *r, int n, const char *model, int status, int64_t now_ms)
{
    for (int i = 0; i < n; i++) {
        standing_hold h;
        assert_true(begin(r, &plain, ask(model, 1, now_ms), &h));
        if (status) hear(&h, status, NULL, now_ms);
        end(&h, STANDING_FAILED, status != 0, now_ms);
    }
}

static void a_backend_that_cannot_be_reached_is_out_for_all_models(void **state)
{
    rig *r = *state;
    fail_times(r, 3, "m", 0, 1000);
    assert_int_equal(kind(r, &plain, "m", 1000), STANDING_OUT);
    assert_int_equal(kind(r, &plain, "other", 1999), STANDING_OUT);
    assert_int_equal(kind(r, &plain, "m", 2000), STANDING_GOOD);
}

static void a_model_that_fails_leaves_its_neighbours_alone(void **state)
{
    rig *r = *state;
    fail_times(r, 3, "m", 500, 1000);
    assert_int_equal(kind(r, &plain, "m", 1000), STANDING_OUT);
    assert_int_equal(kind(r, &plain, "other", 1000), STANDING_GOOD);
}

static void one_request_is_the_trial_and_its_first_word_ends_it(void **state)
{
    rig *r = *state;
    standing_hold h, later;
    fail_times(r, 3, "m", 500, 1000);
    assert_true(begin(r, &plain, ask("m", 1, 2000), &h));
    assert_int_equal(kind(r, &plain, "m", 2000), STANDING_OUT);
    standing_answers(&h, 2001);
    assert_int_equal(kind(r, &plain, "m", 2001), STANDING_GOOD);
    assert_true(begin(r, &plain, ask("m", 1, 2001), &later));
    end(&later, STANDING_WORKED, true, 2002);
    end(&h, STANDING_WORKED, true, 9000);
    end(&h, STANDING_FAILED, true, 9000); /* nothing is held any more */
    assert_int_equal(kind(r, &plain, "m", 9000), STANDING_GOOD);
}

static void a_limit_is_full_until_its_window_is_over(void **state)
{
    rig *r = *state;
    standing_hold h[3];
    int64_t full = 0;
    for (int i = 0; i < 3; i++) assert_true(begin(r, &limited, ask("m", 10, 1000 + i), &h[i]));
    const standing_ask k = ask("m", 10, 1500);
    assert_false(standing_begin(r->s, &limited, &k, &h[0], &full));
    assert_int_equal(full, 2000);
    assert_int_equal(kind(r, &limited, "m", 1999), STANDING_FULL);
    assert_int_equal(kind(r, &limited, "m", 2000), STANDING_GOOD);
    for (int i = 0; i < 3; i++) end(&h[i], STANDING_WORKED, true, 2500);
}

static void what_never_went_is_given_back_and_guesses_are_put_right(void **state)
{
    rig *r = *state;
    standing_hold h;
    assert_true(begin(r, &limited, ask("m", 95, 1000), &h));
    assert_int_equal(kind(r, &limited, "m", 1000), STANDING_FULL);
    end(&h, STANDING_UNASKED, false, 1000);
    assert_int_equal(kind(r, &limited, "m", 1000), STANDING_GOOD);
    assert_true(begin(r, &limited, ask("m", 95, 1000), &h));
    const standing_outcome o = {.how = STANDING_WORKED,
                                .reached = true,
                                .tokens = 5,
                                .now_ms = 1001};
    (void)standing_end(&h, &o);
    assert_true(begin(r, &limited, ask("m", 95, 1002), &h));
    end(&h, STANDING_WORKED, true, 1003);
    assert_false(begin(r, &limited, ask("m", 5, 1004), &h));
}

static void more_than_a_whole_limit_waits_for_a_window_of_its_own(void **state)
{
    rig *r = *state;
    standing_hold h;
    assert_true(begin(r, &limited, ask("m", 5000, 1000), &h));
    end(&h, STANDING_WORKED, true, 1000);
    assert_false(begin(r, &limited, ask("m", 1, 1001), &h));
    assert_true(begin(r, &limited, ask("m", 1, 2000), &h));
    end(&h, STANDING_WORKED, true, 2000);
}

static void a_model_has_limits_of_its_own(void **state)
{
    rig *r = *state;
    standing_hold h;
    assert_true(begin(r, &limited, ask("small", 1, 1000), &h));
    assert_int_equal(kind(r, &limited, "small", 1000), STANDING_FULL);
    assert_int_equal(kind(r, &limited, "m", 1000), STANDING_GOOD);
    end(&h, STANDING_WORKED, true, 1000);
}

static void a_429_closes_the_model_for_as_long_as_it_says(void **state)
{
    rig *r = *state;
    static const header wait[] = {{S("retry-after"), S("2")}, {{0}, {0}}};
    standing_hold h;
    assert_true(begin(r, &plain, ask("m", 1, 1000), &h));
    hear(&h, 429, wait, 1000);
    end(&h, STANDING_WORKED, true, 1000);
    assert_int_equal(kind(r, &plain, "m", 2999), STANDING_FULL);
    assert_int_equal(kind(r, &plain, "other", 2999), STANDING_GOOD);
    assert_int_equal(kind(r, &plain, "m", 3000), STANDING_GOOD);
    static const int64_t doubled[] = {1000, 2000, 4000};
    int64_t now = 3000; /* when nothing is said */
    for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++) {
        assert_true(begin(r, &plain, ask("m", 1, now), &h));
        hear(&h, 429, NULL, now);
        end(&h, STANDING_WORKED, true, now);
        assert_int_equal(kind(r, &plain, "m", now + doubled[i] - 1), STANDING_FULL);
        now += doubled[i];
        assert_int_equal(kind(r, &plain, "m", now), STANDING_GOOD);
    }
}

static void what_was_sent_meanwhile_is_taken_off_what_is_left(void **state)
{
    rig *r = *state;
    static const header two[] = {{S("x-ratelimit-remaining-requests"), S("2")},
                                 {S("x-ratelimit-reset-requests"), S("5s")},
                                 {{0}, {0}}};
    standing_hold first, h[3];
    assert_true(begin(r, &plain, ask("m", 1, 900), &first));
    hear(&first, 200, NULL, 900); /* from here on the model has a place */
    end(&first, STANDING_WORKED, true, 900);
    for (int i = 0; i < 2; i++) assert_true(begin(r, &plain, ask("m", 1, 1000), &h[i]));
    hear(&h[0], 200, two, 1000);
    assert_true(
        begin(r, &plain, ask("m", 1, 1001), &h[2])); /* 2 left, of which one is on its way */
    assert_int_equal(kind(r, &plain, "m", 1002), STANDING_FULL);
    assert_int_equal(kind(r, &plain, "m", 6000), STANDING_GOOD);
    for (int i = 0; i < 3; i++) end(&h[i], STANDING_WORKED, true, 6000);
}

static void names_that_callers_make_up_take_no_place(void **state)
{
    rig *r = *state;
    standing_hold h;
    for (int i = 0; i < 3 * STANDING_MODELS; i++) {
        char name[4] = {'x', (char)('a' + i % 26), (char)('a' + i / 26), 0};
        assert_true(begin(r, &plain, ask(name, 1, 1000), &h));
        hear(&h, 404, NULL, 1000);
        end(&h, STANDING_WORKED, true, 1000);
    }
    fail_times(r, 3, "real", 500, 1000);
    assert_int_equal(kind(r, &plain, "real", 1000), STANDING_OUT);
    assert_int_equal(kind(r, &plain, "other", 1000), STANDING_GOOD);
}

static void a_backend_of_the_same_name_elsewhere_is_another(void **state)
{
    rig *r = *state;
    standing *same = standing_of(r->all, S("b"), S("http://u")),
             *other = standing_of(r->all, S("b"), S("http://v"));
    assert_ptr_equal(same, r->s);
    assert_ptr_not_equal(other, r->s);
    standing_drop(same);
    standing_drop(other);
}

static void *hammer(void *state)
{
    rig *r = state;
    static const standing_terms t = {.breaker = {.failures = 1000000, .pause_ms = 1},
                                     .of = {{.limit = 1000000, .window_ms = 1000000}}};
    for (int i = 0; i < 5000; i++) {
        standing_hold h;
        if (!begin(r, &t, ask("m", 1, 1000), &h)) return NULL;
        hear(&h, 200, NULL, 1000);
        end(&h, i % 2 ? STANDING_WORKED : STANDING_UNASKED, true, 1000);
    }
    return NULL;
}

static void threads_count_what_they_take_together(void **state)
{
    rig *r = *state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, hammer, r);
    for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    static const standing_terms half = {.breaker = RULE,
                                        .of = {{.limit = 10001, .window_ms = 1000000}}};
    standing_hold h;
    assert_true(begin(r, &half, ask("m", 1, 2000), &h));
    assert_int_equal(kind(r, &half, "m", 2000), STANDING_FULL);
    end(&h, STANDING_WORKED, true, 2000);
}

#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    static const struct CMUnitTest t[] = {
        IN_RIG(a_backend_that_cannot_be_reached_is_out_for_all_models),
        IN_RIG(a_model_that_fails_leaves_its_neighbours_alone),
        IN_RIG(one_request_is_the_trial_and_its_first_word_ends_it),
        IN_RIG(a_limit_is_full_until_its_window_is_over),
        IN_RIG(what_never_went_is_given_back_and_guesses_are_put_right),
        IN_RIG(more_than_a_whole_limit_waits_for_a_window_of_its_own),
        IN_RIG(a_model_has_limits_of_its_own),
        IN_RIG(a_429_closes_the_model_for_as_long_as_it_says),
        IN_RIG(what_was_sent_meanwhile_is_taken_off_what_is_left),
        IN_RIG(names_that_callers_make_up_take_no_place),
        IN_RIG(a_backend_of_the_same_name_elsewhere_is_another),
        IN_RIG(threads_count_what_they_take_together),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
