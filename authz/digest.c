/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - thin: libsodium does the work, arenas hold the results.
 *
 * libsodium's decoders are strict when no character is to be ignored: they refuse foreign letters,
 * missing or surplus padding and set bits after the last byte, so one value has one spelling. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest.h"
#include <endian.h>
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

/* What a character of RFC 4648 5 stands for, with bit 7 set. libsodium takes four times as long not
 * to show by its time what it decodes; these are tokens and sealed texts, known to whoever sends
 * them. */
/* clang-format off */
static const uint8_t sextet[256] = {
    ['A'] = 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140,
        141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153,
    ['a'] = 154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166,
        167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179,
    ['0'] = 180, 181, 182, 183, 184, 185, 186, 187, 188, 189,
    ['-'] = 190, ['_'] = 191,
};
/* clang-format on */

/* Four characters as the 24 bits they are; bit 7 of *known falls when one is not of the alphabet.
 */
static uint32_t take_four(const char *from, uint32_t *known)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t v = sextet[(unsigned char)from[i]];
        *known &= v;
        bits = bits << 6 | (v & 63);
    }
    return bits;
}

/* Three bytes that count, and one that does not. */
static void put_bits(char to[4], uint32_t bits)
{
    uint32_t first = htobe32(bits << 8);
    memcpy(to, &first, sizeof first);
}

bool digest_from_base64url(arena *a, str text, str *out)
{
    size_t n = 0, rest = text.n % 4, fours = text.n - rest;
    char *p = arena_bytes(a, fours / 4 * 3 + 4), last[4] = "AAAA";
    uint32_t known = 128;
    *out = (str){p, 0};
    for (size_t at = 0; at < fours; at += 4, n += 3)
        put_bits(p + n, take_four(text.p + at, &known));
    if (rest) {
        for (size_t i = 0; i < rest; i++) last[i] = text.p[fours + i];
        put_bits(p + n, take_four(last, &known));
        for (size_t i = rest - 1; i < 3; i++)
            known &= p[n + i] ? 0 : 128; /* nothing is left over */
        if (rest == 1) return false;
        n += rest - 1;
    }
    if (!known) return false;
    p[n] = 0;
    *out = (str){p, n};
    return true;
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
