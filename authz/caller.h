/* SPDX-License-Identifier: Apache-2.0 */
/* caller.h - how identity.c makes callers; everybody else takes them as identity.h shows them.
 *
 * Each gives one reference. Claims are taken over. Threads: any. */
#ifndef SP_CALLER_H
#define SP_CALLER_H
#include "api_key.h"
#include "identity.h"

/* NULL: the claims name nobody. `issuer` {0}: as they say. */
const caller *caller_of_token(json_t *claims, str issuer, int64_t expires_s);
const caller *caller_of_key(const api_key *key, int64_t until_s);
const caller *caller_anonymous(void);
str caller_issuer(const caller *c); /* of a token; {0} of everybody else */
#endif
