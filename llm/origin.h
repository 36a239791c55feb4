/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - whose signature is it? Thoughts go back only to the family that signed them.
 *
 * Claude's signatures stand in a client's history as they came, whoever hosts the model. Those of
 * others, in a dialect that is not their own, name their maker: "sp1.gemini.s.SIGNATURE" (r: it
 * is redacted data). A provider that would get another's must not see them: it would refuse
 * the request. */
#ifndef SP_LLM_ORIGIN_H
#define SP_LLM_ORIGIN_H
#include "chat.h"

/* Does every host of Claude take what this family signed? Not known (p NULL) counts as yes. */
bool origin_is_claude(str family);
/* The part's signature or redacted data; p NULL when it has none. */
str origin_sealed(arena *a, const llm_part *p, const char *maker);
/* Puts what is sealed in `text` into the part, with its maker; false: it is not sealed. */
bool origin_unseal(str text, llm_part *p);
/* Does this JSON hold anything sealed? */
bool origin_stands_in(str json);
#endif
