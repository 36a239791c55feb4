/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../llm/thinking.h"

static str text(const char *p)
{
    return (str){p, strlen(p)};
}

static void a_claude_is_known_by_its_name_wherever_it_is_hosted(void **s)
{
    (void)s;
    static const struct {
        const char *model;
        unsigned has, has_not;
    } cases[] = {
        {"claude-opus-4-7", CLAUDE_ADAPTIVE | CLAUDE_EFFORT | CLAUDE_NO_SAMPLING, CLAUDE_BUDGET},
        {"us.anthropic.claude-opus-4-7-v1:0", CLAUDE_NO_SAMPLING, CLAUDE_BUDGET},
        {"claude-mythos-preview", CLAUDE_ALWAYS_THINKS | CLAUDE_OMITS, CLAUDE_BUDGET},
        {"Claude-Opus-4-5@20251101", CLAUDE_BUDGET | CLAUDE_EFFORT, CLAUDE_ADAPTIVE},
        {"claude-opus-4-20250514", CLAUDE_BUDGET, CLAUDE_EFFORT | CLAUDE_NO_SAMPLING},
        {"claude-sonnet-4-6", CLAUDE_BUDGET | CLAUDE_ADAPTIVE, CLAUDE_NO_SAMPLING},
        {"claude-3-5-sonnet-20241022", 0, ~0u},
        {"gpt-4o", 0, ~0u},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned traits = claude_traits(text(cases[i].model));
        assert_int_equal(traits & cases[i].has, cases[i].has);
        assert_int_equal(traits & cases[i].has_not, 0);
    }
    assert_true(is_claude(S("eu.anthropic.CLAUDE-x")));
    assert_false(is_claude(S("gpt-4o")));
}

static void an_effort_is_a_budget_below_the_answer_for_those_who_take_budgets(void **s)
{
    (void)s;
    static const struct {
        const char *model, *thinking;
        int effort;
        int64_t most;
    } cases[] = {
        {"claude-sonnet-4-5", "{\"type\":\"enabled\",\"budget_tokens\":8192}", EFFORT_MEDIUM, 9000},
        {"claude-sonnet-4-5", "{\"type\":\"enabled\",\"budget_tokens\":4095}", EFFORT_HIGH, 4096},
        {"claude-sonnet-4-5", NULL, EFFORT_HIGH, 1024},
        {"claude-sonnet-4-5", NULL, EFFORT_NONE, 9000},
        {"claude-opus-4-7", NULL, EFFORT_HIGH, 9000},
        {"gpt-4o", NULL, EFFORT_HIGH, 9000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena *a = arena_new();
        llm_chat c = {.effort = cases[i].effort};
        jnode *j = claude_thinking(a, &c, text(cases[i].model), cases[i].most, NULL);
        if (cases[i].thinking)
            assert_true(str_eq(jn_dump(a, j), text(cases[i].thinking)));
        else
            assert_null(j);
        arena_free(a);
    }
}

static void what_was_asked_is_said_as_this_claude_takes_it(void **s)
{
    (void)s;
    arena *a = arena_new();
    llm_chat c = {.thinking = {.mode = THINK_BUDGET, .budget = {true, 2048}, .show = SHOW_SUMMARY}};
    jnode *old = claude_thinking(a, &c, S("claude-sonnet-4-5"), 9000, NULL);
    assert_true(str_eq(jn_dump(a, old), S("{\"type\":\"enabled\",\"budget_tokens\":2048,"
                                          "\"display\":\"summarized\"}")));
    jnode *new = claude_thinking(a, &c, S("claude-opus-4-7"), 9000, NULL);
    assert_true(str_eq(jn_dump(a, new), S("{\"type\":\"adaptive\",\"display\":\"summarized\"}")));
    c.thinking.mode = THINK_OFF;
    assert_null(claude_thinking(a, &c, S("claude-mythos-preview"), 9000, NULL));
    jnode *off = claude_thinking(a, &c, S("claude-opus-4-7"), 9000, NULL);
    assert_true(str_eq(jn_dump(a, off), S("{\"type\":\"disabled\"}")));
    arena_free(a);
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(a_claude_is_known_by_its_name_wherever_it_is_hosted),
        cmocka_unit_test(an_effort_is_a_budget_below_the_answer_for_those_who_take_budgets),
        cmocka_unit_test(what_was_asked_is_said_as_this_claude_takes_it),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
