/* SPDX-License-Identifier: Apache-2.0 */
/* flat.c - which endpoint goes where at which provider. */
#include "flat.h"
#include "anthropic.h"
#include "azure.h"
#include "cohere.h"
#include "openai_chat.h"
#include "parts.h"

static str vllm_place(const flat_ask *q)
{
    return arena_fmt(q->a, STR_FMT "/tokenize", STR_ARG(q->to->backend->base_path));
}

static str anthropic_count_place(const flat_ask *q)
{
    return backend_path(q->a, q->to->backend, S("/messages/count_tokens"));
}

static str rerank_place(const flat_ask *q)
{
    return cohere_place(q->a, q->to->backend, "rerank");
}

static const err *rerank_check(const flat_ask *q)
{
    js_value query = js_get(q->body, S("query")), documents = js_get(q->body, S("documents"));
    if (query.kind != JS_STRING || js_text_is(query, S("")))
        return flat_wrong(q, "'query' must be a text");
    return list_count(documents) ? NULL
                                 : flat_wrong(q, "'documents' must be a list that is not empty");
}

/* Azure names no deployment where the body does. */
static str azure_input_tokens_place(const flat_ask *q)
{
    return azure_target(q->a, q->to, (str){0}, "responses/input_tokens");
}

/* A streamed completion is always counted; who did not ask does not see it (answer.c). */
static const body_edit *completion_edits(const flat_ask *q)
{
    bool streams = js_bool(js_get(q->body, S("stream")), false);
    bool counts = js_bool(js_at(q->body, "stream_options.include_usage"), false);
    const llm_chat c = {.root = q->body,
                        .stream = {streams, streams},
                        .include_usage = {counts, counts}};
    return openai_chat.edit_request(q->a, &c, q->to);
}

/* clang-format off */
static const flat_row rows[] = {
    {FLAT_COMPLETIONS,  SCHEMA_OPENAI, "completions",            NULL, NULL, completion_edits, NULL, NULL, NULL},
    {FLAT_COMPLETIONS,  SCHEMA_AZURE,  "completions",            NULL, NULL, completion_edits, NULL, NULL, NULL},
    {FLAT_EMBEDDINGS,   SCHEMA_OPENAI, "embeddings",             NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_EMBEDDINGS,   SCHEMA_AZURE,  "embeddings",             NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_EMBEDDINGS,   SCHEMA_AWS_BEDROCK, NULL, titan_place, NULL, NULL, titan_put_embedding, titan_get_embedding, NULL},
    {FLAT_EMBEDDINGS,   SCHEMA_GCP_VERTEX,  NULL, vertex_embedding_place, NULL, NULL, vertex_put_embedding, vertex_get_embedding, NULL},
    {FLAT_EMBEDDINGS,   SCHEMA_GEMINI,      NULL, gemini_embedding_place, NULL, NULL, gemini_put_embedding, gemini_get_embedding, NULL},
    {FLAT_EMBEDDINGS,   SCHEMA_COHERE, NULL, cohere_embedding_place, NULL, NULL, cohere_put_embedding, cohere_get_embedding, NULL},
    {FLAT_IMAGES,       SCHEMA_OPENAI, "images/generations",     NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_IMAGES,       SCHEMA_AZURE,  "images/generations",     NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_SPEECH,       SCHEMA_OPENAI, "audio/speech",           NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_SPEECH,       SCHEMA_AZURE,  "audio/speech",           NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_TRANSCRIPTIONS, SCHEMA_OPENAI, "audio/transcriptions", NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_TRANSCRIPTIONS, SCHEMA_AZURE,  "audio/transcriptions", NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_TRANSLATIONS, SCHEMA_OPENAI, "audio/translations",     NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_TRANSLATIONS, SCHEMA_AZURE,  "audio/translations",     NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_INPUT_TOKENS, SCHEMA_OPENAI, "responses/input_tokens", NULL, NULL, NULL, NULL, NULL, NULL},
    {FLAT_INPUT_TOKENS, SCHEMA_AZURE,  NULL, azure_input_tokens_place, NULL, NULL, NULL, NULL, NULL},
    {FLAT_TOKENIZE,     SCHEMA_OPENAI, NULL, vllm_place, tokens_check, NULL, NULL, NULL, NULL},
    {FLAT_TOKENIZE,     SCHEMA_AWS_BEDROCK,   NULL, aws_tokens_place, NULL, NULL, bedrock_put_tokens, aws_get_tokens, NULL},
    {FLAT_TOKENIZE,     SCHEMA_AWS_ANTHROPIC, NULL, aws_tokens_place, NULL, NULL, aws_anthropic_put_tokens, aws_get_tokens, NULL},
    {FLAT_TOKENIZE,     SCHEMA_GCP_ANTHROPIC, NULL, gcp_anthropic_tokens_place, NULL, NULL, gcp_anthropic_put_tokens, anthropic_get_tokens,
     "GCPAnthropicBackendError"},
    {FLAT_TOKENIZE,     SCHEMA_GCP_VERTEX,    NULL, google_tokens_place, NULL, NULL, google_put_tokens, google_get_tokens, NULL},
    {FLAT_TOKENIZE,     SCHEMA_GEMINI,        NULL, google_tokens_place, NULL, NULL, google_put_tokens, google_get_tokens, NULL},
    {FLAT_COUNT_TOKENS, SCHEMA_ANTHROPIC,     NULL, anthropic_count_place, NULL, NULL, NULL, NULL, NULL},
    {FLAT_COUNT_TOKENS, SCHEMA_AWS_BEDROCK,   NULL, aws_tokens_place, NULL, NULL, bedrock_put_count, aws_get_count, NULL},
    {FLAT_COUNT_TOKENS, SCHEMA_AWS_ANTHROPIC, NULL, aws_tokens_place, NULL, NULL, aws_anthropic_put_count, aws_get_count, NULL},
    {FLAT_COUNT_TOKENS, SCHEMA_GCP_ANTHROPIC, NULL, gcp_anthropic_tokens_place, NULL, gcp_anthropic_count_edits, NULL, NULL, NULL},
    {FLAT_COUNT_TOKENS, SCHEMA_GCP_VERTEX,    NULL, google_tokens_place, NULL, NULL, google_put_count, google_get_count, NULL},
    {FLAT_COUNT_TOKENS, SCHEMA_GEMINI,        NULL, google_tokens_place, NULL, NULL, google_put_count, google_get_count, NULL},
    {FLAT_RERANK,       SCHEMA_COHERE, NULL, rerank_place, rerank_check, NULL, NULL, NULL, NULL},
    {0},
};
/* clang-format on */

const flat_row *flat_find(flat_kind kind, llm_schema schema)
{
    for (const flat_row *row = rows; row->kind; row++)
        if (row->kind == kind && row->schema == schema) return row;
    return NULL;
}

bool flat_is_form(flat_kind kind)
{
    return kind == FLAT_TRANSCRIPTIONS || kind == FLAT_TRANSLATIONS;
}

str flat_target(const flat_row *row, const flat_ask *q)
{
    if (row->place) return row->place(q);
    if (row->schema == SCHEMA_AZURE) return azure_target(q->a, q->to, q->model, row->operation);
    return backend_path(q->a, q->to->backend, arena_fmt(q->a, "/%s", row->operation));
}

const err *flat_wrong(const flat_ask *q, const char *what)
{
    return err_new(q->a, ERR_MALFORMED, "%s", what);
}

/* The dialect of what passes */

#define F(path, member, alias)                                                                     \
    {                                                                                              \
        path, FIELD_INT, offsetof(llm_usage, member), NULL, alias                                  \
    }
static const field_row usage[] = {
    F("prompt_tokens", input, false),
    F("completion_tokens", output, false),
    F("input_tokens", input, true),
    F("output_tokens", output, true),
    F("prompt_tokens_details.cached_tokens", cache_read, false),
    F("prompt_tokens_details.cache_creation_input_tokens", cache_write, false),
    F("completion_tokens_details.reasoning_tokens", reasoning, false),
    {0},
};
#undef F
static const char *const usage_at[] = {"usage", NULL};

/* Completions end with [DONE]; images, speech and transcripts with an event that says so. */
static frame_sense sense(llm_frame f)
{
    if (str_eq(f.data, S("[DONE]"))) return FRAME_END;
    if (str_starts(f.data, S("{\"error\""))) return FRAME_ERROR;
    bool ends = memmem(f.data.p, f.data.n, ".done\"", 6) ||
                memmem(f.data.p, f.data.n, "image_generation.completed\"", 27);
    return ends ? FRAME_STOP : FRAME_CONTENT;
}

const llm_dialect openai_flat = {
    .name = "openai_flat",
    .family = "openai_flat",
    .counts = COUNTS_CACHE_IN_INPUT | COUNTS_REASONING_IN_OUTPUT,
    .usage = usage,
    .usage_at = usage_at,
    .error_type = "OpenAIBackendError",
    .sense = sense,
    .write_error = openai_write_error,
    .write_event = openai_chat_write_event,
    .read_error = openai_read_error,
};
