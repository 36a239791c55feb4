/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.h - all rules behind a verdict, for the record: a verdict names the first.
 *
 * Deciding stops at what settles it; here every rule that could apply is asked.
 * Ownership: the scratch arena's; ids are the policy's. Threads: any. */
#ifndef SP_POLICY_OUTCOME_H
#define SP_POLICY_OUTCOME_H
#include "policy.h"

typedef struct {
    const str *deciding; /* ids of the rules that each would have decided so; ends with {0} */
    const str *broken;   /* of those that could not be evaluated; ends with {0} */
} policy_outcome;

policy_outcome policy_outcome_of(const policy *p, const question *q, const verdict *v,
                                 arena *scratch);
#endif
