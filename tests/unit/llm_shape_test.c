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

/* What is told names the member. */
static const struct {
    const llm_dialect *d;
    const char *body, *told;
} requests[] = {
    {&openai_chat,
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":5}]}]}",
     "'messages.content.text'"},
    {&openai_chat, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":{\"a\":{}}}]}",
     "'messages.tool_calls'"},
    {&openai_chat, "{\"messages\":[],\"tools\":{\"a\":1}}", "'tools'"},
    {&openai_chat, "{\"messages\":[],\"stop\":[\"a\",5]}", "'stop'"},
    {&openai_chat, "{\"messages\":[],\"response_format\":\"json\"}", "'response_format'"},
    {&openai_chat,
     "{\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":1}"
     "}]}",
     "'tools.function.strict'"},
    {&anthropic_messages, "{\"max_tokens\":9,\"messages\":[],\"stop_sequences\":\"a\"}",
     "'stop_sequences'"},
    {&anthropic_messages,
     "{\"max_tokens\":9,\"messages\":[],\"system\":[{\"type\":\"text\",\"text\":\"x\","
     "\"cache_control\":\"yes\"}]}",
     "'messages.content.cache_control'"},
    {&anthropic_messages, "{\"max_tokens\":9,\"messages\":[],\"tool_choice\":\"auto\"}",
     "'tool_choice'"},
    {&openai_responses, "{\"input\":\"x\",\"instructions\":5}", "'instructions'"},
    {&openai_responses, "{\"input\":\"x\",\"text\":\"short\"}", "'text'"},
    {&openai_responses, "{\"input\":[{\"type\":\"reasoning\",\"summary\":\"x\"}]}",
     "'input.summary'"},
};

static void a_member_of_another_type_is_refused_by_its_name(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        llm_chat c = {0};
        const err *e =
            case_read(a, requests[i].d, (str){requests[i].body, strlen(requests[i].body)}, &c);
        const char *told = e ? e->text.p : "it was read";
        assert_true(e && e->kind == ERR_MALFORMED);
        if (!strstr(told, requests[i].told)) fail_msg("%s", told);
    }
}

/* What Gemini of before 3 cannot be told, and what none of the others is. */
static const struct {
    const llm_dialect *from, *to;
    const char *body, *lost;
} losses[] = {
    {&openai_chat, &gemini,
     "{\"model\":\"gemini-2.5-pro\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
     "\"image_url\","
     "\"image_url\":{\"url\":\"data:image/png;base64,AA==\",\"detail\":\"high\"}}]}]}",
     "messages.content.image_url.detail"},
    {&openai_chat, &gemini,
     "{\"model\":\"gemini-2.5-pro\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":"
     "{\"name\":\"f\",\"strict\":true}}]}",
     "tools.function.strict"},
    {&anthropic_messages, &gemini,
     "{\"model\":\"gemini-2.5-pro\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":["
     "{\"type\":"
     "\"tool_result\",\"tool_use_id\":\"t\",\"content\":[{\"type\":\"from_the_future\"}]}]}]}",
     "messages.content"},
    {&openai_chat, &anthropic_messages,
     "{\"model\":\"claude\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{"
     "\"name\":\"f\","
     "\"parameters\":\"none\"}}]}",
     "tools.schema"},
    {&openai_responses, &anthropic_messages,
     "{\"model\":\"claude\",\"input\":\"x\",\"include\":[\"file_search_call.results\"]}",
     "include"},
    {&anthropic_messages, &openai_chat,
     "{\"model\":\"gpt\",\"max_tokens\":9,\"messages\":[],\"service_tier\":\"fast\"}",
     "service_tier"},
};

static void what_is_left_out_is_named(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        llm_chat c = {0};
        str out = {0}, lost = {0};
        assert_null(
            case_read(a, losses[i].from, (str){losses[i].body, strlen(losses[i].body)}, &c));
        assert_null(case_write(a, losses[i].to, &c, &out, &lost));
        if (!str_eq(lost, (str){losses[i].lost, strlen(losses[i].lost)}))
            print_error("%s\n" STR_FMT "\n", losses[i].body, STR_ARG(lost));
        assert_true(str_eq(lost, (str){losses[i].lost, strlen(losses[i].lost)}));
    }
}

static void the_list_of_losses_has_an_end(void **s)
{
    (void)s;
    buf b = buf_new(a, 8 << 20);
    buf_put(&b, S("{\"model\":\"claude\",\"messages\":[]"));
    for (int i = 0; i < 100000; i++) buf_put(&b, arena_fmt(a, ",\"member_%d\":1", i));
    buf_put(&b, S("}"));
    llm_chat c = {0};
    str out = {0}, lost = {0};
    assert_null(case_read(a, &openai_chat, buf_str(&b), &c));
    assert_null(case_write(a, &anthropic_messages, &c, &out, &lost));
    assert_true(lost.n > 1000 && lost.n <= 4096);
}

static void a_call_without_a_name_is_no_call(void **s)
{
    (void)s;
    static const struct {
        const llm_dialect *d;
        const char *stream;
    } streams[] = {
        {&openai_chat,
         "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n"
         "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
         "\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}}]}}]}\n\ndata: [DONE]\n\n"},
        {&anthropic_messages,
         "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
         "\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\"}}\n\n"
         "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
        {&gemini,
         "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":5}}]},"
         "\"finishReason\":\"STOP\"}]}\n\n"},
    };
    const llm_chat c = {.model = S("m")};
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const llm_dialect *to = i ? &openai_chat : &anthropic_messages;
        const err *broken = NULL;
        str out =
            case_translate(a, streams[i].d, to, &c,
                           (str[2]){{streams[i].stream, strlen(streams[i].stream)}, {0}}, &broken);
        assert_non_null(memmem(out.p, out.n, "\"error\":{", 9));
        assert_null(memmem(out.p, out.n, "tool_", 5));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(an_object_in_the_place_of_a_list_holds_nothing),
                                       ARENA_TEST(a_member_of_another_type_is_refused_by_its_name),
                                       ARENA_TEST(what_is_left_out_is_named),
                                       ARENA_TEST(the_list_of_losses_has_an_end),
                                       ARENA_TEST(a_call_without_a_name_is_no_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
