/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* llm_lines_test.c - promises about single providers that no golden pair shows (docs/llm.md has the
 * table of all of them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../llm/origin.h"
#include "llm_case.h"

static arena *mem;

static int open_memory(void **state)
{
    (void)state;
    mem = arena_new();
    return 0;
}

static int close_memory(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}
#define T(f) cmocka_unit_test_setup_teardown(f, open_memory, close_memory)

static str text(const char *p)
{
    return (str){p, strlen(p)};
}

static void said(str got, const char *want)
{
    if (!str_eq(got, text(want))) print_error(STR_FMT "\nwanted %s\n", STR_ARG(got), want);
    assert_true(str_eq(got, text(want)));
}

static void a_prefix_is_for_those_who_have_one(void **s)
{
    (void)s;
    static const struct {
        const llm_dialect *d;
        llm_backend b;
        const char *want;
    } rows[] = {
        {&openai_chat, {.prefix = {"a/v9", 4}}, "/a/v9/chat/completions"},
        {&openai_chat, {.base_path = {"/x", 2}}, "/x/chat/completions"},
        {&openai_responses, {.prefix = {"v1", 2}}, "/v1/responses"},
        {&anthropic_messages, {.prefix = {"v1", 2}, .version = {"v7", 2}}, "/v1/messages"},
        {&anthropic_messages, {.prefix = {"p", 1}}, "/p/messages"},
        {&aws_anthropic, {.prefix = {"p", 1}}, "/model/m%3A1/invoke"},
        {&gcp_anthropic,
         {.schema = SCHEMA_GCP_ANTHROPIC,
          .prefix = {"p", 1},
          .project = {"j", 1},
          .region = {"r", 1}},
         "/v1/projects/j/locations/r/publishers/anthropic/models/m%3A1:rawPredict"},
        {&openai_responses,
         {.schema = SCHEMA_AZURE, .prefix = {"p", 1}, .version = {"2025-04-01-preview", 18}},
         "/openai/responses?api-version=2025-04-01-preview"},
        {&cohere, {.prefix = {"v1", 2}}, "/v2/chat"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const llm_target to = {.backend = &rows[i].b};
        const llm_chat c = {.model = S("m:1")};
        llm_head head = {0};
        assert_null(rows[i].d->write_head(mem, &c, &to, &head));
        said(head.target, rows[i].want);
    }
}

static void only_betas_that_aws_takes_travel_there(void **s)
{
    (void)s;
    static const header headers[] = {{S("anthropic-beta"),
                                      S("unheard-of-2031-01-01, interleaved-thinking-2025-05-14")},
                                     {S("Anthropic-Beta"),
                                      S("interleaved-thinking-2025-05-14,context-1m-2025-08-07")},
                                     {{0}, {0}}};
    llm_chat c = {.headers = headers};
    str out, lost;
    assert_null(case_read(mem, &anthropic_messages,
                          S("{\"model\":\"m\",\"max_tokens\":1,\"messages\":[]}"), &c));
    assert_null(case_write(mem, &aws_anthropic, &c, &out, &lost));
    js_value root;
    assert_null(js_check(mem, out, 16, &root));
    said(js_get(root, S("anthropic_beta")).raw,
         "[\"interleaved-thinking-2025-05-14\",\"context-1m-2025-08-07\"]");
}

/* What a target of a route to both Claude and Gemini is told of a thought that a chat client
 * brings. */
static str signature_at(const llm_dialect *d, const char *model, const char *id)
{
    str body = arena_fmt(
        mem,
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"assistant\",\"thinking_blocks\":[{\"type\":"
        "\"thinking\",\"thinking\":\"hm\",\"signature\":\"c2ln\"}],\"content\":\"x\"%s%s%s},"
        "{\"role\":\"user\",\"content\":\"y\"}]}",
        model, id ? ",\"tool_calls\":[{\"id\":\"" : "", id ? id : "",
        id ? "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]" : "");
    llm_chat c = {.mixed = true};
    str out, lost;
    assert_null(case_read(mem, &openai_chat, body, &c));
    assert_null(case_write(mem, d, &c, &out, &lost));
    bool told = memmem(out.p, out.n, "c2ln", 4);
    assert_true(told == !memmem(lost.p ? lost.p : "", lost.n, "messages.thinking", 17));
    return told ? S("told") : S("kept away");
}

static void an_untagged_signature_returns_to_its_maker_alone(void **s)
{
    (void)s;
    static const char claude[] = "claude-opus-4-6", google[] = "gemini-3-pro";
    said(signature_at(&anthropic_messages, claude, "toolu_1"), "told");
    said(signature_at(&bedrock, claude, "tooluse_1"), "told");
    said(signature_at(&gemini, google, "d0f6"), "told");
    said(signature_at(&gemini, google, "toolu_1"), "kept away");
    said(signature_at(&anthropic_messages, claude, "d0f6"), "kept away");
    said(signature_at(&bedrock, claude, "call_7"), "kept away");
    said(signature_at(&anthropic_messages, claude, NULL), "kept away");
    said(signature_at(&gemini, google, NULL), "kept away");
}

static void a_route_is_mixed_where_both_may_answer(void **s)
{
    (void)s;
    static const llm_backend google = {.schema = SCHEMA_GEMINI},
                             aws = {.schema = SCHEMA_AWS_BEDROCK}, like = {.schema = SCHEMA_OPENAI};
    static const llm_target to[] = {{.backend = &google}, {.backend = &like}, {.backend = &aws}};
    llm_route r = {.to = to, .target_count = 2};
    assert_false(origins_mix(&r, S("gpt-5")));
    assert_true(origins_mix(&r, S("claude-opus-4-6")));
    r.target_count = 3;
    assert_true(origins_mix(&r, S("gpt-5")));
    r.to = &to[1];
    r.target_count = 2;
    assert_false(origins_mix(&r, S("claude-opus-4-6")));
}

static void reply(const llm_dialect *d, str body, llm_reply *r)
{
    js_value root;
    *r = (llm_reply){0};
    assert_null(js_check(mem, body, 32, &root));
    assert_null(d->read_reply(reader_new(mem), root, NULL, r));
}

static void every_finish_reason_of_gemini_keeps_its_sense(void **s)
{
    (void)s;
    static const struct {
        const char *reason, *word;
    } rows[] = {
        {"STOP", "stop"},
        {"MAX_TOKENS", "length"},
        {"SAFETY", "content_filter"},
        {"BLOCKLIST", "content_filter"},
        {"PROHIBITED_CONTENT", "content_filter"},
        {"SPII", "content_filter"},
        {"IMAGE_SAFETY", "content_filter"},
        {"RECITATION", "recitation"},
        {"LANGUAGE", "language"},
        {"NO_IMAGE", "no_image"},
        {"MALFORMED_FUNCTION_CALL", "malformed_function_call"},
        {"UNEXPECTED_TOOL_CALL", "unexpected_tool_call"},
        {"OTHER", "error"},
        {"FINISH_REASON_UNSPECIFIED", "error"},
        {"OF_NEXT_YEAR", "error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        llm_reply r;
        const llm_chat c = {.model = S("m")};
        reply(&gemini,
              arena_fmt(mem, "{\"candidates\":[{\"finishReason\":\"%s\"}]}", rows[i].reason), &r);
        js_value out;
        assert_null(js_check(mem, jn_dump(mem, openai_chat.write_reply(mem, &c, &r)), 32, &out));
        js_iter it = js_iterate(js_get(out, S("choices")));
        assert_true(js_next(&it));
        said(js_text(mem, js_get(it.value, S("finish_reason"))), rows[i].word);
    }
}

static void a_bedrock_answer_without_output_is_none_unless_it_was_filtered(void **s)
{
    (void)s;
    js_value root;
    llm_reply r = {0};
    assert_null(js_check(mem, S("{\"stopReason\":\"end_turn\",\"usage\":{}}"), 8, &root));
    const err *e = bedrock.read_reply(reader_new(mem), root, NULL, &r);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_UPSTREAM);
    reply(&bedrock, S("{\"stopReason\":\"guardrail_intervened\"}"), &r);
    assert_int_equal(r.choices[0].stop, STOP_FILTER);
}

static void an_item_without_a_type_is_a_message(void **s)
{
    (void)s;
    llm_chat c = {0};
    str out, lost;
    assert_null(case_read(mem, &openai_responses,
                          S("{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
                            "{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
                            "\"text\":\"b\"}]},{\"role\":\"assistant\",\"content\":\"c\"}]}"),
                          &c));
    assert_null(case_write(mem, &cohere, &c, &out, &lost));
    assert_int_equal(lost.n, 0);
    assert_non_null(strstr(out.p, "\"assistant\",\"content\":\"b"));
    assert_non_null(strstr(out.p, "c\""));
}

/* A space behind the colon means nothing, and neither does how a line ends. */
static void an_event_is_the_same_however_it_is_spaced(void **s)
{
    (void)s;
    static const char *const forms[] = {
        "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n"
        "data: [DONE]\n\n",
        "data:{\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n"
        "data:[DONE]\n\n",
        ": hello\r\ndata:{\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}"
        "\r\n\r\ndata: [DONE]\r\n\r\n",
    };
    const llm_chat c = {.model = S("m")};
    str first = {0};
    for (size_t i = 0; i < 3; i++) {
        const err *broken = NULL;
        str out = case_translate(mem, &openai_chat, &anthropic_messages, &c,
                                 (str[2]){text(forms[i]), {0}}, &broken);
        assert_null(broken);
        if (i == 0) first = out;
        assert_true(first.n > 0 && str_eq(out, first));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_prefix_is_for_those_who_have_one),
        T(only_betas_that_aws_takes_travel_there),
        T(an_untagged_signature_returns_to_its_maker_alone),
        T(a_route_is_mixed_where_both_may_answer),
        T(every_finish_reason_of_gemini_keeps_its_sense),
        T(a_bedrock_answer_without_output_is_none_unless_it_was_filtered),
        T(an_item_without_a_type_is_a_message),
        T(an_event_is_the_same_however_it_is_spaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
