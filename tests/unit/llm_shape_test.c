/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* llm_shape_test.c - what has another shape than its dialect says: clients are told so, and no
 * provider's answer reaches beyond what was counted for it. */
#include "llm_case.h"
#include "own_arena.h"

/* `item` forty times, each under a name of its own: an object where a list belongs. */
static str object_of(const char *item)
{
    buf b = buf_new(a, 1 << 20);
    for (int i = 0; i < 40; i++) buf_put(&b, arena_fmt(a, "%s\"k%d\":%s", i ? "," : "", i, item));
    return arena_fmt(a, "{" STR_FMT "}", STR_ARG(buf_str(&b)));
}

#define CALL                                                                                       \
    "{\"id\":\"i\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
#define TEXT "{\"type\":\"text\",\"text\":\"x\",\"thinking\":\"y\"}"

/* An answer whose one list is `%s`. */
static const struct {
    const llm_dialect *d;
    const char *body, *item;
} answers[] = {
    {&openai_chat, "{\"choices\":[{\"message\":{\"tool_calls\":%s}}]}", CALL},
    {&openai_chat, "{\"choices\":[{\"message\":{\"content\":%s}}]}", TEXT},
    {&openai_chat, "{\"choices\":[{\"message\":{\"thinking_blocks\":%s}}]}", TEXT},
    {&openai_chat, "{\"choices\":%s}", "{\"message\":{\"content\":\"x\"}}"},
    {&anthropic_messages, "{\"content\":%s}", TEXT},
    {&bedrock, "{\"output\":{\"message\":{\"content\":%s}},\"stopReason\":\"end_turn\"}", TEXT},
    {&gemini, "{\"candidates\":[{\"content\":{\"parts\":%s}}]}", TEXT},
    {&gemini, "{\"candidates\":%s}", "{\"content\":{\"parts\":[]}}"},
    {&cohere, "{\"message\":{\"content\":%s}}", TEXT},
    {&cohere, "{\"message\":{\"tool_calls\":%s}}", CALL},
};

static void an_object_in_the_place_of_a_list_holds_nothing(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        str list = object_of(answers[i].item);
        char *hole = strstr(answers[i].body, "%s");
        str body = arena_fmt(a, "%.*s" STR_FMT "%s", (int)(hole - answers[i].body), answers[i].body,
                             STR_ARG(list), hole + 2);
        js_value root;
        assert_null(js_check(a, body, 64, &root));
        llm_reply r = {0};
        const err *e = answers[i].d->read_reply(reader_new(a), root, NULL, &r);
        size_t parts = !e && r.count ? r.choices[0].count : 0;
        assert_int_equal(parts, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(an_object_in_the_place_of_a_list_holds_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
