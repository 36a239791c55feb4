/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - which backends may answer for this host and model.
 *
 * The routes that name the host serve it alone; if none does, those with the longest wildcard
 * (which stands for exactly one label); if none has, those without hosts. Among their models an
 * exact name comes before a glob before none. */
#ifndef SP_LLM_ROUTE_H
#define SP_LLM_ROUTE_H
#include "llm.h"

const llm_route *route_find(const llm_config *c, str host, str model); /* NULL: no route */
bool route_serves_host(const llm_config *c, const llm_route *r, str host);
/* The next target not yet tried, lowest priority number first, by weight within one; NULL: none.
 * `turn` spreads requests over weights. */
const llm_target *route_pick(const llm_route *r, uint64_t *tried, uint64_t turn);
bool route_has_more(const llm_route *r, uint64_t tried);
#endif
