/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.c - the canonical request, its digest, and a key derived from date, region and service.
 *
 * The derived key could be kept for a day. It is not: four HMACs of short texts cost less than
 * hashing the body, and a cache would be the one thing here that workers share. */
#include "sigv4.h"
#include "../authz/digest.h"
#include "../base/buf.h"
#include "../base/clock.h"
#include <assert.h>

enum { TEXT_LIMIT = 64 << 10 };

/* "20260102T030405Z", of which the first eight are the date. */
static str stamp_of(arena *a, int64_t now_ms)
{
    static const unsigned char at[] = {0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 18};
    str full = clock_rfc3339(a, now_ms);
    char *out = arena_bytes(a, sizeof at + 1);
    for (size_t i = 0; i < sizeof at; i++) out[i] = full.p[at[i]];
    out[sizeof at] = 'Z';
    return (str){out, sizeof at + 1};
}

static bool stands_for_itself(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '/';
}

static void put_encoded_again(buf *b, str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (stands_for_itself(path.p[i]))
            buf_put(b, (str){path.p + i, 1});
        else
            buf_fmt(b, "%%%02X", (unsigned)(unsigned char)path.p[i]);
    }
}

static str hex_sha256(arena *a, str bytes)
{
    uint8_t hash[DIGEST_BYTES];
    digest_sha256(bytes, hash);
    return digest_hex(a, hash, sizeof hash);
}

static str signed_names(const sigv4_key *key)
{
    return key->session_token.p ? S("content-type;host;x-amz-date;x-amz-security-token")
                                : S("content-type;host;x-amz-date");
}

static str canonical_request(arena *a, const sigv4_key *key, const sigv4_request *rq, str stamp)
{
    buf b = buf_new(a, TEXT_LIMIT);
    buf_put(&b, rq->method);
    buf_put(&b, S("\n"));
    put_encoded_again(&b, rq->path);
    buf_fmt(&b, "\n\ncontent-type:" STR_FMT "\nhost:" STR_FMT "\nx-amz-date:" STR_FMT "\n",
            STR_ARG(rq->content_type), STR_ARG(rq->host), STR_ARG(stamp));
    if (key->session_token.p)
        buf_fmt(&b, "x-amz-security-token:" STR_FMT "\n", STR_ARG(key->session_token));
    buf_fmt(&b, "\n" STR_FMT "\n" STR_FMT, STR_ARG(signed_names(key)),
            STR_ARG(hex_sha256(a, rq->body)));
    assert(buf_ok(&b)); /* paths and tokens are bounded by the config and by the request's head */
    return buf_str(&b);
}

static str hmac(arena *a, str key, str text)
{
    uint8_t *out = NEW_N(a, uint8_t, DIGEST_BYTES);
    digest_hmac_sha256(key, text, out);
    return (str){(const char *)out, DIGEST_BYTES};
}

static str derived_key(arena *a, const sigv4_key *key, str date)
{
    str k = arena_fmt(a, "AWS4" STR_FMT, STR_ARG(key->secret_access_key));
    k = hmac(a, k, date);
    k = hmac(a, k, key->region);
    k = hmac(a, k, key->service);
    return hmac(a, k, S("aws4_request"));
}

const header *sigv4_sign(arena *a, const sigv4_key *key, const sigv4_request *rq)
{
    str stamp = stamp_of(a, rq->now_ms), date = str_take(stamp, 8);
    str scope = arena_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT "/aws4_request", STR_ARG(date),
                          STR_ARG(key->region), STR_ARG(key->service));
    str text =
        arena_fmt(a, "AWS4-HMAC-SHA256\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(stamp),
                  STR_ARG(scope), STR_ARG(hex_sha256(a, canonical_request(a, key, rq, stamp))));
    str signature = hmac(a, derived_key(a, key, date), text);
    header *out = NEW_N(a, header, 4);
    out[0] =
        (header){S("authorization"),
                 arena_fmt(a,
                           "AWS4-HMAC-SHA256 Credential=" STR_FMT "/" STR_FMT
                           ", SignedHeaders=" STR_FMT ", Signature=" STR_FMT,
                           STR_ARG(key->access_key_id), STR_ARG(scope), STR_ARG(signed_names(key)),
                           STR_ARG(digest_hex(a, (const uint8_t *)signature.p, signature.n)))};
    out[1] = (header){S("x-amz-date"), stamp};
    if (key->session_token.p) out[2] = (header){S("x-amz-security-token"), key->session_token};
    return out;
}
