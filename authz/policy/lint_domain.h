/* SPDX-License-Identifier: Apache-2.0 */
/* lint_domain.h - which values a part of an expression can have at all; private to the checker.
 *
 * Known from a fact (caller.kind), a function (getHours) or a tool's schema (enum, const, bounds).
 */
#ifndef SP_POLICY_LINT_DOMAIN_H
#define SP_POLICY_LINT_DOMAIN_H
#include "lint.h"

typedef struct {
    const cel_value *values; /* NULL: not enumerated */
    size_t count;
    bool has_min, has_max;
    double min, max;
    const char *what; /* "caller.kind" */
} lint_domain;

bool lint_domain_of(const lint_expr *e, const cel_node *n, lint_domain *d); /* false: any value */
bool lint_domain_has(const lint_domain *d, cel_value v);
str lint_domain_text(arena *a, const lint_domain *d); /* "caller.kind can be jwt, key …" */
str lint_domain_near(arena *a, const lint_domain *d, cel_value v); /* "did you mean \"jwt\"?" */
bool lint_number(cel_value v, double *out);
#endif
