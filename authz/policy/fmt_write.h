/* SPDX-License-Identifier: Apache-2.0 */
/* fmt_write.h - a policy file's tree as text; private to the formatter.
 *
 * A role is what a node is in a policy file: it says which order its keys have, and which of the
 * scalars below are expressions. */
#ifndef SP_POLICY_FMT_WRITE_H
#define SP_POLICY_FMT_WRITE_H
#include "../../base/yaml_layout.h"

typedef enum {
    FMT_OTHER,
    FMT_FILE,
    FMT_VARS,
    FMT_RULES,
    FMT_RULE,
    FMT_ARGS,
    FMT_ARG, /* a map, or the expression itself */
    FMT_QUOTAS,
    FMT_QUOTA,
    FMT_MASKS,
    FMT_MASK,
    FMT_TESTS,
    FMT_TEST,
    FMT_EXPR
} fmt_role;

/* Of the entry `key` ({0} in a list) of what has the role `in`; *rank is where it stands. */
fmt_role fmt_role_of(fmt_role in, str key, unsigned *rank);
bool fmt_is_expression(fmt_role role, const yaml_layout *n);
/* `sorted`: keys in their order, not as they were written. */
void fmt_write(arena *a, str source, yaml_layout *root, const yaml_comment *loose, bool sorted,
               buf *out);
#endif
