/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat.c - OpenAI's chat completions, as clients and as providers speak it. */
#include "schema.h"

/* clang-format off */
static const name_row efforts[] = {
    {"none", EFFORT_NONE}, {"minimal", EFFORT_MINIMAL}, {"low", EFFORT_LOW}, {"medium", EFFORT_MEDIUM},
    {"high", EFFORT_HIGH}, {"xhigh", EFFORT_XHIGH}, {"max", EFFORT_MAX}, {0},
};
static const name_row verbosities[] = {
    {"low", VERBOSITY_LOW}, {"medium", VERBOSITY_MEDIUM}, {"high", VERBOSITY_HIGH}, {0},
};

#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
#define N(path, member, names) {path, FIELD_NAME, offsetof(llm_chat, member), names, false}
#define ALIAS(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, true}
static const field_row params[] = {
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
    N("reasoning_effort",             effort,     efforts),
    N("verbosity",                    verbosity,  verbosities),
    F("stream",                       FIELD_BOOL, stream),
    F("stream_options.include_usage", FIELD_BOOL, include_usage),
    {0},
};
#undef F
#undef N
#undef ALIAS
#define F(path, member) {path, FIELD_INT, offsetof(llm_usage, member), NULL, false}
static const field_row usage[] = {
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

/* The first chunks say a role or, at Azure, what was filtered: no content yet. */
static frame_sense sense(llm_frame f)
{
    if (str_eq(f.data, S("[DONE]"))) return FRAME_END;
    if (str_starts(f.data, S("{\"error\""))) return FRAME_ERROR;
    return FRAME_CONTENT;
}

const llm_dialect openai_chat = {
    .name = "openai_chat",
    .family = "openai_chat",
    .counts = COUNTS_CACHE_IN_INPUT | COUNTS_REASONING_IN_OUTPUT,
    .params = params,
    .usage = usage,
    .usage_at = usage_at,
    .sense = sense,
};
