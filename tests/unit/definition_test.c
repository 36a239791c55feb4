/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/definition.h"
#include "own_arena.h"

static str form(const char *tool)
{
    js_value root;
    assert_null(js_check(a, (str){tool, strlen(tool)}, 64, &root));
    return definition_canonical(a, root);
}

#define assert_form(tool, wanted)                                                                  \
    do {                                                                                           \
        str got_ = form(tool);                                                                     \
        assert_int_equal(got_.n, strlen(wanted));                                                  \
        assert_memory_equal(got_.p, wanted, got_.n);                                               \
    } while (0)

static void members_are_sorted_and_spaces_gone(void **state)
{
    (void)state;
    assert_form(" { \"name\" : \"x\", \"inputSchema\" : { \"type\":\"object\", \"a\" : [ 1 , {} ] "
                "} } ",
                "{\"inputSchema\":{\"a\":[1,{}],\"type\":\"object\"},\"name\":\"x\"}");
}

static void strings_are_spelled_one_way(void **state)
{
    (void)state;
    assert_form("{\"n\\u0061me\":\"\\u0061\\/b\\u00fc\\n\"}", "{\"name\":\"a/b\xC3\xBC\\n\"}");
}

static void numbers_stay_as_they_were_sent(void **state)
{
    (void)state;
    assert_form("{\"inputSchema\":{\"a\":1.0,\"b\":18446744073709551615,\"c\":1E2}}",
                "{\"inputSchema\":{\"a\":1.0,\"b\":18446744073709551615,\"c\":1E2}}");
}

static void only_what_a_model_acts_on_counts(void **state)
{
    (void)state;
    assert_form("{\"name\":\"x\",\"_meta\":{\"a\":1},\"icons\":[],\"x\":2}", "{\"name\":\"x\"}");
}

static void absent_null_and_empty_are_three(void **state)
{
    (void)state;
    assert_form("{\"title\":null}", "{\"title\":null}");
    assert_form("{\"title\":\"\"}", "{\"title\":\"\"}");
    assert_form("{}", "{}");
}

static void a_key_that_begins_another_comes_first(void **state)
{
    (void)state;
    assert_form("{\"annotations\":{\"ab\":1,\"a\":2,\"B\":3,\"\":4}}",
                "{\"annotations\":{\"\":4,\"B\":3,\"a\":2,\"ab\":1}}");
}

static void the_form_of_a_form_is_itself(void **state)
{
    (void)state;
    str once = form("{\"title\":\"\\u202e\",\"annotations\":{\"z\":[true,null],\"a\":\"\\\"\"}}");
    js_value root;
    assert_null(js_check(a, once, 64, &root));
    str twice = definition_canonical(a, root);
    assert_true(str_eq(once, twice));
}

static void another_description_is_another_digest(void **state)
{
    (void)state;
    static const char *const tools[] = {"{\"name\":\"x\",\"description\":\"a\"}",
                                        "{\"description\":\"a\",\"name\":\"x\"}",
                                        "{\"name\":\"x\",\"description\":\"b\"}"};
    uint8_t sum[3][DIGEST_BYTES];
    for (int i = 0; i < 3; i++) {
        js_value root;
        assert_null(js_check(a, (str){tools[i], strlen(tools[i])}, 64, &root));
        definition_digest(root, sum[i]);
    }
    assert_memory_equal(sum[0], sum[1], DIGEST_BYTES);
    assert_memory_not_equal(sum[0], sum[2], DIGEST_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(members_are_sorted_and_spaces_gone),
                                       ARENA_TEST(strings_are_spelled_one_way),
                                       ARENA_TEST(numbers_stay_as_they_were_sent),
                                       ARENA_TEST(only_what_a_model_acts_on_counts),
                                       ARENA_TEST(absent_null_and_empty_are_three),
                                       ARENA_TEST(a_key_that_begins_another_comes_first),
                                       ARENA_TEST(the_form_of_a_form_is_itself),
                                       ARENA_TEST(another_description_is_another_digest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
