/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint.h"
#include "cohere.h"
#include "kept.h"
#include "schema.h"

/* clang-format off */
const llm_endpoint llm_endpoints[] = {
    {"/v1/chat/completions",   "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &openai_chat,        NULL, FLAT_NONE},
    {"/v1/responses",          "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &openai_responses,   NULL, FLAT_NONE},
    {"/v1/messages",           "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &anthropic_messages, NULL, FLAT_NONE},
    {"/anthropic/v1/messages", "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow,   &anthropic_messages, "/v1/messages", FLAT_NONE},
    {"/v1/models",             "GET",  ENDPOINT_NEEDS_CALLER, &llm_models_flow, &openai_chat,        NULL, FLAT_NONE},
    {"/v1/models/",            "GET",  ENDPOINT_NEEDS_CALLER, &llm_model_flow,  &openai_chat,        NULL, FLAT_NONE},
    {"/anthropic/v1/models",   "GET",  ENDPOINT_NEEDS_CALLER, &llm_models_flow, &anthropic_messages, NULL, FLAT_NONE},
    {"/anthropic/v1/models/",  "GET",  ENDPOINT_NEEDS_CALLER, &llm_model_flow,  &anthropic_messages, NULL, FLAT_NONE},
    {"/v1/completions",            "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_COMPLETIONS},
    {"/v1/embeddings",             "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_EMBEDDINGS},
    {"/v1/images/generations",     "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_IMAGES},
    {"/v1/audio/speech",           "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_SPEECH},
    {"/v1/audio/transcriptions",   "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_TRANSCRIPTIONS},
    {"/v1/audio/translations",     "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_TRANSLATIONS},
    {"/v1/responses/input_tokens", "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_INPUT_TOKENS},
    {"/tokenize",                  "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &openai_flat, NULL, FLAT_TOKENIZE},
    {"/v1/responses/", "GET",    ENDPOINT_NEEDS_CALLER, &llm_kept_flow,   &openai_responses, NULL, FLAT_NONE},
    {"/v1/responses/", "DELETE", ENDPOINT_NEEDS_CALLER, &llm_forget_flow, &openai_responses, NULL, FLAT_NONE},
    {"/v2/rerank",                 "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &cohere_rerank, NULL, FLAT_RERANK},
    {"/cohere/v2/rerank",          "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &cohere_rerank, "/v2/rerank", FLAT_RERANK},
    {"/v1/messages/count_tokens",  "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &anthropic_messages, NULL, FLAT_COUNT_TOKENS},
    {"/anthropic/v1/messages/count_tokens", "POST", ENDPOINT_NEEDS_RULE, &llm_chat_flow, &anthropic_messages,
     "/v1/messages/count_tokens", FLAT_COUNT_TOKENS},
    {0},
};
/* clang-format on */

str endpoint_name(const llm_endpoint *e)
{
    const char *name = e->known_as ? e->known_as : e->path;
    return (str){name, strlen(name)};
}

static bool is_under(str path, str prefix, str *rest)
{
    if (!str_starts(path, prefix)) return false;
    *rest = str_drop(path, prefix.n);
    return rest->n && rest->p[0] == '/';
}

static bool is_at_the_root(str path)
{
    return str_starts(path, S("/v1/messages")) || str_starts(path, S("/v2/"));
}

str endpoint_place(arena *a, const llm_prefixes *p, str path)
{
    static const str usual[] = {{"/anthropic", 10}, {"/cohere", 7}};
    const str given[] = {p->anthropic, p->cohere};
    str rest = {0};
    bool moved = p->openai.n > 0;
    for (size_t i = 0; i < 2; i++) {
        if (!given[i].p || str_eq(given[i], usual[i])) continue;
        moved = true;
        if (given[i].n && is_under(path, given[i], &rest))
            return arena_fmt(a, STR_FMT STR_FMT, STR_ARG(usual[i]), STR_ARG(rest));
        if (is_under(path, usual[i], &rest)) return (str){0};
    }
    if (!moved || is_at_the_root(path)) return path;
    for (size_t i = 0; i < 2; i++)
        if (is_under(path, usual[i], &rest)) return path;
    if (!is_under(path, p->openai, &rest)) return (str){0};
    return is_at_the_root(rest) ? (str){0} : rest;
}

static bool matches(str path, const char *row)
{
    str want = {row, strlen(row)};
    if (want.p[want.n - 1] != '/') return str_eq(path, want);
    return str_starts(path, want) && path.n > want.n;
}

const llm_endpoint *llm_endpoint_find(str path, str method)
{
    const llm_endpoint *other = NULL;
    for (const llm_endpoint *e = llm_endpoints; e->path; e++) {
        if (!matches(path, e->path)) continue;
        if (!method.n || str_eq(method, (str){e->method, strlen(e->method)})) return e;
        if (!other) other = e;
    }
    return other;
}

const llm_dialect *endpoint_api(str path)
{
    static const struct {
        const char *below;
        const llm_dialect *d;
    } apis[] = {{"/v1/messages/", &anthropic_messages},
                {"/anthropic/v1/", &anthropic_messages},
                {"/cohere/v2/", &cohere_rerank},
                {"/v2/", &cohere_rerank},
                {"/v1/", &openai_chat}};
    for (size_t i = 0; i < sizeof apis / sizeof *apis; i++)
        if (str_starts(path, (str){apis[i].below, strlen(apis[i].below)})) return apis[i].d;
    return NULL;
}

str endpoint_allow(arena *a, str path)
{
    str all = {0};
    for (const llm_endpoint *e = llm_endpoints; e->path; e++)
        if (matches(path, e->path))
            all = arena_fmt(a, STR_FMT "%s%s", STR_ARG(all), all.n ? ", " : "", e->method);
    return all;
}
