/* SPDX-License-Identifier: Apache-2.0 */
/* condition.h - one question before the rules that could apply to it, and what each says.
 *
 * A condition has four outcomes; unknown is for lists, where a call's arguments are not known.
 * Used by the decision (policy.c) and by what explains it (explain.c), so that both say the same.
 * Ownership: the scratch arena's. The struct must not move once begun. */
#ifndef SP_POLICY_CONDITION_H
#define SP_POLICY_CONDITION_H
#include "rule.h"

typedef enum { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN, TRUTH_ERROR } truth;

typedef struct {
    const policy *p;
    const question *q;
    arena *scratch;
    policy_facts facts;
    str error;            /* the first one: "rule (place): reason" */
    uint64_t *candidates; /* bit per rule that names what is asked about */
    uint64_t *partly;     /* of a template: bit per rule that does not name all of it; else NULL */
} policy_ask;

void policy_ask_begin(policy_ask *k, const policy *p, const question *q, arena *scratch);
/* The next candidate of this effect, from *at on, which begins at 0 and goes on through the effects
 * in their order; NULL behind the last. */
const policy_rule *policy_next_rule(const policy_ask *k, rule_effect effect, size_t *at);

bool policy_has_scope(const policy_ask *k, str scope); /* has the caller it? */
bool policy_lacks_scopes(const policy_ask *k, const policy_rule *r);
/* A template stands for many URIs, and a rule may be about some of them only: then it neither
 * forbids nor demands anything of the rest. */
bool policy_names_all(const policy_ask *k, const policy_rule *r);

/* `when` and the arguments together; scopes are not a condition. */
truth policy_condition(policy_ask *k, const policy_rule *r);

/* Its parts, for explaining */
truth policy_run(policy_ask *k, const policy_rule *r, const cel_program *program, str source);
bool policy_arguments(policy_ask *k, cel_value *args); /* false: there can be none */
truth policy_argument(policy_ask *k, const policy_rule *r, const rule_constraint *c,
                      cel_value args);
bool policy_only_named(const policy_rule *r, cel_value args);
bool policy_names_argument(const policy_rule *r, str argument); /* in `args:` */
/* The same in a list, by what the facts' bindings say of args. */
truth policy_known_argument(policy_ask *k, const policy_rule *r, const rule_constraint *c);
truth policy_known_only_named(const policy_ask *k, const policy_rule *r);
truth policy_both(truth a, truth b); /* as && of CEL: what decides wins, then unknown, then error */
#endif
