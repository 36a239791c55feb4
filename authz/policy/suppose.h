/* SPDX-License-Identifier: Apache-2.0 */
/* suppose.h - the arguments a list does not know, supposed one after the other.
 *
 * Where the schema leaves an argument few values and the rules read it, each is tried, together
 * with each of the others': a tool is shown if some of them could be permitted. At most
 * SUPPOSITIONS times in all; arguments beyond that stay unknown. One that may be missing needs no
 * supposition of its own: its absence permits nothing that its presence does not (known.h).
 * Ownership: the scratch arena's. */
#ifndef SP_POLICY_SUPPOSE_H
#define SP_POLICY_SUPPOSE_H
#include "condition.h"
#include "schema.h"

enum { SUPPOSITIONS = 64 };

typedef struct {
    cel_known known; /* to be bound */
    cel_hint *hints;
    size_t turns[SUPPOSITIONS]; /* by argument supposed: the number of its value */
    size_t which[SUPPOSITIONS]; /* its number in `known` */
    size_t count;
} policy_supposed;

/* The first supposition; false: there is nothing to suppose. */
bool policy_suppose(const policy_ask *k, policy_supposed *s);
bool policy_suppose_next(const policy_schema *schema, policy_supposed *s); /* false: that was all */
#endif
