/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/scope.h"
#include "own_arena.h"

static void words_are_compared_whole(void **state)
{
    (void)state;
    assert_true(scope_covers(S("a bc  d"), S("d a")));
    assert_true(scope_covers(S("a"), S("")));
    assert_true(scope_covers((str){0}, (str){0}));
    assert_false(scope_covers(S("abc"), S("ab")));
    assert_false(scope_covers((str){0}, S("a")));
    assert_false(scope_covers(S("a b"), S("a b c")));
}

static void a_union_says_everything_once(void **state)
{
    (void)state;
    assert_true(str_eq(scope_union(a, S("a b"), S("b  c a d")), S("a b c d")));
    assert_true(str_eq(scope_union(a, (str){0}, S(" x ")), S("x")));
    assert_int_equal(scope_union(a, (str){0}, (str){0}).n, 0);
}

static void what_is_no_scope_is_left_out(void **state)
{
    (void)state;
    assert_true(str_eq(scope_union(a, S("a\"b c\\d e\tf"), S("ok \x7f")), S("ok")));
}

static void a_union_has_an_end(void **state)
{
    (void)state;
    char word[SCOPE_MOST];
    memset(word, 'w', sizeof word);
    assert_true(str_eq(scope_union(a, S("a"), (str){word, sizeof word}), S("a")));
    assert_true(scope_union(a, (str){word, SCOPE_MOST / 2}, S("b")).n == SCOPE_MOST / 2 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(words_are_compared_whole),
        ARENA_TEST(a_union_says_everything_once),
        ARENA_TEST(what_is_no_scope_is_left_out),
        ARENA_TEST(a_union_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
