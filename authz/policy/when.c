/* SPDX-License-Identifier: Apache-2.0 */
/* when.c - one expression, compiled and asked as a rule's condition is.
 *
 * It has no vars and no place among rules: what the compiler and the facts want of a policy is
 * given to them empty. */
#include "when.h"
#include "compile.h"

struct policy_when {
    policy empty;
    policy_expr expr;
};

const policy_when *policy_when_read(arena *a, const policy_source *source, const yaml_node *n,
                                    const cel_zones *zones, problems *out)
{
    policy_draft draft;
    policy_scope scope;
    policy_when *w = NEW(a, policy_when);
    policy_draft_read(&draft, a, NULL, 0, zones, out);
    policy_scope_begin(&scope, &draft, source);
    w->expr = policy_compile(&scope, n, EXPR_BOOL, "`when`");
    return w->expr.program ? w : NULL;
}

bool policy_when_reads_backend(const policy_when *w)
{
    return w->expr.reads >> FACT_LLM_BACKEND & 1;
}

bool policy_when_reads_quotas(const policy_when *w)
{
    return w->expr.reads >> VAR_QUOTA & 1;
}

when_says policy_when_holds(const policy_when *w, const question *q, arena *scratch)
{
    policy_facts facts;
    policy_facts_begin(&facts, &w->empty, q, scratch);
    cel_value v = cel_eval(w->expr.program, &facts.bindings, scratch, 0);
    if (v.tag == CEL_BOOL) return v.u.b ? WHEN_YES : WHEN_NO;
    return v.tag == CEL_UNKNOWN ? WHEN_UNKNOWN : WHEN_ERROR;
}
