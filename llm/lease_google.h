/* SPDX-License-Identifier: Apache-2.0 */
/* lease_google.h - Google's credential files: a service account's key, a user's refresh token, a
 * workload identity that another issuer vouches for.
 *
 * Pure. Failure: the error is for who wrote the configuration, and holds no secret. */
#ifndef SP_LLM_LEASE_GOOGLE_H
#define SP_LLM_LEASE_GOOGLE_H
#include "lease_spec.h"

MUST_CHECK const err *lease_of_google(arena *a, str json, lease_spec *out);
#endif
