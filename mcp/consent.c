/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"
#include "../authz/digest.h"
#include "../base/json.h"

enum { SELF_MOST = 4096 };

#define TEXT(n, m)                                                                                 \
    {                                                                                              \
        S(n), offsetof(consent, m)                                                                 \
    }

/* One row reads and writes. */
static const struct {
    str name;
    size_t at;
} texts[] = {
    TEXT("s", server),        TEXT("c", caller_id), TEXT("l", login),     TEXT("f", front),
    TEXT("b", browser),       TEXT("i", issuer),    TEXT("t", token_url), TEXT("d", client_id),
    TEXT("k", client_secret), TEXT("r", resource),  TEXT("v", verifier),  TEXT("o", scope),
};

static str *text_at(consent *c, size_t i)
{
    return (str *)(void *)((char *)c + texts[i].at);
}

str consent_seal(const sealer *s, arena *a, const consent *c)
{
    consent copy = *c;
    buf b = buf_new(a, CONSENT_MOST);
    buf_fmt(&b, "{\"leg\":%d,\"until\":%lld,\"body\":%s,\"iss\":%s", (int)c->leg,
            (long long)c->expires_ms, c->secret_in_body ? "true" : "false",
            c->says_issuer ? "true" : "false");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!text_at(&copy, i)->n) continue;
        buf_put(&b, S(",\""));
        buf_put(&b, texts[i].name);
        buf_put(&b, S("\":"));
        buf_json(&b, *text_at(&copy, i));
    }
    buf_put(&b, S("}"));
    return buf_ok(&b) ? seal(s, a, SEAL_CONSENT, buf_str(&b)) : (str){0};
}

bool consent_open(const sealer *s, arena *a, str text, int64_t now_ms, consent *out)
{
    str plain;
    js_value root;
    int64_t leg;
    if (text.n > (size_t)CONSENT_MOST * 2 || !unseal(s, a, SEAL_CONSENT, text, &plain))
        return false;
    const err *e = js_check(a, plain, 2, &root);
    *out = (consent){0};
    if (e || !js_int(js_get(root, S("leg")), &leg) || leg < CONSENT_START || leg > CONSENT_SERVER ||
        !js_int(js_get(root, S("until")), &out->expires_ms))
        return false;
    out->leg = (consent_leg)leg;
    out->secret_in_body = js_bool(js_get(root, S("body")), false);
    out->says_issuer = js_bool(js_get(root, S("iss")), false);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *text_at(out, i) = js_text(a, js_get(root, texts[i].name));
    return now_ms < out->expires_ms;
}

str consent_challenge(arena *a, str verifier)
{
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(verifier, sum);
    return digest_base64url(a, (str){(const char *)sum, sizeof sum});
}

str consent_random(arena *a)
{
    uint8_t bytes[32];
    digest_random(bytes, sizeof bytes);
    return digest_base64url(a, (str){(const char *)bytes, sizeof bytes});
}

void consent_put_client(buf *b, str front)
{
    buf_put(b, S("{\"client_name\":\"Sallyport\",\"application_type\":\"web\",\"response_types\":["
                 "\"code\"],\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
                 "\"redirect_uris\":["));
    buf_json(b, arena_fmt(b->a, STR_FMT CONSENT_BACK_PATH, STR_ARG(front)));
    buf_put(b, S("]"));
}

str consent_self_url(arena *a, str front)
{
    if (!str_starts(front, S("https://"))) return (str){0};
    return arena_fmt(a, STR_FMT CONSENT_SELF_PATH, STR_ARG(front));
}

/* draft-ietf-oauth-client-id-metadata-document: the client_id is the URL it was read from. */
str consent_self(arena *a, str front)
{
    buf b = buf_new(a, SELF_MOST);
    consent_put_client(&b, front);
    buf_put(&b, S(",\"token_endpoint_auth_method\":\"none\",\"client_id\":"));
    buf_json(&b, consent_self_url(a, front));
    buf_put(&b, S("}"));
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}
