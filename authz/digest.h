/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - hashes and text encodings of bytes, from libsodium and OpenSSL. */
#ifndef SP_DIGEST_H
#define SP_DIGEST_H
#include "../base/arena.h"
#include <stdint.h>

enum { DIGEST_BYTES = 32 };
void digest_sha256(str bytes, uint8_t out[DIGEST_BYTES]);
void digest_hmac_sha256(str key, str text, uint8_t out[DIGEST_BYTES]); /* RFC 2104, any key */
str digest_hex(arena *a, const uint8_t *bytes, size_t n);
str digest_base64(arena *a, str bytes);                   /* RFC 4648 4, padded */
str digest_base64url(arena *a, str bytes);                /* RFC 4648 5, no padding */
bool digest_from_base64(arena *a, str text, str *out);    /* strict: alphabet, padding, no spaces */
bool digest_from_base64url(arena *a, str text, str *out); /* strict, no padding */
void digest_random(void *out, size_t n);
bool digest_equal(str a, str b); /* in constant time for equal lengths */
#endif
