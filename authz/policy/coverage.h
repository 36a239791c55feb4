/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h - what the tests of policy files have tried, and what they have not.
 *
 * A rule is covered when it decided at least once. A condition (a term of `when`, an argument's,
 * the scopes) is covered twice: when it held and when it did not. Ownership: the arena's. Threads:
 * one at a time. */
#ifndef SP_POLICY_COVERAGE_H
#define SP_POLICY_COVERAGE_H
#include "policy.h"

typedef struct policy_coverage policy_coverage;
typedef struct {
    str rule, place, what, source; /* what {0}: the rule itself never decided */
    bool never_true, never_false;
    str test; /* the beginning of a test that would cover it, as YAML */
} policy_gap;
typedef void policy_gap_fn(void *ctx, const policy_gap *gap);

policy_coverage *policy_coverage_of_tests(arena *a, const policy *p, int64_t now_ms);
typedef struct {
    size_t covered, all;
} policy_share;
policy_share policy_coverage_rules(const policy_coverage *c);
policy_share policy_coverage_outcomes(const policy_coverage *c); /* two a condition */
void policy_coverage_gaps(const policy_coverage *c, policy_gap_fn *fn, void *ctx);
#endif
