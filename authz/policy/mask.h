/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h - what of a tool's result its caller does not get to see.
 *
 * `masks:` of a policy file: whose results (tools), when, and what of them: members by path, texts
 * by pattern. They decide nothing: a call is permitted or not without them. Every mask that
 * applies counts; one whose condition cannot be told applies.
 * Ownership: a mask lives as long as its policy. Threads: any. */
#ifndef SP_POLICY_MASK_H
#define SP_POLICY_MASK_H
#include "../cel/re2_shim.h"
#include "policy.h"

typedef struct policy_mask {
    str id, place;
    const str *names[SUBJECTS]; /* tools only */
    cel_program *when;          /* NULL: always */
    uint64_t reads;
    const str *paths;             /* "customer.iban", "orders.*.card"; ends with {0} */
    re2_pattern *const *patterns; /* ends with NULL */
} policy_mask;

/* Those that apply to what this call gives back, ends with NULL; NULL: none. */
const policy_mask *const *policy_masks(const policy *p, const question *q, arena *scratch);
#endif
