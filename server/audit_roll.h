/* SPDX-License-Identifier: Apache-2.0 */
/* audit_roll.h - everybody and everything an audit log names, with what was last known of them.
 *
 * For questions that no line asks: may this caller see that tool? A caller's facts (claims,
 * address) and a subject's (annotations) are put together from all lines; the latest word counts,
 * and what no line recorded stays unknown. Ownership: the arena's. */
#ifndef SP_AUDIT_ROLL_H
#define SP_AUDIT_ROLL_H
#include "../authz/policy/replay.h"

typedef struct audit_roll audit_roll;
typedef struct audit_entry audit_entry; /* a caller or a subject */

audit_roll *audit_roll_new(arena *a);
void audit_roll_add(audit_roll *roll, const policy_recorded *r); /* copies what it keeps */

/* In the order they first appeared; NULL behind the last. Begin with NULL. */
const audit_entry *audit_roll_caller(const audit_roll *roll, const audit_entry *after);
const audit_entry *audit_roll_subject(const audit_roll *roll, const audit_entry *after);
str audit_entry_name(const audit_entry *e); /* "jwt:https://login|alice", "fs/read_file" */
subject_kind audit_entry_kind(const audit_entry *subject);

/* A call by the one about the other, its arguments unknown: for policy_replay() of a list. */
policy_recorded audit_roll_ask(arena *a, const audit_entry *who, const audit_entry *what);
/* The subject of that name without facts of its own, if no line names it. */
const audit_entry *audit_roll_find_subject(audit_roll *roll, subject_kind kind, str name);
#endif
