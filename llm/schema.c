/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

typedef struct {
    const llm_dialect *chat, *responses; /* responses NULL: as chat */
    str seller;
} schema_row;

static const schema_row rows[] = {
    [SCHEMA_OPENAI] = {&openai_chat, &openai_responses, {0}},
    [SCHEMA_ANTHROPIC] = {&anthropic_messages, NULL, S("anthropic")},
    [SCHEMA_AZURE] = {&openai_chat, &openai_responses, S("azure")},
    [SCHEMA_AWS_BEDROCK] = {&bedrock, NULL, S("aws")},
    [SCHEMA_AWS_ANTHROPIC] = {&aws_anthropic, NULL, S("aws")},
    [SCHEMA_GCP_VERTEX] = {&gemini, NULL, S("google")},
    [SCHEMA_GEMINI] = {&gemini, NULL, S("google")},
    [SCHEMA_GCP_ANTHROPIC] = {&gcp_anthropic, NULL, S("google")},
    [SCHEMA_COHERE] = {&cohere, NULL, S("cohere")},
};

const llm_dialect *schema_dialect(llm_schema schema, const llm_dialect *asked)
{
    const schema_row *row = &rows[schema];
    if (row->responses && row->responses == asked) return row->responses;
    return row->chat;
}

str schema_seller(llm_schema schema)
{
    return rows[schema].seller;
}

str backend_path(arena *a, const llm_backend *b, str end)
{
    size_t n = b->base_path.n + 1 + b->prefix.n + end.n;
    buf path = buf_new(a, n + 1);
    (void)buf_need(&path, n);
    buf_put(&path, b->base_path);
    if (b->prefix.n) buf_put(&path, S("/"));
    buf_put(&path, b->prefix);
    buf_put(&path, end);
    return buf_str(&path);
}
