/* SPDX-License-Identifier: Apache-2.0 */
/* replay.h - a recorded decision, asked again, perhaps of other rules.
 *
 * An audit line holds what its own rules read (witness.h). Other rules may want to know more: what
 * was not recorded is then unknown, and a decision that hangs on it is neither permit nor deny.
 * Nothing is guessed.
 * Ownership: the arena's; texts may be views of the line. Threads: any. */
#ifndef SP_POLICY_REPLAY_H
#define SP_POLICY_REPLAY_H
#include "witness.h"

typedef struct {
    policy_attribute at;
    cel_value value; /* of a fact */
    bool inner;      /* withheld: only something inside it is */
} policy_memory;

typedef struct {
    policy_memory *list;
    size_t count;
} policy_memories;

typedef struct {
    int64_t seq, time_ms;
    str caller, method, kind_name, server, name, backend, endpoint;
    subject_kind kind;
    bool permitted;
    str why, rule, policy; /* as written; why of a permit is {0} */
    policy_memories facts, absent, withheld;
    bool all_arguments;    /* there were none but those named here */
    bool nothing_recorded; /* the line had no room for its facts */
} policy_recorded;

/* A line of the audit log. *is_decision false: it is about something else. The error says what is
 * wrong with it. */
MUST_CHECK const err *policy_recorded_read(arena *a, js_value line, policy_recorded *out,
                                           bool *is_decision);

typedef enum { REPLAY_DENY, REPLAY_PERMIT, REPLAY_UNKNOWN } replay_outcome;

typedef struct {
    replay_outcome outcome;
    verdict said;
    str missing; /* UNKNOWN: "jwt.dept, args.path": what was not recorded */
} policy_replayed;

/* `listing`: would a list show it, whatever the arguments? Then said.open: some call may be denied.
 */
void policy_replay(const policy *p, const policy_recorded *r, bool listing, arena *scratch,
                   policy_replayed *out);

/* The question with all that is known of it, for policy_explain(). */
question policy_recorded_question(const policy *p, const policy_recorded *r, arena *scratch);
#endif
