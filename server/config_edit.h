/* SPDX-License-Identifier: Apache-2.0 */
/* config_edit.h - from what is written about changes and retries to what the LLM door takes. */
#ifndef SP_CONFIG_EDIT_H
#define SP_CONFIG_EDIT_H
#include "../base/json_make.h"
#include "../llm/llm.h"
#include "config.h"

llm_prefixes config_prefixes(const config *c);
unsigned config_retry_bit(str name); /* RETRY_*; 0: no such failure */
/* A value as JSON: plain numbers, true, false and null are what they look like, all else is text.
 */
jnode *config_json(arena *a, const yaml_node *n);
/* What a route and its backend change, in one list: the route's word comes last. NULL: nothing. */
const header *config_header_edits(arena *a, const config_edits *backend, const config_edits *route);
const struct body_edit *config_body_edits(arena *a, const config_edits *backend,
                                          const config_edits *route);
#endif
