/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - which backends may answer for this host and model.
 *
 * Of the routes whose hosts match, an exact host comes before a wildcard (which stands for exactly
 * one label) and that before none; of their models an exact name before a glob before none. */
#ifndef SP_LLM_ROUTE_H
#define SP_LLM_ROUTE_H
#include "llm.h"

const llm_route *route_find(const llm_config *c, str host, str model); /* NULL: no route */
bool route_serves_host(const llm_route *r, str host);
/* The next target not yet tried, lowest priority number first, by weight within one; NULL: none.
 * `turn` spreads requests over weights. */
const llm_target *route_pick(const llm_route *r, uint64_t *tried, uint64_t turn);
bool route_has_more(const llm_route *r, uint64_t tried);
#endif
