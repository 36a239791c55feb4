/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../base/buf.h"
#include "../../llm/estimate.h"

#include "own_arena.h"

static void text_is_four_bytes_a_token(void **state)
{
    (void)state;
    assert_int_equal(estimate_text((str){0}), 0);
    assert_int_equal(estimate_text(S("a")), 1);
    assert_int_equal(estimate_text(S("hello you")), 3);
    buf long_text = buf_new(a, 1 << 20);
    for (int i = 0; i < 10000; i++) buf_put(&long_text, S("some word "));
    int64_t tokens = estimate_text(buf_str(&long_text));
    assert_in_range(tokens, 25000, 25010);
}

static void a_picture_costs_what_pictures_do(void **state)
{
    (void)state;
    buf body = buf_new(a, 4 << 20);
    buf_put(&body, S("{\"url\":\"data:image/png;base64,"));
    for (int i = 0; i < 100000; i++) buf_put(&body, S("iVBORw0KGg"));
    buf_put(&body, S("\"}"));
    assert_in_range(estimate_text(buf_str(&body)), 1500 + 15625, 1500 + 15625 + 20);
}

static int64_t answer(flat_kind kind, const char *text)
{
    js_value root = {0};
    assert_null(js_check(a, (str){text, strlen(text)}, 8, &root));
    return estimate_answer(kind, root);
}

static void an_answer_is_as_long_as_the_request_says(void **state)
{
    (void)state;
    const struct {
        const char *body;
        int64_t most;
    } cases[] = {
        {"{}", -1},
        {"{\"max_tokens\":7}", 7},
        {"{\"max_completion_tokens\":8}", 8},
        {"{\"max_output_tokens\":9}", 9},
        {"{\"max_tokens\":7,\"max_completion_tokens\":8}", 8},
        {"{\"max_tokens\":7,\"n\":3}", 21},
        {"{\"max_tokens\":7,\"n\":2,\"best_of\":4}", 28},
        {"{\"n\":3}", -1},
        {"{\"max_tokens\":-1}", -1},
        {"{\"max_tokens\":\"7\"}", -1},
        {"{\"max_tokens\":9000000000000000000,\"n\":1000000}", ((int64_t)1 << 30) * 128},
        {"[]", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(answer(FLAT_NONE, cases[i].body) == cases[i].most);
    assert_int_equal(answer(FLAT_EMBEDDINGS, "{\"max_tokens\":7}"), 0);
    assert_int_equal(answer(FLAT_COUNT_TOKENS, "{\"max_tokens\":7}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(text_is_four_bytes_a_token),
        ARENA_TEST(a_picture_costs_what_pictures_do),
        ARENA_TEST(an_answer_is_as_long_as_the_request_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
