/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt_mint.h"
#include "../base/buf.h"
#include "digest.h"
#include <sodium.h>

enum { MINT_MAX = 1 << 20 };
_Static_assert((int)JWT_SEED == (int)crypto_sign_SEEDBYTES, "a seed is libsodium's");

str jwt_mint(arena *a, const uint8_t seed[JWT_SEED], str kid, str claims_json)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
    (void)crypto_sign_seed_keypair(public_key, secret_key, seed);

    buf header = buf_new(a, MINT_MAX);
    (void)buf_put(&header, S("{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":"));
    (void)buf_json(&header, kid);
    (void)buf_put(&header, S("}"));
    buf token = buf_new(a, MINT_MAX);
    (void)buf_put(&token, digest_base64url(a, buf_str(&header)));
    (void)buf_put(&token, S("."));
    (void)buf_put(&token, digest_base64url(a, claims_json));
    (void)crypto_sign_detached(signature, NULL, (const unsigned char *)token.p, token.n,
                               secret_key);
    (void)buf_put(&token, S("."));
    (void)buf_put(&token, digest_base64url(a, (str){(const char *)signature, sizeof signature}));
    sodium_memzero(secret_key, sizeof secret_key);
    return buf_ok(&token) ? buf_str(&token) : (str){0};
}

str jwt_mint_jwks(arena *a, const uint8_t seed[JWT_SEED], str kid)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(public_key, secret_key, seed);
    sodium_memzero(secret_key, sizeof secret_key);
    buf b = buf_new(a, MINT_MAX);
    (void)buf_put(&b, S("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\",\"alg\":"
                        "\"EdDSA\",\"kid\":"));
    (void)buf_json(&b, kid);
    (void)buf_put(&b, S(",\"x\":"));
    (void)buf_json(&b, digest_base64url(a, (str){(const char *)public_key, sizeof public_key}));
    (void)buf_put(&b, S("}]}"));
    return buf_str(&b);
}
