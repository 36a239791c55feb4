/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - the `tests:` of policy files, run.
 *
 * A test says who asks what, and what must come of it. They are read and checked with the rules
 * by policy_load(); running them asks the same policy_decide() that guards requests.
 * A `list:` test is over the tools of that server which some rule or test names.
 * Threads: any. */
#ifndef SP_POLICY_TEST_H
#define SP_POLICY_TEST_H
#include "policy.h"

typedef struct {
    str name, place; /* place: "file:line" */
    bool passed;
    str why; /* not passed: "expected permit, got deny by no-secrets (p.yaml:4)" */
} policy_test_result;
typedef void policy_test_fn(void *ctx, const policy_test_result *result);

size_t policy_test_count(const policy *p);
/* Tells each result, in the order of the files; gives how many did not pass. */
size_t policy_test_run(const policy *p, int64_t now_ms, arena *scratch, policy_test_fn *fn,
                       void *ctx);
#endif
