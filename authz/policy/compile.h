/* SPDX-License-Identifier: Apache-2.0 */
/* compile.h - an expression in a policy file becomes a program, or problems with a place.
 *
 * What may be named: the facts, and of the file's vars those that stand above. */
#ifndef SP_POLICY_COMPILE_H
#define SP_POLICY_COMPILE_H
#include "rule.h"

/* BEFORE: of a quota, before the call: it cannot read what remains of quotas. COST: reads `usage`
 * and nothing else, which nothing else does. */
enum { EXPR_THIS = 1, EXPR_BOOL = 2, EXPR_BEFORE = 4, EXPR_COST = 8 };

typedef struct policy_scope {
    policy_draft *draft;
    const policy_source *source;
    cel_variable *variables; /* by slot; nameless: not to be named here */
    const policy_var **vars; /* by slot - FACTS: the file's own, NULL for those of other files */
    const str *later;        /* names of all vars of the file, ends with {0} */
    size_t count, cap;
} policy_scope;

void policy_scope_begin(policy_scope *s, policy_draft *d, const policy_source *source);
void policy_scope_add(policy_scope *s,
                      const policy_var *var); /* its slot is FACTS + draft->var_count */

typedef struct {
    cel_program *program; /* NULL: problems were noted */
    str source;
    uint64_t reads;
    unsigned depth; /* of vars read, 0: none */
} policy_expr;
policy_expr policy_compile(policy_scope *s, const yaml_node *n, unsigned how, const char *what);
#endif
