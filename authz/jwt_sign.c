/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt_sign.h"
#include "../base/json_make.h"
#include "digest.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

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

static bool sign_as(EVP_MD_CTX *ctx, EVP_PKEY *key, bool pss)
{
    EVP_PKEY_CTX *how = NULL;
    if (!ctx || EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, key) != 1) return false;
    if (!pss) return true;
    return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static str signature_of(arena *a, str text, EVP_PKEY *key, bool pss)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_size(key);
    unsigned char *out = (unsigned char *)arena_bytes(a, n);
    bool fine = sign_as(ctx, key, pss) &&
                EVP_DigestSign(ctx, out, &n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(ctx);
    return fine ? (str){(char *)out, n} : (str){0};
}

static str head_of(arena *a, const jwt_sign_head *head)
{
    jnode *o = jn_object(a);
    jn_set_text(o, "alg", head->pss ? S("PS256") : S("RS256"));
    jn_set_text(o, "typ", S("JWT"));
    jn_set_text(o, "kid", head->key_id);
    jn_set_text(o, "x5t#S256", head->thumbprint);
    return digest_base64url(a, jn_dump(a, o));
}

str jwt_sign(arena *a, str pem, const jwt_sign_head *head, str claims)
{
    EVP_PKEY *key = private_key(pem);
    if (!key) return (str){0};
    str text = arena_fmt(a, STR_FMT "." STR_FMT, STR_ARG(head_of(a, head)),
                         STR_ARG(digest_base64url(a, claims)));
    str sealed = signature_of(a, text, key, head->pss);
    EVP_PKEY_free(key);
    if (!sealed.n) return sealed;
    return arena_fmt(a, STR_FMT "." STR_FMT, STR_ARG(text), STR_ARG(digest_base64url(a, sealed)));
}

str jwt_thumbprint(arena *a, str certificate, str key)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_PKEY *own = private_key(key);
    BIO *b = certificate.n && certificate.n < INT32_MAX
                 ? BIO_new_mem_buf(certificate.p, (int)certificate.n)
                 : NULL;
    X509 *first = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    bool fine = own && first && X509_check_private_key(first, own) == 1 &&
                X509_digest(first, EVP_sha256(), hash, &n) == 1;
    X509_free(first);
    EVP_PKEY_free(own);
    ERR_clear_error();
    return fine ? digest_base64url(a, (str){(char *)hash, n}) : (str){0};
}
