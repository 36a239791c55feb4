/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint.h"
#include "worker.h"

/* clang-format off */
const llm_endpoint llm_endpoints[] = {
    {"/v1/chat/completions", "POST", ENDPOINT_NEEDS_RULE,   &llm_chat_flow},
    {"/v1/models",           "GET",  ENDPOINT_NEEDS_CALLER, &llm_models_flow},
    {"/v1/models/",          "GET",  ENDPOINT_NEEDS_CALLER, &llm_model_flow},
    {0},
};
/* clang-format on */

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
