/* SPDX-License-Identifier: Apache-2.0 */
/* jose.h - keys and signed tokens for tests, made with OpenSSL: good ones and bad ones.
 *
 * Independent of the code under test on purpose. Keys belong to the caller: EVP_PKEY_free(). */
#ifndef SP_TEST_JOSE_H
#define SP_TEST_JOSE_H
#include "../../authz/digest.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>

static inline void jose_must(bool good)
{
    if (!good) abort();
}

static inline str jose_bn(arena *a, const EVP_PKEY *key, const char *name, int width)
{
    BIGNUM *n = NULL;
    jose_must(EVP_PKEY_get_bn_param(key, name, &n) == 1);
    int bytes = width ? width : BN_num_bytes(n);
    unsigned char *p = NEW_N(a, unsigned char, (size_t)bytes);
    jose_must(BN_bn2binpad(n, p, bytes) == bytes);
    BN_free(n);
    return digest_base64url(a, (str){(const char *)p, (size_t)bytes});
}

/* One JWK without braces' end, so that a test may add members: `more` is "" or ",\"use\":\"sig\"".
 */
static inline str jose_jwk(arena *a, const EVP_PKEY *key, const char *kid, const char *more)
{
    str named = kid ? arena_fmt(a, ",\"kid\":\"%s\"", kid) : S("");
    if (EVP_PKEY_is_a(key, "RSA"))
        return arena_fmt(a, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s%s}",
                         jose_bn(a, key, "n", 0).p, jose_bn(a, key, "e", 0).p, named.p, more);
    if (EVP_PKEY_is_a(key, "ED25519")) {
        unsigned char raw[32];
        size_t n = sizeof raw;
        jose_must(EVP_PKEY_get_raw_public_key(key, raw, &n) == 1);
        return arena_fmt(a, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s%s}",
                         digest_base64url(a, (str){(const char *)raw, n}).p, named.p, more);
    }
    int bits = EVP_PKEY_get_bits(key), width = (bits + 7) / 8;
    return arena_fmt(a, "{\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\",\"y\":\"%s\"%s%s}", bits,
                     jose_bn(a, key, "qx", width).p, jose_bn(a, key, "qy", width).p, named.p, more);
}

static inline str jose_raw_signature(arena *a, str der, int width)
{
    const unsigned char *p = (const unsigned char *)der.p;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
    jose_must(sig != NULL);
    unsigned char *out = NEW_N(a, unsigned char, (size_t)width * 2);
    jose_must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, width) == width);
    jose_must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + width, width) == width);
    ECDSA_SIG_free(sig);
    return (str){(const char *)out, (size_t)width * 2};
}

/* alg decides hash and padding as RFC 7518 says; "EdDSA" for Ed25519. */
static inline str jose_sign(arena *a, EVP_PKEY *key, const char *alg, str input)
{
    const char *digest = alg[2] == '2' ? "SHA256" : alg[2] == '3' ? "SHA384" : "SHA512";
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    jose_must(EVP_DigestSignInit_ex(md, &ctx, alg[0] == 'E' && alg[1] == 'd' ? NULL : digest, NULL,
                                    NULL, key, NULL) == 1);
    if (alg[0] == 'P')
        jose_must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    unsigned char *out = NEW_N(a, unsigned char, 2048);
    size_t n = 2048;
    jose_must(EVP_DigestSign(md, out, &n, (const unsigned char *)input.p, input.n) == 1);
    EVP_MD_CTX_free(md);
    str sig = {(const char *)out, n};
    if (alg[0] == 'E' && alg[1] == 'S')
        sig = jose_raw_signature(a, sig, (EVP_PKEY_get_bits(key) + 7) / 8);
    return sig;
}

static inline str jose_input(arena *a, str header, str claims)
{
    return arena_fmt(a, "%s.%s", digest_base64url(a, header).p, digest_base64url(a, claims).p);
}

static inline str jose_token_with(arena *a, EVP_PKEY *key, const char *alg, str header, str claims)
{
    str input = jose_input(a, header, claims);
    return arena_fmt(a, "%s.%s", input.p, digest_base64url(a, jose_sign(a, key, alg, input)).p);
}

static inline str jose_token(arena *a, EVP_PKEY *key, const char *alg, const char *kid, str claims)
{
    str header = kid ? arena_fmt(a, "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid)
                     : arena_fmt(a, "{\"alg\":\"%s\"}", alg);
    return jose_token_with(a, key, alg, header, claims);
}

/* The classic forgery: HS256 with a public key's text as the secret. */
static inline str jose_hmac_token(arena *a, str secret, str header, str claims)
{
    str input = jose_input(a, header, claims);
    unsigned char mac[32];
    unsigned n = sizeof mac;
    jose_must(HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)input.p, input.n,
                   mac, &n) != NULL);
    return arena_fmt(a, "%s.%s", input.p, digest_base64url(a, (str){(const char *)mac, n}).p);
}
#endif
