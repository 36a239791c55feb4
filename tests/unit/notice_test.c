/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../llm/notice.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const int64_t wall_ms = 784111777000;

static notice read_one(const char *name, const char *value)
{
    const header said[] = {{{name, strlen(name)}, {value, strlen(value)}}, {{0}, {0}}};
    return notice_read(said, wall_ms);
}

static void the_time_to_come_again_is_read_however_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int64_t ms;
    } cases[] = {
        {"retry-after", "20", 20000},
        {"Retry-After", "7.25", 7250},
        {"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT", 60000},
        {"retry-after", "Sun, 06 Nov 1994 08:40:37 GMT", 0},
        {"retry-after", "1994-11-06T08:49:39.5Z", 2500},
        {"retry-after", "6m0s", 360000},
        {"retry-after", "999999999999", NOTICE_MOST_MS},
        {"retry-after-ms", "1500", 1500},
        {"retry-after", "soon", -1},
        {"retry-after", "-5", 0},
        {"retry-after", "", -1},
        {"retry-after", "99999999999999999999", -1},
        {"retry-after", "Sun, 06 xxx 1994 08:50:37 GMT", -1},
        {"retry-after-ms", "x", -1},
        {"x-other", "5", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = read_one(cases[i].name, cases[i].value).retry_ms;
        if (ms == cases[i].ms || (cases[i].ms == 0 && ms <= 0)) continue;
        fail_msg("%s: %s gave %lld", cases[i].name, cases[i].value, (long long)ms);
    }
}

static void what_is_left_is_read_with_when_there_is_more(void **state)
{
    (void)state;
    static const header openai[] = {{S("x-ratelimit-remaining-requests"), S("0")},
                                    {S("x-ratelimit-reset-requests"), S("120ms")},
                                    {S("x-ratelimit-remaining-tokens"), S("149984")},
                                    {S("x-ratelimit-reset-tokens"), S("6m0s")},
                                    {{0}, {0}}};
    const notice n = notice_read(openai, wall_ms);
    assert_true(n.of[UNIT_REQUESTS].known && n.of[UNIT_TOKENS].known);
    assert_int_equal(n.of[UNIT_REQUESTS].left, 0);
    assert_int_equal(n.of[UNIT_REQUESTS].more_in_ms, 120);
    assert_int_equal(n.of[UNIT_TOKENS].left, 149984);
    assert_int_equal(n.of[UNIT_TOKENS].more_in_ms, 360000);
    assert_int_equal(n.retry_ms, -1);
}

static void the_scarcest_of_several_kinds_of_tokens_counts(void **state)
{
    (void)state;
    static const header said[] =
        {{S("anthropic-ratelimit-tokens-remaining"), S("9000")},
         {S("anthropic-ratelimit-tokens-reset"), S("1994-11-06T08:50:00Z")},
         {S("anthropic-ratelimit-output-tokens-remaining"), S("100")},
         {S("anthropic-ratelimit-output-tokens-reset"), S("1994-11-06T08:49:38Z")},
         {S("anthropic-ratelimit-requests-remaining"), S("7")}, /* until when is not said */
         {{0}, {0}}};
    const notice n = notice_read(said, wall_ms);
    assert_int_equal(n.of[UNIT_TOKENS].left, 100);
    assert_int_equal(n.of[UNIT_TOKENS].more_in_ms, 1000);
    assert_false(n.of[UNIT_REQUESTS].known);
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(the_time_to_come_again_is_read_however_it_is_written),
        cmocka_unit_test(what_is_left_is_read_with_when_there_is_more),
        cmocka_unit_test(the_scarcest_of_several_kinds_of_tokens_counts),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
