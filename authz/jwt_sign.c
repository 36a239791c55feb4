/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt_sign.h"
#include "digest.h"
#include <openssl/evp.h>
#include <openssl/pem.h>

static EVP_PKEY *private_key(str pem)
{
    BIO *b = pem.n && pem.n < INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    if (key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA) return key;
    EVP_PKEY_free(key);
    return NULL;
}

bool jwt_can_sign(str pem)
{
    EVP_PKEY *key = private_key(pem);
    EVP_PKEY_free(key);
    return key != NULL;
}

static str signature_of(arena *a, str text, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_size(key);
    unsigned char *out = (unsigned char *)arena_bytes(a, n);
    bool fine = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(ctx, out, &n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(ctx);
    return fine ? (str){(char *)out, n} : (str){0};
}

str jwt_sign(arena *a, str pem, str claims)
{
    EVP_PKEY *key = private_key(pem);
    if (!key) return (str){0};
    str head = digest_base64url(a, S("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"));
    str text =
        arena_fmt(a, STR_FMT "." STR_FMT, STR_ARG(head), STR_ARG(digest_base64url(a, claims)));
    str sealed = signature_of(a, text, key);
    EVP_PKEY_free(key);
    if (!sealed.n) return sealed;
    return arena_fmt(a, STR_FMT "." STR_FMT, STR_ARG(text), STR_ARG(digest_base64url(a, sealed)));
}
