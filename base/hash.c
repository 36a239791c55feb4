/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c - SipHash with one round per word and three at the end (Aumasson, Bernstein). */
#include "hash.h"
#include <stdlib.h>
#include <sys/random.h>

typedef struct {
    uint64_t v0, v1, v2, v3;
} state;

static inline uint64_t turn(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(state *s)
{
    s->v0 += s->v1, s->v1 = turn(s->v1, 13) ^ s->v0, s->v0 = turn(s->v0, 32);
    s->v2 += s->v3, s->v3 = turn(s->v3, 16) ^ s->v2;
    s->v0 += s->v3, s->v3 = turn(s->v3, 21) ^ s->v0;
    s->v2 += s->v1, s->v1 = turn(s->v1, 17) ^ s->v2, s->v2 = turn(s->v2, 32);
}

static inline void absorb(state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

hash_seed hash_seed_new(void)
{
    hash_seed seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) abort();
    return seed;
}

uint64_t hash_bytes(hash_seed seed, str text)
{
    state s = {seed.a ^ 0x736f6d6570736575u, seed.b ^ 0x646f72616e646f6du,
               seed.a ^ 0x6c7967656e657261u, seed.b ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)text.n << 56;
    for (; text.n >= 8; text = (str){text.p + 8, text.n - 8}) {
        uint64_t word;
        memcpy(&word, text.p, sizeof word);
        absorb(&s, word);
    }
    for (size_t i = 0; i < text.n; i++) last |= (uint64_t)(unsigned char)text.p[i] << (8 * i);
    absorb(&s, last);
    s.v2 ^= 0xFF;
    for (int i = 0; i < 3; i++) sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
