/* SPDX-License-Identifier: Apache-2.0 */
#include "google.h"
#include "path.h"

str google_place(arena *a, const llm_backend *b, const char *publisher, str model, const char *verb)
{
    str name = path_segment(a, model);
    if (b->schema == SCHEMA_GEMINI)
        return arena_fmt(a, STR_FMT "/" STR_FMT "/models/" STR_FMT ":%s", STR_ARG(b->base_path),
                         STR_ARG(b->version.n ? b->version : S("v1beta")), STR_ARG(name), verb);
    return arena_fmt(a,
                     STR_FMT "/v1/projects/" STR_FMT "/locations/" STR_FMT
                             "/publishers/%s/models/" STR_FMT ":%s",
                     STR_ARG(b->base_path), STR_ARG(path_segment(a, b->project)),
                     STR_ARG(path_segment(a, b->region)), publisher, STR_ARG(name), verb);
}
