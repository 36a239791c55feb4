/* SPDX-License-Identifier: Apache-2.0 */
/* api_key.c - making a key's token and knowing it again. */
#include "api_key.h"

#include "digest.h"
#include <string.h>

static const char prefix[] = "sp_";
enum {
    PREFIX = sizeof prefix - 1,
    SECRET_TEXT = (API_KEY_SECRET * 8 + 5) / 6, /* base64url without padding */
    TOKEN = PREFIX + API_KEY_ID + 1 + SECRET_TEXT
};

static bool is_hex(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr("0123456789abcdef", s.p[i])) return false;
    return true;
}

bool api_key_is(str token)
{
    return token.n == TOKEN && str_starts(token, (str){prefix, PREFIX}) &&
           is_hex(api_key_id(token)) && token.p[PREFIX + API_KEY_ID] == '_';
}

str api_key_id(str token)
{
    return str_take(str_drop(token, PREFIX), API_KEY_ID);
}

str api_key_make_id(arena *a)
{
    uint8_t bytes[API_KEY_ID / 2];
    digest_random(bytes, sizeof bytes);
    return digest_hex(a, bytes, sizeof bytes);
}

str api_key_make_token(arena *a, const sealer *s, str id, api_secret *kept)
{
    uint8_t bytes[API_KEY_SECRET];
    digest_random(bytes, sizeof bytes);
    str secret = digest_base64url(a, (str){(const char *)bytes, sizeof bytes});
    str token = arena_fmt(a, "%s" STR_FMT "_" STR_FMT, prefix, STR_ARG(id), STR_ARG(secret));
    *kept = (api_secret){0};
    seal_hash(s, token, kept->hash);
    return token;
}

/* Of the two ends, the one that comes first; 0 is none. */
static int64_t sooner(int64_t x, int64_t y)
{
    return !x || (y && y < x) ? y : x;
}

const char *api_key_refusal(const api_key *key, const sealer *s, str token, int64_t now_s,
                            int64_t *until_s)
{
    const api_secret *found = NULL;
    for (size_t i = 0; i < key->secret_count; i++)
        if (seal_hash_is(s, token, key->secrets[i].hash)) found = &key->secrets[i];
    if (!found) return "unknown key";
    if (key->revoked_s) return "this key was revoked";
    *until_s = sooner(key->expires_s, found->until_s);
    if (*until_s && now_s >= *until_s) return "this key has expired";
    return NULL;
}
