/* SPDX-License-Identifier: Apache-2.0 */
/* fit.h - a call keeps to what its tool's list relied on.
 *
 * A list knows of arguments what the schema says (schema.h). For `permitted => listed` to hold for
 * every call, one whose arguments are otherwise is denied before the rules are asked, where a rule
 * that could apply reads them. */
#ifndef SP_POLICY_FIT_H
#define SP_POLICY_FIT_H
#include "condition.h"

/* What is wrong with the first such argument, for the client; {0}: nothing. */
str policy_fit_offence(policy_ask *k);
bool policy_fit_is_read(const policy_ask *k, str argument); /* by a rule that could apply */
#endif
