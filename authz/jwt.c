/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.c - the order of checks is the point.
 *
 * Header, then issuer, then the issuer's allow list, then the key and what it is pinned to; only
 * then the signature, and only behind it the claims. So no token chooses how it is verified: an
 * HS256 token MACed with an RSA public key, or `alg: none`, never reaches a verifier. OpenSSL's
 * EVP verifies RSA and ECDSA, libsodium Ed25519 (it refuses small-order keys and malleable
 * signatures). A claims tree is built only for tokens whose signature holds.
 * Why no libjwt: docs/decisions/0001-jwt-without-libjwt.md. */
#include "jwt.h"
#include "digest.h"
#include "jwk.h"
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>

enum { CLAIMS_DEPTH = 16 };
static const int64_t date_most = (int64_t)1 << 53; /* a date past this is no date */

typedef struct {
    str signed_part, signature; /* the latter decoded */
    js_value header, claims;
    jwt_alg alg;
    str kid; /* p NULL: none */
} token_parts;

typedef struct {
    const char *digest;
    size_t coordinate; /* ES*: bytes of r and of s */
    bool pss;
} method;

/* clang-format off */
static const method methods[ALG_COUNT] = {
    [ALG_RS256] = {"SHA256", 0, false}, [ALG_RS384] = {"SHA384", 0, false}, [ALG_RS512] = {"SHA512", 0, false},
    [ALG_PS256] = {"SHA256", 0, true},  [ALG_PS384] = {"SHA384", 0, true},  [ALG_PS512] = {"SHA512", 0, true},
    [ALG_ES256] = {"SHA256", 32, false}, [ALG_ES384] = {"SHA384", 48, false}, [ALG_ES512] = {"SHA512", 66, false},
};
/* clang-format on */

static const unsigned char *raw(str s)
{
    return (const unsigned char *)s.p;
}

/* JWS carries r and s side by side (RFC 7518 3.4), OpenSSL wants DER. Empty when it cannot be. */
static str der_of(arena *a, str rs, size_t coordinate)
{
    if (rs.n != coordinate * 2) return (str){0};
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw(rs), (int)coordinate, NULL);
    BIGNUM *s = BN_bin2bn(raw(rs) + coordinate, (int)coordinate, NULL);
    if (!sig || !r || !s || !ECDSA_SIG_set0(sig, r, s)) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return (str){0};
    }
    str der = {0};
    int n = i2d_ECDSA_SIG(sig, NULL);
    if (n > 0) {
        unsigned char *p = NEW_N(a, unsigned char, (size_t)n);
        der = (str){(const char *)p, (size_t)n};
        (void)i2d_ECDSA_SIG(sig, &p); /* moves p */
    }
    ECDSA_SIG_free(sig);
    return der;
}

static bool set_pss(EVP_PKEY_CTX *ctx, const char *digest)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest, NULL) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool signature_holds(arena *a, const token_parts *t, const jwk *key)
{
    str sig = t->signature;
    if (t->alg == ALG_EDDSA)
        return sig.n == crypto_sign_BYTES &&
               crypto_sign_verify_detached(raw(sig), raw(t->signed_part), t->signed_part.n,
                                           key->ed25519) == 0;
    const method *m = &methods[t->alg];
    if (!key->pkey || !m->digest) return false;
    if (m->coordinate)
        sig = der_of(a, sig, m->coordinate);
    else if (sig.n != (size_t)EVP_PKEY_get_size(key->pkey))
        return false;
    if (!sig.n) return false;

    EVP_PKEY_CTX *settings = NULL; /* belongs to ctx */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        ctx &&
        EVP_DigestVerifyInit_ex(ctx, &settings, m->digest, NULL, NULL, key->pkey, NULL) > 0 &&
        (!m->pss || set_pss(settings, m->digest)) &&
        EVP_DigestVerify(ctx, raw(sig), sig.n, raw(t->signed_part), t->signed_part.n) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool read_json_part(arena *a, str coded, js_value *out)
{
    str text;
    if (!digest_from_base64url(a, coded, &text)) return false;
    const err *e = js_check(a, text, CLAIMS_DEPTH, out);
    return !e && out->kind == JS_OBJECT;
}

static str lower_text(arena *a, str s)
{
    char *p = NEW_N(a, char, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = s.p[i];
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + ('a' - 'A'));
    }
    return (str){p, s.n};
}

/* RFC 7519 5.1 and RFC 9068 4: absent, JWT or an access token. */
static bool type_is_known(arena *a, js_value typ)
{
    if (typ.kind == JS_ABSENT) return true;
    if (typ.kind != JS_STRING) return false;
    str t = lower_text(a, js_text(a, typ));
    if (str_starts(t, S("application/"))) t = str_drop(t, S("application/").n);
    return str_eq(t, S("jwt")) || str_eq(t, S("at+jwt"));
}

/* NULL: nothing against the header. */
static const char *read_header(arena *a, token_parts *t)
{
    static const str refused[] = {S("crit"), S("b64"), S("cty"), S("enc"), S("zip")};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (js_get(t->header, refused[i]).kind != JS_ABSENT) return "header member not supported";
    if (!type_is_known(a, js_get(t->header, S("typ")))) return "wrong token type";
    js_value alg = js_get(t->header, S("alg")), kid = js_get(t->header, S("kid"));
    t->alg = alg.kind == JS_STRING ? jwt_alg_of(js_text(a, alg)) : ALG_NONE;
    if (t->alg == ALG_NONE) return "algorithm not allowed";
    if (kid.kind == JS_STRING)
        t->kid = js_text(a, kid);
    else if (kid.kind != JS_ABSENT)
        return "malformed token";
    return NULL;
}

static const char *read_parts(arena *a, str token, token_parts *t)
{
    if (token.n > JWT_MAX) return "token too large";
    str_pair head = str_cut(token, '.'), body = str_cut(head.tail, '.');
    if (!head.ok || !body.ok || (body.tail.n && memchr(body.tail.p, '.', body.tail.n)))
        return "malformed token";
    t->signed_part = str_take(token, head.head.n + 1 + body.head.n);
    if (!read_json_part(a, head.head, &t->header) || !read_json_part(a, body.head, &t->claims) ||
        !digest_from_base64url(a, body.tail, &t->signature))
        return "malformed token";
    return read_header(a, t);
}

static const jwt_issuer *issuer_of(const jwt_issuer *issuers, size_t count, js_value iss)
{
    for (size_t i = 0; iss.kind == JS_STRING && i < count; i++)
        if (js_text_is(iss, issuers[i].issuer)) return &issuers[i];
    return NULL;
}

static bool alg_allowed(const jwt_issuer *issuer, jwt_alg alg)
{
    for (const jwt_alg *p = issuer->algorithms; p && *p != ALG_NONE; p++)
        if (*p == alg) return true;
    return false;
}

static bool kid_fits(const jwk *key, str kid)
{
    return !kid.p || (key->kid.p && str_eq(key->kid, kid));
}

/* Keys that share a kid and an algorithm are all tried; a token without kid needs the choice to
 * be clear. *why is set for JWT_BAD. */
static jwt_result check_signature(arena *a, const token_parts *t, const jwks_version *keys,
                                  const char **why)
{
    size_t named = 0, usable = 0;
    bool good = false;
    const jwk *key;
    for (size_t i = 0; keys && (key = jwks_key(keys, i)); i++) {
        if (!kid_fits(key, t->kid)) continue;
        named++;
        if (key->algs & (1u << t->alg)) usable++;
    }
    if (!named || (!t->kid.p && !usable)) return JWT_NO_KEY;
    *why = usable ? "wrong signature" : "algorithm not allowed for this key";
    if (!t->kid.p && usable > 1) {
        *why = "no key id";
        return JWT_BAD;
    }
    for (size_t i = 0; !good && (key = jwks_key(keys, i)); i++)
        if (kid_fits(key, t->kid) && key->algs & (1u << t->alg)) good = signature_holds(a, t, key);
    return good ? JWT_OK : JWT_BAD;
}

/* A NumericDate, which may have a fraction: seconds rounded down. */
static bool read_date(const json_t *v, int64_t *out)
{
    if (json_is_real(v)) {
        double d = json_real_value(v);
        if (!(d >= 0 && d < (double)date_most)) return false;
        *out = (int64_t)d;
        return true;
    }
    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= 0 && *out < date_most;
}

static const char *check_dates(const json_t *claims, int64_t now_s, int64_t *expires_s)
{
    const json_t *nbf = json_object_get(claims, "nbf"), *iat = json_object_get(claims, "iat");
    int64_t exp = 0, since = 0;
    if (!read_date(json_object_get(claims, "exp"), &exp)) return "no expiry";
    *expires_s = exp + JWT_SKEW_S;
    if (now_s >= *expires_s) return "expired";
    if (nbf && (!read_date(nbf, &since) || now_s + JWT_SKEW_S < since)) return "not yet valid";
    if (iat && (!read_date(iat, &since) || now_s + JWT_SKEW_S < since))
        return "issued in the future";
    return NULL;
}

static bool is_audience(const jwt_issuer *issuer, const json_t *v)
{
    if (!json_is_string(v)) return false;
    str name = {json_string_value(v), json_string_length(v)};
    for (const str *p = issuer->audiences; p && p->p; p++)
        if (str_eq(*p, name)) return true;
    return false;
}

bool jwt_audience_suits(const jwt_issuer *issuer, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    if (!issuer->audiences || !issuer->audiences->p) return true;
    if (!json_is_array(aud)) return is_audience(issuer, aud);
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (is_audience(issuer, json_array_get(aud, i))) return true;
    return false;
}

bool jwt_suits(const jwt_issuer *issuer, jwt_alg alg, const json_t *claims)
{
    return alg_allowed(issuer, alg) && jwt_audience_suits(issuer, claims);
}

bool jwt_unverified_issuer(arena *a, str token, str *issuer)
{
    js_value header, claims;
    str_pair head = str_cut(token, '.'), body = str_cut(head.tail, '.');
    *issuer = (str){0};
    if (token.n > JWT_MAX || !body.ok || !read_json_part(a, head.head, &header) ||
        !read_json_part(a, body.head, &claims))
        return false;
    *issuer = js_text(a, js_get(claims, S("iss")));
    return true;
}

static jwt_result bad(jwt_facts *out, const char *why)
{
    out->why = why;
    return JWT_BAD;
}

jwt_result jwt_verify(arena *a, const jwt_issuer *issuers, size_t count, str token, int64_t now_s,
                      jwt_facts *out)
{
    *out = (jwt_facts){0};
    token_parts t = {0};
    const char *why = read_parts(a, token, &t);
    if (why) return bad(out, why);
    out->issuer = issuer_of(issuers, count, js_get(t.claims, S("iss")));
    if (!out->issuer || !out->issuer->keys) return bad(out, "unknown issuer");
    if (!alg_allowed(out->issuer, t.alg)) return bad(out, "algorithm not allowed");
    out->alg = t.alg;

    const jwks_version *keys = jwks_acquire(out->issuer->keys);
    jwt_result r = check_signature(a, &t, keys, &out->why);
    jwks_release(keys);
    if (r != JWT_OK) return r;

    out->claims = js_tree(a, t.claims);
    why = check_dates(out->claims, now_s, &out->expires_s);
    if (why) return bad(out, why);
    if (!jwt_suits(out->issuer, t.alg, out->claims)) return bad(out, "wrong audience");
    out->why = NULL;
    return JWT_OK;
}
