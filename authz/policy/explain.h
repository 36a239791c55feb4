/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - why a question was answered as it was, with the values the rules saw.
 *
 * The verdict is policy_decide's own. Beside it every rule that could apply gives an account: its
 * outcome, and each of its reasons (a scope, an argument's condition, a term of `when`), made of
 * the same parts the decision is made of.
 * Ownership: the scratch arena's. Threads: any. */
#ifndef SP_POLICY_EXPLAIN_H
#define SP_POLICY_EXPLAIN_H
#include "condition.h"

typedef struct {
    str what;   /* "when", "args.path", "other_args", "scopes" */
    str source; /* the condition as it was written */
    str seen;   /* "args.size = 70000, vars.is_eng = false"; {0}: it reads nothing */
    truth outcome;
    str error;    /* ERROR: why */
    size_t index; /* of the reason in its rule, the same for every question */
} policy_reason;

typedef struct {
    const policy_rule *rule;
    truth outcome; /* of its condition; a scope that is missing makes it NO */
    const policy_reason *reasons;
    size_t count, met; /* how many reasons are TRUTH_YES */
} policy_account;

typedef struct {
    verdict said;
    const policy_account *rules; /* forbids, requires, permits */
    size_t count;
    const policy_account *nearest; /* denied for want of a permit: the one that misses least */
} policy_explanation;

void policy_explain(const policy *p, const question *q, arena *scratch, policy_explanation *out);
const char *policy_effect_name(rule_effect effect); /* "permit" */
#endif
