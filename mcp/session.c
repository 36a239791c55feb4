/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - the sealed session id, and the ids that were ended before their time.
 *
 * The plain text is fixed fields and two short texts, so the longest id is known: 136 bytes
 * plain, below 300 when sealed. Caller and endpoint are bound by hash, since an issuer's URL
 * and a subject have no bound of their own.
 * Ended sessions are kept in shards with a lock each; as long as a shard is empty, which is
 * nearly always, looking costs one relaxed load. */
#include "session.h"
#include "../authz/digest.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    FORMAT = 1,
    BOND = 16, /* bytes kept of a hash: nobody can choose both sides */
    FIXED = 1 + SESSION_SID + 1 + 1 + 8 + 8 + 8 + BOND + BOND,
    PLAIN_MOST = FIXED + 1 + SESSION_NAME_MOST + 1 + SESSION_VERSION_MOST
};

static void put(char **at, const void *bytes, size_t n)
{
    if (n) memcpy(*at, bytes, n);
    *at += n;
}

static void put_u64(char **at, uint64_t v)
{
    for (int i = 7; i >= 0; i--) *(*at)++ = (char)(v >> (8 * i));
}

static uint64_t take_u64(const char **at)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | (unsigned char)*(*at)++;
    return v;
}

static void put_bond(char **at, str what)
{
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(what, sum);
    put(at, sum, BOND);
}

static bool bond_holds(const char **at, str what)
{
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(what, sum);
    bool same = digest_equal((str){(const char *)sum, BOND}, (str){*at, BOND});
    *at += BOND;
    return same;
}

/* A text no longer than `most`, not cut inside a character. */
static void put_text(char **at, str s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    *(*at)++ = (char)n;
    put(at, s.p, n);
}

static bool take_text(const char **at, const char *end, size_t most, str *out)
{
    if (*at == end) return false;
    size_t n = (unsigned char)*(*at)++;
    if (n > most || n > (size_t)(end - *at)) return false;
    *out = (str){*at, n};
    *at += n;
    return true;
}

str session_seal(const sealer *s, arena *a, const session *made, session_bond bond)
{
    char plain[PLAIN_MOST], *at = plain;
    *at++ = FORMAT;
    put(&at, made->sid, SESSION_SID);
    *at++ = (char)made->version;
    *at++ = (char)made->capabilities;
    put_u64(&at, made->instance);
    put_u64(&at, (uint64_t)made->issued_ms);
    put_u64(&at, (uint64_t)made->expires_ms);
    put_bond(&at, bond.caller_id);
    put_bond(&at, bond.endpoint);
    put_text(&at, made->client_name, SESSION_NAME_MOST);
    put_text(&at, made->client_version, SESSION_VERSION_MOST);
    return seal(s, a, SEAL_SESSION, (str){plain, (size_t)(at - plain)});
}

bool session_open(const sealer *s, arena *a, str id, session_bond bond, int64_t now_ms,
                  session *out)
{
    str plain;
    if (!id.n || id.n > SESSION_MOST || !unseal(s, a, SEAL_SESSION, id, &plain)) return false;
    if (plain.n < FIXED || plain.p[0] != FORMAT) return false;
    const char *at = plain.p + 1, *end = plain.p + plain.n;
    *out = (session){0};
    memcpy(out->sid, at, SESSION_SID);
    at += SESSION_SID;
    unsigned version = (unsigned char)*at++;
    out->capabilities = (unsigned char)*at++;
    out->instance = take_u64(&at);
    out->issued_ms = (int64_t)take_u64(&at);
    out->expires_ms = (int64_t)take_u64(&at);
    bool same_caller = bond_holds(&at, bond.caller_id);
    bool same_endpoint = bond_holds(&at, bond.endpoint);
    if (!same_caller || !same_endpoint || version >= MCP_2026_07_28) return false;
    out->version = (mcp_version)version;
    if (!take_text(&at, end, SESSION_NAME_MOST, &out->client_name)) return false;
    if (!take_text(&at, end, SESSION_VERSION_MOST, &out->client_version)) return false;
    return now_ms < out->expires_ms;
}

str session_text(arena *a, const session *s)
{
    return digest_hex(a, s->sid, SESSION_SID);
}

enum { SHARDS = 64, SHARD_MOST = 1024 }; /* 65536 ended sessions, 1.5 MB at most */

typedef struct {
    uint8_t sid[SESSION_SID];
    int64_t expires_ms;
} ended;

typedef struct {
    pthread_mutex_t lock;
    atomic_size_t count;
    ended *list; /* [SHARD_MOST], made when first needed */
} shard;

struct session_revoked {
    shard shards[SHARDS];
};

session_revoked *session_revoked_new(void)
{
    session_revoked *r = calloc(1, sizeof *r);
    if (!r) abort();
    for (size_t i = 0; i < SHARDS; i++) (void)pthread_mutex_init(&r->shards[i].lock, NULL);
    return r;
}

void session_revoked_free(session_revoked *r)
{
    if (!r) return;
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_destroy(&r->shards[i].lock);
        free(r->shards[i].list);
    }
    free(r);
}

/* A sid is random, so its first byte spreads well. */
static shard *shard_of(session_revoked *r, const session *s)
{
    return &r->shards[s->sid[0] % SHARDS];
}

static bool listed(const shard *sh, const session *s)
{
    for (size_t i = 0; i < sh->count; i++)
        if (memcmp(sh->list[i].sid, s->sid, SESSION_SID) == 0) return true;
    return false;
}

/* Where to write the next one: over one that has expired, at the end, or over the next to expire.
 */
static ended *place(shard *sh, int64_t now_ms)
{
    ended *first = NULL;
    for (size_t i = 0; i < sh->count; i++) {
        ended *e = &sh->list[i];
        if (!first || e->expires_ms < first->expires_ms) first = e;
    }
    if (first && (first->expires_ms <= now_ms || sh->count == SHARD_MOST)) return first;
    return &sh->list[sh->count++];
}

void session_revoke(session_revoked *r, const session *s, int64_t now_ms)
{
    shard *sh = shard_of(r, s);
    (void)pthread_mutex_lock(&sh->lock);
    if (!sh->list) sh->list = calloc(SHARD_MOST, sizeof *sh->list);
    if (!sh->list) abort();
    if (!listed(sh, s)) {
        ended *e = place(sh, now_ms);
        memcpy(e->sid, s->sid, SESSION_SID);
        e->expires_ms = s->expires_ms;
    }
    (void)pthread_mutex_unlock(&sh->lock);
}

bool session_is_revoked(session_revoked *r, const session *s)
{
    shard *sh = shard_of(r, s);
    if (atomic_load_explicit(&sh->count, memory_order_acquire) == 0) return false;
    (void)pthread_mutex_lock(&sh->lock);
    bool found = listed(sh, s);
    (void)pthread_mutex_unlock(&sh->lock);
    return found;
}
