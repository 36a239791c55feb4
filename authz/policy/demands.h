/* SPDX-License-Identifier: Apache-2.0 */
/* demands.h - what rules that a list leaves open ask of a call's arguments.
 *
 * residue.h says what one condition asks; here a rule is put together: `when` and the constraints
 * of `args`. A permit or a require must hold; a forbid must not, which asks something only where
 * one of its parts alone decides it.
 * Ownership: the scratch arena's. The ask must be of a list. */
#ifndef SP_POLICY_DEMANDS_H
#define SP_POLICY_DEMANDS_H
#include "../cel/residue.h"
#include "condition.h"

enum { DEMANDS_MOST = 48 };

typedef struct {
    cel_demands d;
    str there[DEMANDS_MOST]; /* arguments that must be given, whatever they are */
    size_t there_count;
    const policy_rule *only_named; /* no arguments but this rule's; NULL: any */
} policy_demands;

void policy_demands_begin(policy_ask *k, policy_demands *all);
/* Of an open rule, as its effect wants it; a rule that is not open asks nothing. */
void policy_demands_add(policy_ask *k, const policy_rule *r, policy_demands *all);
/* Requires and forbids, which hold for every call. */
void policy_demands_add_all(policy_ask *k, policy_demands *all);

bool policy_demands_meet(const cel_demand *d, cel_value v);
bool policy_is_demanded(const policy_demands *all, str argument); /* it must be given */
/* Is there no call that meets the demands of any permit? Says so only where it is sure. */
bool policy_demands_impossible(policy_ask *k);
/* The next permit from *at on that would do but for its condition: no scope is missing. */
const policy_rule *policy_next_permit(const policy_ask *k, size_t *at);
#endif
