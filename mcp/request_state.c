/* SPDX-License-Identifier: Apache-2.0 */
/* request_state.c - fixed fields, a hash of what it is bound to, and the server's own state.
 *
 * The arguments are hashed in one canonical form (keys in order, no white space), since a client
 * may write its request anew for each round. The hash covers each part with its length, so that
 * no two bonds read alike. */
#include "request_state.h"
#include "../authz/digest.h"

enum { FORMAT = 1, PAID = 0x80, FIXED = 3 + 8 + DIGEST_BYTES, PARKED = 8 + 8 + STATE_NONCE };

static void put_u64(buf *b, uint64_t v)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (char)(v >> (56 - 8 * i));
    buf_put(b, (str){bytes, sizeof bytes});
}

static uint64_t u64_at(str s, size_t at)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++) v = v << 8 | (unsigned char)s.p[at + i];
    return v;
}

static void put_part(buf *b, str part)
{
    put_u64(b, part.n);
    buf_put(b, part);
}

static void free_text(void *text)
{
    free(text);
}

static str canonical(arena *a, js_value v)
{
    if (v.kind == JS_ABSENT) return (str){0};
    char *text = json_dumps(js_tree(a, v), JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text) return v.raw;
    arena_own(a, free_text, text);
    return (str){text, strlen(text)};
}

static void bond_sum(arena *a, const state_bond *bond, uint8_t sum[DIGEST_BYTES])
{
    buf b = buf_new(a, SIZE_MAX / 2);
    put_part(&b, bond->caller_id);
    put_part(&b, bond->endpoint);
    put_part(&b, bond->method);
    put_part(&b, bond->subject);
    put_part(&b, canonical(a, bond->arguments));
    digest_sha256(buf_str(&b), sum);
}

str state_seal(const sealer *s, arena *a, const request_state *made, const state_bond *bond)
{
    uint8_t sum[DIGEST_BYTES];
    const char head[] = {FORMAT, (char)(made->kind | (made->paid ? PAID : 0)), (char)made->round};
    if (made->theirs.n > STATE_THEIRS_MOST) return (str){0};
    buf b = buf_new(a, SIZE_MAX / 2);
    bond_sum(a, bond, sum);
    buf_put(&b, (str){head, sizeof head});
    put_u64(&b, (uint64_t)made->expires_ms);
    buf_put(&b, (str){(const char *)sum, sizeof sum});
    if (made->kind == STATE_PARKED) {
        put_u64(&b, made->instance);
        put_u64(&b, made->parked);
        buf_put(&b, (str){(const char *)made->nonce, STATE_NONCE});
    }
    if (made->paid) buf_put(&b, (str){(const char *)made->nonce, STATE_NONCE});
    buf_put(&b, made->theirs);
    return seal(s, a, SEAL_STATE, buf_str(&b));
}

static bool read_fixed(str plain, request_state *out)
{
    if (plain.n < FIXED || plain.p[0] != FORMAT) return false;
    unsigned kind = (unsigned char)plain.p[1] & ~(unsigned)PAID;
    if (kind < STATE_UPSTREAM || kind > STATE_ASKED) return false;
    *out = (request_state){.kind = (state_kind)kind,
                           .round = (unsigned char)plain.p[2],
                           .paid = (unsigned char)plain.p[1] & PAID,
                           .expires_ms = (int64_t)u64_at(plain, 3)};
    return true;
}

bool state_open(const sealer *s, arena *a, str text, const state_bond *bond, int64_t now_ms,
                request_state *out)
{
    str plain;
    uint8_t sum[DIGEST_BYTES];
    if (text.n > 2 * (size_t)STATE_THEIRS_MOST || !unseal(s, a, SEAL_STATE, text, &plain))
        return false;
    if (!read_fixed(plain, out) || now_ms >= out->expires_ms) return false;
    bond_sum(a, bond, sum);
    if (!digest_equal((str){plain.p + FIXED - DIGEST_BYTES, DIGEST_BYTES},
                      (str){(const char *)sum, sizeof sum}))
        return false;
    size_t at = FIXED;
    if (out->kind == STATE_PARKED) {
        if (plain.n < FIXED + PARKED) return false;
        out->instance = u64_at(plain, at);
        out->parked = u64_at(plain, at + 8);
        memcpy(out->nonce, plain.p + at + 16, STATE_NONCE);
        at += PARKED;
    }
    if (out->paid) {
        if (plain.n < at + STATE_NONCE) return false;
        memcpy(out->nonce, plain.p + at, STATE_NONCE);
        at += STATE_NONCE;
    }
    out->theirs = str_drop(plain, at);
    return true;
}
