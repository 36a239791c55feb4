/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - a decision about a call: asked, compared with the shadow policies, written down.
 *
 * Decides as policy_decide() does. When there is a sink, one line says what was decided, by which
 * rule, about whom and what, and what the rules saw (docs/audit.md); a permit that the sink does
 * not take is denied: DENIED_UNRECORDED. Shadow policies are asked the same question and never
 * decide anything.
 * Ownership: the verdict lives in the scratch arena and in the policies. Threads: any. */
#ifndef SP_AUDIT_H
#define SP_AUDIT_H
#include "policy/policy.h"

/* Takes the members of one line, without its braces; what counts and chains lines is behind it.
 * False: the line is not and will not be written. Called from any thread, must not block. */
typedef struct {
    bool (*keep)(void *ctx, str members); /* NULL: nothing is written */
    void *ctx;
} audit_sink;

typedef struct {
    const policy *rules;
    const policy *shadow; /* NULL: none */
    const str *redact;    /* as policy_witness() takes it */
    const question *q;    /* of a call, not of a list */
    str endpoint;         /* the configured MCP endpoint or LLM path */
} audit_case;

void audit_decide(const audit_sink *to, const audit_case *c, arena *scratch, verdict *out);

/* A permitted call that a quota refuses, or would have in shadow mode: a line of its own, an event.
 */
void audit_quota(const audit_sink *to, const audit_case *c, str quota, bool shadow, arena *scratch);

extern const char *const audit_kinds[SUBJECTS]; /* "tool" */
extern const char *const audit_whys[];          /* by `denied`: "forbid"; NULL for a permit */
#endif
