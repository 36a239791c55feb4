/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"
#include "condition.h"

static bool decides(const policy_ask *k, const policy_rule *r, truth t, denied why)
{
    switch (why) {
    case DENIED_NOT:
        return r->effect == RULE_PERMIT && t == TRUTH_YES && !policy_lacks_scopes(k, r);
    case DENIED_FORBID: return r->effect == RULE_FORBID && t == TRUTH_YES;
    case DENIED_FORBID_ERROR: return r->effect == RULE_FORBID && t == TRUTH_ERROR;
    case DENIED_REQUIRE: return r->effect == RULE_REQUIRE && t != TRUTH_YES;
    default: return false;
    }
}

policy_outcome policy_outcome_of(const policy *p, const question *q, const verdict *v,
                                 arena *scratch)
{
    policy_ask k;
    size_t at = 0, candidates = 0, decided = 0, errors = 0;
    policy_ask_begin(&k, p, q, scratch);
    for (size_t i = 0; i <= p->count / 64; i++)
        candidates += (size_t)__builtin_popcountll(k.candidates[i]);
    str *deciding = NEW_N(scratch, str, candidates + 1);
    str *broken = NEW_N(scratch, str, candidates + 1);
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect <= RULE_PERMIT; effect++)
        while ((r = policy_next_rule(&k, (rule_effect)effect, &at))) {
            truth t = policy_condition(&k, r);
            if (decides(&k, r, t, v->why)) deciding[decided++] = r->id;
            if (t == TRUTH_ERROR) broken[errors++] = r->id;
        }
    return (policy_outcome){deciding, broken};
}
