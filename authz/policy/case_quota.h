/* SPDX-License-Identifier: Apache-2.0 */
/* case_quota.h - what a test says of quotas, and what they say to it.
 *
 *   usage: { input: 1000, output: 10, usd: 0.02 }  # what the call will have used
 *   remaining: { tokens-per-user: 5 }              # left of quotas before it; the rest are
 * untouched expect_cost: { tokens-per-user: 1110 }         # dollars where a quota counts them */
#ifndef SP_POLICY_CASE_QUOTA_H
#define SP_POLICY_CASE_QUOTA_H
#include "../quota.h"
#include "rule.h"

void policy_case_read_quotas(policy_draft *d, const yaml_node *test, policy_case *c);

/* The cells that test begins with; quotas_free() them. NULL: the policy has no quotas. */
quotas *policy_case_quotas(const policy *p, const policy_case *c, const question *q,
                           arena *scratch);
/* Of a call the rules permit: does a quota refuse it? Its id; {0}: no. *why says more. */
str policy_case_refused(const policy *p, const policy_case *c, const question *q, arena *scratch,
                        str *why);
/* {0}: it costs what was expected. */
str policy_case_wrong_cost(const policy *p, const policy_case *c, const question *q,
                           arena *scratch);
#endif
