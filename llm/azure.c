/* SPDX-License-Identifier: Apache-2.0 */
#include "azure.h"
#include "path.h"

str azure_target(arena *a, const llm_target *to, str deployment, const char *operation)
{
    const llm_backend *b = to->backend;
    str version = b->version.n ? b->version : S("2024-10-21");
    str at = deployment.n
                 ? arena_fmt(a, "/deployments/" STR_FMT, STR_ARG(path_segment(a, deployment)))
                 : S("");
    return arena_fmt(a, STR_FMT "/openai" STR_FMT "/%s?api-version=" STR_FMT, STR_ARG(b->base_path),
                     STR_ARG(at), operation, STR_ARG(path_segment(a, version)));
}
