/* SPDX-License-Identifier: Apache-2.0 */
/* seal.c - sealed text = base64url(key id, nonce, ciphertext with tag).
 *
 * Each secret is hashed to a master key, and from it libsodium's KDF makes one subkey for each
 * purpose, all at start: sealing and opening cost one AEAD. The nonce is 24 random bytes, long
 * enough never to repeat. The key id is one byte derived from the secret, the same on every
 * replica; two secrets may share it, so opening tries each key that has it. Purpose and key id
 * are associated data as well as the choice of subkey: belt and braces. */
#include "seal.h"
#include "digest.h"
#include <sodium.h>
#include <stdlib.h>

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEY = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    HEAD = 1 + NONCE,
    SECRET_LEAST = 32
};
_Static_assert((int)KEY == (int)crypto_kdf_KEYBYTES, "a master key fits the KDF");

typedef struct {
    uint8_t id;
    uint8_t subkey[SEAL_PURPOSES][KEY];
} seal_key;

struct sealer {
    const seal_key *keys; /* guarded memory, read-only */
    size_t count;
};

static void derive(seal_key *k, str secret)
{
    static const char context[crypto_kdf_CONTEXTBYTES + 1] = "sp-seal1";
    uint8_t master[KEY];
    (void)crypto_generichash(master, sizeof master, (const unsigned char *)secret.p, secret.n, NULL,
                             0);
    uint8_t id[crypto_kdf_BYTES_MIN];
    (void)crypto_kdf_derive_from_key(id, sizeof id, 0, context, master);
    k->id = id[0];
    for (unsigned p = 0; p < SEAL_PURPOSES; p++)
        (void)crypto_kdf_derive_from_key(k->subkey[p], KEY, p + 1, context, master);
    sodium_memzero(master, sizeof master);
}

const err *sealer_new(arena *a, const str *keys, sealer **out)
{
    if (sodium_init() < 0) return err_new(a, ERR_BUG, "no source of randomness");
    size_t count = 0;
    for (; keys && keys[count].p; count++)
        if (keys[count].n < SECRET_LEAST)
            return err_new(a, ERR_MALFORMED, "seal key %zu is shorter than %d bytes", count + 1,
                           SECRET_LEAST);

    size_t made = count ? count : 1;
    seal_key *made_keys = sodium_allocarray(made, sizeof *made_keys);
    if (!made_keys) abort();
    arena_own(a, sodium_free, made_keys); /* wipes */
    for (size_t i = 0; i < count; i++) derive(&made_keys[i], keys[i]);
    if (!count) {
        uint8_t secret[SECRET_LEAST];
        randombytes_buf(secret, sizeof secret);
        derive(&made_keys[0], (str){(const char *)secret, sizeof secret});
        sodium_memzero(secret, sizeof secret);
    }
    (void)sodium_mprotect_readonly(made_keys);

    sealer *s = NEW(a, sealer);
    *s = (sealer){made_keys, made};
    *out = s;
    return NULL;
}

str seal(const sealer *s, arena *a, seal_purpose purpose, str plain)
{
    const seal_key *k = &s->keys[0];
    const uint8_t bound[2] = {(uint8_t)purpose, k->id};
    uint8_t *p = NEW_N(a, uint8_t, HEAD + plain.n + TAG);
    p[0] = k->id;
    randombytes_buf(p + 1, NONCE);
    unsigned long long n = 0;
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(p + HEAD, &n, (const unsigned char *)plain.p,
                                                     plain.n, bound, sizeof bound, NULL, p + 1,
                                                     k->subkey[purpose]);
    return digest_base64url(a, (str){(const char *)p, HEAD + (size_t)n});
}

bool unseal(const sealer *s, arena *a, seal_purpose purpose, str sealed, str *plain)
{
    str raw;
    if (!digest_from_base64url(a, sealed, &raw) || raw.n < HEAD + TAG) return false;
    const uint8_t *p = (const uint8_t *)raw.p;
    const uint8_t bound[2] = {(uint8_t)purpose, p[0]};
    uint8_t *out = NEW_N(a, uint8_t, raw.n - HEAD - TAG + 1);
    for (size_t i = 0; i < s->count; i++) {
        if (s->keys[i].id != p[0]) continue;
        unsigned long long n = 0;
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, &n, NULL, p + HEAD, raw.n - HEAD, bound,
                                                       sizeof bound, p + 1,
                                                       s->keys[i].subkey[purpose]) == 0) {
            *plain = (str){(const char *)out, (size_t)n};
            return true;
        }
    }
    return false;
}

static void hash_by(const seal_key *k, str secret, uint8_t out[SEAL_HASH_BYTES])
{
    (void)crypto_generichash(out, SEAL_HASH_BYTES, (const unsigned char *)secret.p, secret.n,
                             k->subkey[SEAL_KEY_HASH], KEY);
}

void seal_hash(const sealer *s, str secret, uint8_t out[SEAL_HASH_BYTES])
{
    hash_by(&s->keys[0], secret, out);
}

bool seal_hash_is(const sealer *s, str secret, const uint8_t hash[SEAL_HASH_BYTES])
{
    unsigned same = 0;
    for (size_t i = 0; i < s->count; i++) {
        uint8_t ours[SEAL_HASH_BYTES];
        hash_by(&s->keys[i], secret, ours);
        same |= sodium_memcmp(ours, hash, sizeof ours) == 0;
    }
    return same;
}
