/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint.h"
#include "schema.h"
#include "worker.h"

/* clang-format off */
const llm_endpoint llm_endpoints[] = {
    {"/v1/chat/completions",   "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &openai_chat,        NULL},
    {"/v1/responses",          "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &openai_responses,   NULL},
    {"/v1/messages",           "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &anthropic_messages, NULL},
    {"/anthropic/v1/messages", "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &anthropic_messages, "/v1/messages"},
    {"/v1/models",             "GET",  ENDPOINT_NEEDS_CALLER, &llm_models_flow, &openai_chat,        NULL},
    {"/v1/models/",            "GET",  ENDPOINT_NEEDS_CALLER, &llm_model_flow,  &openai_chat,        NULL},
    {"/anthropic/v1/models",   "GET",  ENDPOINT_NEEDS_CALLER, &llm_models_flow, &anthropic_messages, NULL},
    {"/anthropic/v1/models/",  "GET",  ENDPOINT_NEEDS_CALLER, &llm_model_flow,  &anthropic_messages, NULL},
    {0},
};
/* clang-format on */

str endpoint_name(const llm_endpoint *e)
{
    const char *name = e->known_as ? e->known_as : e->path;
    return (str){name, strlen(name)};
}

static bool matches(str path, const char *row)
{
    str want = {row, strlen(row)};
    if (want.p[want.n - 1] != '/') return str_eq(path, want);
    return str_starts(path, want) && path.n > want.n;
}

const llm_endpoint *llm_endpoint_find(str path)
{
    for (const llm_endpoint *e = llm_endpoints; e->path; e++)
        if (matches(path, e->path)) return e;
    return NULL;
}
