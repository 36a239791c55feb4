/* SPDX-License-Identifier: Apache-2.0 */
/* api_key.h - virtual keys: credentials that this gateway gives out itself.
 *
 * A token is sp_ID_SECRET: twelve hex digits that name the key, and 32 random bytes as base64url.
 * It is shown once, when it is made; kept is a keyed hash of it (seal.h), so that who reads the
 * file or the store can neither use a key nor try guesses without a seal key. While a key is
 * rotated it has several secrets, the older ones until their time is up.
 * Ownership: views of whatever a key was read from. Threads: any. */
#ifndef SP_API_KEY_H
#define SP_API_KEY_H
#include "seal.h"

enum { API_KEY_ID = 12, API_KEY_SECRET = 32, API_KEY_DEPTH = 16, API_KEYS_MOST = 10000 };

typedef struct {
    uint8_t hash[SEAL_HASH_BYTES];
    int64_t until_s; /* 0: as long as the key itself */
} api_secret;

typedef struct {
    int64_t micro_usd; /* 0: none */
    str window;        /* "month", "30d": as in quotas of policies; and in milliseconds: */
    int64_t window_ms;
} api_budget;

typedef struct {
    str id, name;
    int64_t created_s, expires_s, revoked_s; /* since 1970; 0: unknown, never, not */
    str claims;                              /* a JSON object: `jwt` of rules */
    const str *models, *servers;             /* globs of all it may use, end with {0}; NULL: all */
    api_budget budget;
    const api_secret *secrets;
    size_t secret_count;
} api_key;

bool api_key_is(str token); /* has it this form? */
str api_key_id(str token);  /* of one that has */
str api_key_make_id(arena *a);
/* A new token for this id, and what is kept of it. */
str api_key_make_token(arena *a, const sealer *s, str id, api_secret *kept);
/* What is wrong with using this token of that key now, in words that a client may see; NULL:
 * nothing, and it is good until then (0: for ever). */
const char *api_key_refusal(const api_key *key, const sealer *s, str token, int64_t now_s,
                            int64_t *until_s);
#endif
