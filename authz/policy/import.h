/* SPDX-License-Identifier: Apache-2.0 */
/* import.h - other gateways' authorization rules as a policy file of ours.
 *
 * Decisions stay equal: what is first-match there becomes forbids that spare what an earlier
 * rule allowed. Nothing becomes wider: a rule that permits and cannot be kept is left out, one that
 * denies and cannot be kept denies always, and each loss is noted. What denies there only if it
 * can be evaluated denies here also if it cannot.
 * The text is formatted and passes policy_load(). Ownership: the arena. */
#ifndef SP_POLICY_IMPORT_H
#define SP_POLICY_IMPORT_H
#include "policy.h"

typedef enum { IMPORT_ENVOY, IMPORT_AGENTGATEWAY } import_kind;

/* Notes are "FILE:LINE:COL: what". The error is for files that cannot be read at all. */
MUST_CHECK const err *policy_import(arena *a, import_kind kind, const policy_source *files,
                                    size_t count, problems *notes, str *out);
#endif
