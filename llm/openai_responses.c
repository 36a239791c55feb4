/* SPDX-License-Identifier: Apache-2.0 */
/* openai_responses.c - OpenAI's responses: spoken by clients, passed on to providers who speak it.
 */
#include "openai_responses.h"
#include "azure.h"
#include "openai_chat.h"
#include "thinking.h"

/* clang-format off */
#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
#define N(path, member, names) {path, FIELD_NAME, offsetof(llm_chat, member), names, false}
const field_row responses_params[] = {
    F("temperature",         FIELD_NUM,  temperature),
    F("top_p",               FIELD_NUM,  top_p),
    F("max_output_tokens",   FIELD_INT,  max_tokens),
    F("parallel_tool_calls", FIELD_BOOL, parallel_tools),
    F("metadata",            FIELD_JSON, metadata),
    F("user",                FIELD_STR,  user),
    F("service_tier",        FIELD_STR,  service_tier),
    F("prompt_cache_key",    FIELD_STR,  cache_key),
    F("top_logprobs",        FIELD_INT,  top_logprobs),
    F("stream",              FIELD_BOOL, stream),
    N("reasoning.effort",    effort,     llm_efforts),
    F("reasoning.summary",   FIELD_STR,  thinking.summary),
    {0},
};
#undef F
#undef N
#define F(path, member) {path, FIELD_INT, offsetof(llm_usage, member), NULL, false}
const field_row responses_usage[] = {
    F("input_tokens",                             input),
    F("input_tokens_details.cached_tokens",       cache_read),
    F("input_tokens_details.cache_write_tokens",  cache_write),
    F("output_tokens",                            output),
    F("output_tokens_details.reasoning_tokens",   reasoning),
    {0},
};
#undef F
/* clang-format on */

static const char *const usage_at[] = {"response.usage", "usage", NULL};

static frame_sense sense(llm_frame f)
{
    static const struct {
        const char *type;
        frame_sense sense;
    } rows[] = {{"response.created", FRAME_PREAMBLE},
                {"response.queued", FRAME_PREAMBLE},
                {"response.in_progress", FRAME_PREAMBLE},
                {"response.completed", FRAME_END},
                {"response.incomplete", FRAME_END},
                {"response.failed", FRAME_END},
                {"error", FRAME_ERROR}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str type = {rows[i].type, strlen(rows[i].type)};
        if (str_eq(f.type, type)) return rows[i].sense;
        /* Some servers name the event in its data alone. */
        if (!f.type.n && f.data.n > type.n + 10 &&
            memmem(f.data.p, type.n + 10 < f.data.n ? type.n + 10 : f.data.n, type.p, type.n))
            return rows[i].sense;
    }
    return FRAME_CONTENT;
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    (void)c;
    if (to->backend->schema == SCHEMA_AZURE)
        out->target = azure_target(a, to, (str){0}, "responses");
    else
        out->target = backend_path(a, to->backend, S("/responses"));
    return NULL;
}

const llm_dialect openai_responses = {
    .name = "openai_responses",
    .family = "openai_responses",
    .counts = COUNTS_CACHE_IN_INPUT | COUNTS_REASONING_IN_OUTPUT | COUNTS_ARE_ALL,
    .params = responses_params,
    .usage = responses_usage,
    .usage_at = usage_at,
    .error_type = "OpenAIBackendError",
    .sense = sense,
    .read_request = responses_read_request,
    .write_reply = responses_write_reply,
    .write_event = responses_write_event,
    .write_error = openai_write_error,
    .write_head = write_head,
    .read_error = openai_read_error,
};
