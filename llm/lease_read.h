/* SPDX-License-Identifier: Apache-2.0 */
/* lease_read.h - what clouds answer when they are asked for a credential.
 *
 * The answer is a peer's: bounded by whoever fetched it, believed in nothing else. What is given
 * out is fit for a header and lives at least a second and at most a day. `now_ms` is the peer's own
 * clock where it says one, so that a clock of ours that is wrong does not shorten a credential.
 * Pure. Threads: any. Failure: the error's text holds nothing of the answer. */
#ifndef SP_LLM_LEASE_READ_H
#define SP_LLM_LEASE_READ_H
#include "lease_spec.h"

/* RFC 6749 5.1: {"access_token", "expires_in"}. */
MUST_CHECK const err *lease_read_oauth(arena *a, str body, lease_token *out);
/* {"accessToken", "expireTime"}, of Google's impersonation. */
MUST_CHECK const err *lease_read_impersonated(arena *a, str body, int64_t now_ms, lease_token *out);
/* {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}, of a container or a machine. */
MUST_CHECK const err *lease_read_keys(arena *a, str body, int64_t now_ms, lease_token *out);
/* The <Credentials> of AWS's Security Token Service. */
MUST_CHECK const err *lease_read_sts(arena *a, str body, int64_t now_ms, lease_token *out);
/* A token of another issuer: the whole text, or a member of the JSON object it is. */
MUST_CHECK const err *lease_read_subject(arena *a, str text, str field, str *out);
/* The name of the error in a refusal, JSON or XML: "invalid_grant". {0}: it has no plain one. */
str lease_read_refusal(arena *a, str body);
#endif
