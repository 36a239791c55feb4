/* SPDX-License-Identifier: Apache-2.0 */
/* case.h - a request as a person writes it down, and the question it stands for.
 *
 *   as: { jwt: { sub: alice, groups: [eng] } }      # claims; {} is nobody
 *   call: fs/write_file                             # or read, prompt, llm, endpoint
 *   args: { path: /srv/x }
 *   now: 2026-11-23T09:30:00Z                       # these are optional: now, ip, headers,
 * annotations
 *
 * Ownership: the arena's. Failure: problems with their places are added to `out`. */
#ifndef SP_POLICY_CASE_H
#define SP_POLICY_CASE_H
#include "rule.h"

/* A file that holds one request. */
bool policy_case_read(arena *a, const policy_source *source, problems *out, policy_case *c);
/* A file that says who asks, and whence; what for is left open. */
bool policy_case_read_caller(arena *a, const policy_source *source, problems *out, policy_case *c);
question policy_case_question(const policy_case *c, int64_t now_ms, arena *scratch);
#endif
