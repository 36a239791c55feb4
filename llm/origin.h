/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - whose signature is it? Thoughts go back only to the family that signed them.
 *
 * Claude's signatures stand in a client's history as they came, whoever hosts the model. Those of
 * others, in a dialect that is not their own, name their maker: "sp1.gemini.s.SIGNATURE" (r: it
 * is redacted data). A provider that would get another's must not see them: it would refuse
 * the request.
 * Chat completions have no place for a maker's name. There, and for signatures that name none, it
 * is found out: but only where the route leads to models of more than one family (chat.mixed),
 * since elsewhere there is but one who can have signed. */
#ifndef SP_LLM_ORIGIN_H
#define SP_LLM_ORIGIN_H
#include "chat.h"
#include "llm.h"

/* Does every host of Claude take what this family signed? Not known (p NULL) counts as yes. */
bool origin_is_claude(str family);
/* The part's signature or redacted data; p NULL when it has none. */
str origin_sealed(arena *a, const llm_part *p, const char *maker);
/* Puts what is sealed in `text` into the part, with its maker; false: it is not sealed. */
bool origin_unseal(str text, llm_part *p);
/* Does this JSON hold anything sealed? */
bool origin_stands_in(str json);

/* Does the route lead to more than one family that signs? `model`: as asked. */
bool origins_mix(const llm_route *r, str model);
/* Names the maker of what is signed in these parts and names none. */
void origin_fill(llm_part *parts, size_t n, str maker);
/* The same for a turn: the ids of its calls tell who made it. Without calls nobody is known to
 * have, and nobody gets the signature. */
void origin_by_calls(llm_part *parts, size_t n);
#endif
