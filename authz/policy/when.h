/* SPDX-License-Identifier: Apache-2.0 */
/* when.h - a condition that stands outside a policy file: the same names, the same language.
 *
 * For what is chosen by facts of a request rather than permitted by them, as the route it takes.
 * Ownership: lives in the arena it was read in, immutable: any thread may ask. */
#ifndef SP_POLICY_WHEN_H
#define SP_POLICY_WHEN_H
#include "policy.h"

typedef struct policy_when policy_when;
/* UNKNOWN: only in the question of a list. */
typedef enum { WHEN_NO, WHEN_YES, WHEN_UNKNOWN, WHEN_ERROR } when_says;

/* NULL: problems were noted, at their place in `source`. */
const policy_when *policy_when_read(arena *a, const policy_source *source, const yaml_node *n,
                                    const cel_zones *zones, problems *out);
bool policy_when_reads_backend(const policy_when *w); /* by its own name */
bool policy_when_reads_quotas(const policy_when *w);  /* there are none where it is asked */
when_says policy_when_holds(const policy_when *w, const question *q, arena *scratch);
#endif
