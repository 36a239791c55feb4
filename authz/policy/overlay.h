/* SPDX-License-Identifier: Apache-2.0 */
/* overlay.h - what the rules still ask of a listed tool's arguments, argument by argument.
 *
 * Said of the question of a list, for this caller and now. Every demand is necessary: a call that
 * is permitted meets them all, and so would pass a schema narrowed by them; they need not be all
 * that the rules ask. The demands of a permit are used only where exactly one permit is left open
 * and none holds anyway (architecture.md §9.5); those of requires and forbids always.
 * Ownership: the scratch arena's; texts may be the policy's. Threads: any. */
#ifndef SP_POLICY_OVERLAY_H
#define SP_POLICY_OVERLAY_H
#include "../cel/value.h"
#include "../question.h"
#include "policy.h"

typedef struct {
    str argument;
    bool there;              /* it must be given */
    const cel_value *values; /* of these one, where there are any */
    size_t value_count;
    bool has_values;
    cel_value least, most; /* numbers; CEL_UNBOUND: no bound */
    bool above, below;     /* the bound itself is not allowed */
    const str *sentences;  /* "must start with /srv/data/"; ends with {0} */
} policy_narrowing;

typedef struct {
    const policy_narrowing *arguments;
    size_t count;
    bool only_named;  /* no arguments but `named` */
    const str *named; /* ends with {0} */
} policy_overlay;

/* False: nothing is left to say. The question is one of a list. */
bool policy_overlay_of(const policy *p, const question *q, arena *scratch, policy_overlay *out);
#endif
