/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - which backends may answer a request.
 *
 * A route takes what its hosts, models and headers name and its condition holds for.
 * The routes that name the host serve it alone; if none does, those with the longest wildcard
 * (which stands for exactly one label); if none has, those without hosts. Among their models an
 * exact name comes before a glob before none; of two that are equal in this, the one that stands
 * first. A condition that cannot be evaluated does not hold. */
#ifndef SP_LLM_ROUTE_H
#define SP_LLM_ROUTE_H
#include "llm.h"

/* By the question's host, model and headers. NULL: no route. In the question of a list, headers
 * and what else is of calls are not known: it is the first that a call could take. */
const llm_route *route_find(const llm_config *c, const question *q, arena *scratch);
/* The next that this call could take if it were not for `last`; NULL: none. Only in a list. */
const llm_route *route_after(const llm_config *c, const question *q, const llm_route *last,
                             arena *scratch);
bool route_serves_host(const llm_config *c, const llm_route *r, str host);
enum { ROUTE_TARGETS = 64 }; /* a bit each, in sets of them */
size_t route_targets(const llm_route *r);
/* Those of a set that share the lowest priority number. */
uint64_t route_best(const llm_route *r, uint64_t of);
/* One of a set, which is not empty, by weight: `turn` spreads requests. */
size_t route_pick(const llm_route *r, uint64_t of, uint64_t turn);
/* The same for all requests with this key, as long as the set is the same; of a set that lost one,
 * only that one's keys move. */
size_t route_pick_by(const llm_route *r, uint64_t of, str key);
bool route_has_more(const llm_route *r, uint64_t tried);
#endif
