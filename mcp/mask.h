/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h - masks of the policy, applied to what a tool gives back.
 *
 * Every text, number and member name is held against the patterns, wherever it stands; paths lead
 * into structuredContent and into texts that are JSON. What is found becomes "[masked]". What
 * cannot be looked into is withheld as a whole: pictures, sound, files and, where a path is given,
 * text that is no JSON.
 * Pure. Threads: any. */
#ifndef SP_MCP_MASK_H
#define SP_MCP_MASK_H
#include "../authz/policy/mask.h"
#include "../base/json.h"

#define MASK_MARK "[masked]"

/* JS_ABSENT: it cannot be done, and nothing of the result may be shown. */
js_value mask_result(arena *a, const policy_mask *const *masks, js_value result);
#endif
