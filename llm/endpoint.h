/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h - every path of the LLM door, and what it needs before it may run. */
#ifndef SP_LLM_ENDPOINT_H
#define SP_LLM_ENDPOINT_H
#include "../base/flow.h"
#include "flat.h"

typedef enum { ENDPOINT_NEEDS_UNSET, ENDPOINT_NEEDS_CALLER, ENDPOINT_NEEDS_RULE } endpoint_need;

typedef struct llm_endpoint {
    const char *path; /* a trailing '/' takes what follows it: an id */
    const char *method;
    endpoint_need needs; /* zero is unset, and denied */
    const flow *steps;
    const llm_dialect *dialect; /* in which it is asked and refused */
    const char *known_as;       /* to policies and records; NULL: its path */
    flat_kind flat;             /* an endpoint without a conversation */
} llm_endpoint;

str endpoint_name(const llm_endpoint *e);

extern const llm_endpoint llm_endpoints[]; /* ends with {0} */
/* The path as it is under the usual prefixes; {0}: it is under none of these. Messages and
 * reranking are at the root too, whatever the prefixes. */
str endpoint_place(arena *a, const llm_prefixes *p, str path);
/* NULL: the path is not ours. A path that takes other methods only gives one of those; an
 * empty method is any. */
const llm_endpoint *llm_endpoint_find(str path, str method);
str endpoint_allow(arena *a, str path); /* "GET, DELETE" */
/* In whose shape a path below an API's own is refused when nothing is there; NULL: below none. */
const llm_dialect *endpoint_api(str path);
#endif
