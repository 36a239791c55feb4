/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic.c - Anthropic's messages, as clients and as the provider speak it. */
#include "anthropic.h"

/* clang-format off */
const name_row anthropic_roles[] = {
    {"user", ROLE_USER}, {"assistant", ROLE_ASSISTANT}, {"system", ROLE_SYSTEM}, {0},
};
const name_row anthropic_kinds[] = {
    {"text", PART_TEXT}, {"tool_use", PART_TOOL_CALL}, {"thinking", PART_THINKING},
    {"redacted_thinking", PART_REDACTED}, {0},
};
const name_row anthropic_stops[] = {
    {"end_turn", STOP_END}, {"stop_sequence", STOP_SEQUENCE}, {"max_tokens", STOP_LENGTH}, {"tool_use", STOP_TOOLS},
    {"refusal", STOP_FILTER}, {"pause_turn", STOP_PAUSE}, {"model_context_window_exceeded", STOP_CONTEXT}, {0},
};

#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
#define ALIAS(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, true}
const field_row anthropic_params[] = { /* max_tokens is required, stream somewhere else at the hosts */
    ALIAS("max_tokens",    FIELD_INT,  max_tokens),
    ALIAS("stream",        FIELD_BOOL, stream),
    F("metadata.user_id",  FIELD_STR,  user),
    {0},
};
const field_row anthropic_sampling[] = {
    F("temperature", FIELD_NUM, temperature),
    F("top_p",       FIELD_NUM, top_p),
    F("top_k",       FIELD_INT, top_k),
    {0},
};
#undef F
#undef ALIAS
#define F(path, member) {path, FIELD_INT, offsetof(llm_usage, member), NULL, false}
const field_row anthropic_usage[] = {
    F("input_tokens",                              input),
    F("cache_creation_input_tokens",               cache_write),
    F("cache_read_input_tokens",                   cache_read),
    F("cache_creation.ephemeral_1h_input_tokens",  cache_write_1h),
    F("output_tokens",                             output),
    F("output_tokens_details.thinking_tokens",     reasoning),
    {0},
};
#undef F
/* clang-format on */

const char *const anthropic_usage_at[] = {"message.usage", "usage", NULL};

/* A message_start that tells no usage is none that Claude sends: it is not held back. */
frame_sense anthropic_sense(llm_frame f)
{
    static const struct {
        const char *type;
        frame_sense sense;
    } rows[] = {{"message_start", FRAME_PREAMBLE},
                {"ping", FRAME_PREAMBLE},
                {"content_block_start", FRAME_CONTENT},
                {"message_delta", FRAME_STOP},
                {"message_stop", FRAME_END},
                {"error", FRAME_ERROR}};
    size_t i = 0, n = sizeof rows / sizeof *rows;
    while (i < n && !str_eq(f.type, (str){rows[i].type, strlen(rows[i].type)})) i++;
    if (i == 0 && !memmem(f.data.p, f.data.n, "\"usage\"", 7)) return FRAME_CONTENT;
    return i < n ? rows[i].sense : FRAME_CONTENT;
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    static const str version = {"anthropic-version", 17}, beta = {"anthropic-beta", 14};
    header *h = NEW_N(a, header, 3);
    str asked = header_get(c->headers, version), betas = header_get(c->headers, beta);
    h[0] = (header){version, asked.n ? asked : S("2023-06-01")};
    if (betas.n) h[1] = (header){beta, betas};
    out->target = backend_path(a, to->backend, S("/messages"));
    out->headers = h;
    return NULL;
}

const llm_dialect anthropic_messages = {
    .name = "anthropic_messages",
    .family = "anthropic",
    .counts = COUNTS_1H_IN_WRITE | COUNTS_REASONING_IN_OUTPUT | COUNTS_ARE_ALL,
    .params = anthropic_params,
    .usage = anthropic_usage,
    .usage_at = anthropic_usage_at,
    .error_type = "AnthropicBackendError",
    .sense = anthropic_sense,
    .read_request = anthropic_read_request,
    .write_reply = anthropic_write_reply,
    .write_event = anthropic_write_event,
    .write_error = anthropic_write_error,
    .write_request = anthropic_write_request,
    .write_head = write_head,
    .read_reply = anthropic_read_reply,
    .read_event = anthropic_read_event,
    .read_error = anthropic_read_error,
};
