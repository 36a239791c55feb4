/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies whatever comes, with fixed keys of three kinds. The first byte chooses: the token as it
 * is, or header and claims (cut at the first newline) encoded and signed by us, so that what lies
 * behind the signature is reached as well. */
#include "../../authz/digest.h"
#include "../../authz/identity.h"
#include "../../authz/jwt_mint.h"
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

static const uint8_t seed[JWT_SEED] = {42};
static const char more_keys[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"TQfg-a0mmAyaI15PT3iC7O11iyuA_"
    "wAZINYXDcXQGso\","
    "\"y\":\"GIFGX-RsMHcfsYCwABMmNPI6cawI6yZ4-FsPzPWu5wY\"},"
    "{\"kty\":\"RSA\",\"kid\":\"r\",\"e\":\"AQAB\",\"n\":\""
    "iDS1i9Vjy1P7zvPXn-ecXh2XcMuKb_e-1mRfQ3r7Cz-x8yo2mZ7zNkE_BCZ_C9IrsZ_VUFIqK6Gmh4TTHpOg0xfOSY"
    "dTx1f6u8YsRkSSFSMMbyOtTw-UlBOjFyff7crQB3S1VxBMZBqZ8CwLnr5Lv01dlo7DRUPianOtsENdXgi0yJfBtgK_"
    "MnGK8vLqhzAodiAGVAhmXBVonkncPHl4V_5RNocvf4RfIoB_I33VAlpk9_yxa-qG9SMseevCdJTJOdivsuC4whZhW8"
    "ktc5ZR0NrZHyY_ZhQCUWiUmZTzDm5ZIWnwbL_GPibmHYF8VHF1s0C-8359O9ugNeKRrMR7Vw"
    "\"}";

static str sign(arena *a, str head, str claims)
{
    uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES], sig[crypto_sign_BYTES];
    (void)crypto_sign_seed_keypair(pk, sk, seed);
    str input = arena_fmt(a, "%s.%s", digest_base64url(a, head).p, digest_base64url(a, claims).p);
    (void)crypto_sign_detached(sig, NULL, (const unsigned char *)input.p, input.n, sk);
    return arena_fmt(a, "%s.%s", input.p,
                     digest_base64url(a, (str){(const char *)sig, sizeof sig}).p);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const jwt_alg algs[] = {ALG_RS256, ALG_PS256, ALG_ES256, ALG_EDDSA, ALG_NONE};
    static const str audiences[] = {S("gw"), {0}};
    static jwks *keys; /* once: building RSA keys is slow */
    arena *a = arena_new();
    if (!keys) {
        str own = jwt_mint_jwks(a, seed, S("d"));
        keys = jwks_new();
        str all = arena_fmt(a, "{\"keys\":[%s,%.*s", more_keys, (int)(own.n - 9), own.p + 9);
        if (jwks_replace(a, keys, all, 0, NULL)) abort();
    }
    const jwt_issuer issuer = {.issuer = S("i"),
                               .audiences = audiences,
                               .algorithms = algs,
                               .keys = keys};
    const identity id = {.issuers = &issuer, .issuer_count = 1};
    str rest = n ? (str){(const char *)p + 1, n - 1} : (str){0};
    unsigned how = n ? p[0] : 0;
    str token = rest;
    if (how & 1) {
        str_pair cut = str_cut(rest, '\n');
        token = sign(a, cut.head, cut.tail);
    }
    jwt_facts facts;
    jwt_result r = jwt_verify(a, &issuer, 1, token, 1800000000, &facts);
    if (r == JWT_OK && (!(how & 1) || facts.expires_s <= 1800000000 || !facts.claims)) abort();
    if (how & 2) {
        identity_cache *cache = identity_cache_new(2);
        const caller *c;
        identity_detail detail;
        str sent = how & 4 ? rest : arena_fmt(a, "Bearer %.*s", STR_ARG(token));
        for (int i = 0; i < 2; i++) {
            identity_result got = identify(cache, &id, sent, 1800000000000, true, &c, &detail);
            if ((got == IDENTITY_OK) != (c != NULL)) abort();
            caller_drop(c);
        }
        identity_cache_free(cache);
    }
    arena_free(a);
    return 0;
}
