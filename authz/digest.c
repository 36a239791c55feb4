/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - thin: libsodium does the work, arenas hold the results.
 *
 * libsodium's decoders are strict when no character is to be ignored: they refuse foreign letters,
 * missing or surplus padding and set bits after the last byte, so one value has one spelling. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest.h"
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>

/* OpenSSL's, since it uses the processor's own instructions and every request's token is hashed;
 * by its old calls, since the new ones look the algorithm up by name each time (0.6 us of 1.3). */
void digest_sha256(str bytes, uint8_t out[DIGEST_BYTES])
{
    SHA256_CTX c;
    (void)SHA256_Init(&c);
    (void)SHA256_Update(&c, bytes.p, bytes.n);
    (void)SHA256_Final(out, &c);
}

void digest_hmac_sha256(str key, str text, uint8_t out[DIGEST_BYTES])
{
    crypto_auth_hmacsha256_state h;
    (void)crypto_auth_hmacsha256_init(&h, (const unsigned char *)key.p, key.n);
    (void)crypto_auth_hmacsha256_update(&h, (const unsigned char *)text.p, text.n);
    (void)crypto_auth_hmacsha256_final(&h, out);
    sodium_memzero(&h, sizeof h);
}

str digest_hex(arena *a, const uint8_t *bytes, size_t n)
{
    char *p = NEW_N(a, char, n * 2 + 1);
    (void)sodium_bin2hex(p, n * 2 + 1, bytes, n);
    return (str){p, n * 2};
}

static str encode(arena *a, str bytes, int variant)
{
    size_t room = sodium_base64_encoded_len(bytes.n, variant); /* counts the final NUL */
    char *p = NEW_N(a, char, room);
    (void)sodium_bin2base64(p, room, (const unsigned char *)bytes.p, bytes.n, variant);
    return (str){p, strlen(p)};
}

str digest_base64(arena *a, str bytes)
{
    return encode(a, bytes, sodium_base64_VARIANT_ORIGINAL);
}

str digest_base64url(arena *a, str bytes)
{
    return encode(a, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool decode(arena *a, str text, int variant, str *out)
{
    size_t room = text.n / 4 * 3 + 3, n = 0;
    unsigned char *p = NEW_N(a, unsigned char, room + 1);
    *out = (str){(const char *)p, 0};
    if (text.n == 0) return true;
    if (sodium_base642bin(p, room, text.p, text.n, NULL, &n, NULL, variant) != 0) return false;
    *out = (str){(const char *)p, n};
    return true;
}

bool digest_from_base64(arena *a, str text, str *out)
{
    return decode(a, text, sodium_base64_VARIANT_ORIGINAL, out);
}

bool digest_from_base64url(arena *a, str text, str *out)
{
    return decode(a, text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

void digest_random(void *out, size_t n)
{
    if (sodium_init() < 0) abort(); /* no randomness: nothing we could do would be safe */
    randombytes_buf(out, n);
}

bool digest_equal(str a, str b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}
