/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat.c - OpenAI's chat completions, as clients and as providers speak it. */
#include "openai_chat.h"
#include "azure.h"
#include "thinking.h"

/* clang-format off */
static const name_row verbosities[] = {
    {"low", VERBOSITY_LOW}, {"medium", VERBOSITY_MEDIUM}, {"high", VERBOSITY_HIGH}, {0},
};

#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
#define N(path, member, names) {path, FIELD_NAME, offsetof(llm_chat, member), names, false}
#define ALIAS(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, true}
const field_row openai_chat_params[] = {
    F("temperature",                  FIELD_NUM,  temperature),
    F("top_p",                        FIELD_NUM,  top_p),
    F("presence_penalty",             FIELD_NUM,  presence_penalty),
    F("frequency_penalty",            FIELD_NUM,  frequency_penalty),
    ALIAS("max_tokens",               FIELD_INT,  max_tokens),
    F("max_completion_tokens",        FIELD_INT,  max_tokens),
    F("seed",                         FIELD_INT,  seed),
    F("n",                            FIELD_INT,  n),
    F("logprobs",                     FIELD_BOOL, logprobs),
    F("top_logprobs",                 FIELD_INT,  top_logprobs),
    F("logit_bias",                   FIELD_JSON, logit_bias),
    F("metadata",                     FIELD_JSON, metadata),
    F("store",                        FIELD_BOOL, store),
    F("user",                         FIELD_STR,  user),
    F("service_tier",                 FIELD_STR,  service_tier),
    F("prompt_cache_key",             FIELD_STR,  cache_key),
    F("parallel_tool_calls",          FIELD_BOOL, parallel_tools),
    N("reasoning_effort",             effort,     llm_efforts),
    N("verbosity",                    verbosity,  verbosities),
    F("stream",                       FIELD_BOOL, stream),
    F("stream_options.include_usage", FIELD_BOOL, include_usage),
    {0},
};
#undef F
#undef N
#undef ALIAS
#define F(path, member) {path, FIELD_INT, offsetof(llm_usage, member), NULL, false}
const field_row openai_chat_usage[] = {
    F("prompt_tokens",                                    input),
    F("completion_tokens",                                output),
    F("prompt_tokens_details.cached_tokens",              cache_read),
    F("prompt_tokens_details.cache_creation_input_tokens", cache_write),
    F("completion_tokens_details.reasoning_tokens",       reasoning),
    {0},
};
#undef F
/* clang-format on */

static const char *const usage_at[] = {"usage", NULL};

static bool has(str data, const char *text)
{
    return memmem(data.p, data.n, text, strlen(text)) != NULL;
}

/* Some servers write a space behind colons and commas. A frame that is longer than `most` without
 * them has content. */
static str without_spaces(str data, char *to, size_t most)
{
    size_t n = 0;
    bool text = false, escaped = false;
    if (!has(data, "\": ") && !str_starts(data, S("{ "))) return data;
    for (size_t i = 0; i < data.n; i++) {
        char c = data.p[i];
        if (!text && (c == ' ' || c == '\t')) continue;
        if (n == most) return data;
        to[n++] = c;
        if (c == '"' && !escaped) text = !text;
        escaped = text && c == '\\' && !escaped;
    }
    return (str){to, n};
}

/* The first chunks say a role or, at Azure, what was filtered: no content yet. */
static frame_sense sense(llm_frame f)
{
    enum { SHORT = 2048 };
    char room[SHORT];
    f.data = without_spaces(f.data, room, SHORT);
    if (str_eq(f.data, S("[DONE]"))) return FRAME_END;
    if (str_starts(f.data, S("{\"error\""))) return FRAME_ERROR;
    if (has(f.data, "\"finish_reason\":\"")) return FRAME_STOP;
    static const char *const nothing[] = {"\"choices\":[]", "\"content\":\"\"", "\"delta\":{}",
                                          "\"delta\":{\"role\":\"assistant\"}",
                                          "\"delta\":{\"role\":\"assistant\",\"content\":null}"};
    bool empty = false;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing && !empty; i++)
        empty = has(f.data, nothing[i]);
    return empty && !has(f.data, "\"tool_calls\"") ? FRAME_PREAMBLE : FRAME_CONTENT;
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    if (to->backend->schema == SCHEMA_AZURE)
        out->target = azure_target(a, to, chat_model(c, to), "chat/completions");
    else
        out->target = backend_path(a, to->backend, S("/chat/completions"));
    return NULL;
}

/* The client's own options, and the count. */
static str with_usage(arena *a, js_value root)
{
    static const body_edit asked[] = {{{"include_usage", 13}, {"true", 4}}, {{0}, {0}}};
    js_value own = js_get(root, S("stream_options"));
    return own.kind == JS_OBJECT ? body_edited(a, own, asked) : S("{\"include_usage\":true}");
}

/* The forced count is hidden again from a client that did not ask for it (relay). */
static const body_edit *edit_request(arena *a, const llm_chat *c, const llm_target *to)
{
    body_edit *edits = NEW_N(a, body_edit, 3);
    size_t n = 0;
    if (to->model.p) edits[n++] = (body_edit){S("model"), jn_dump(a, jn_text(a, to->model))};
    if (c->stream.v && !c->include_usage.v)
        edits[n++] = (body_edit){S("stream_options"), with_usage(a, c->root)};
    return edits;
}

const llm_dialect openai_chat = {
    .name = "openai_chat",
    .family = "openai_chat",
    .counts = COUNTS_CACHE_IN_INPUT | COUNTS_REASONING_IN_OUTPUT,
    .params = openai_chat_params,
    .usage = openai_chat_usage,
    .usage_at = usage_at,
    .error_type = "OpenAIBackendError",
    .sense = sense,
    .read_request = openai_chat_read_request,
    .write_reply = openai_chat_write_reply,
    .write_event = openai_chat_write_event,
    .write_error = openai_write_error,
    .write_request = openai_chat_write_request,
    .edit_request = edit_request,
    .write_head = write_head,
    .read_reply = openai_chat_read_reply,
    .read_event = openai_chat_read_event,
    .read_error = openai_read_error,
};
