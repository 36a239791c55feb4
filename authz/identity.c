/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - the credential, the cache of tokens and the caller they yield.
 *
 * The cache holds callers by the SHA-256 of their token, never the token. A hit is still asked
 * three things, since the world may have moved: has it expired, are the issuer's keys (or those
 * we gave out) still the ones it was verified with, would the configuration of *this* request take
 * it (issuer known, algorithm and audience allowed). So a reload needs no flush. When full, the
 * caller unused for longest goes. */
#include "identity.h"
#include "caller.h"
#include "digest.h"
#include "introspection.h"
#include "keyring.h"
#include <stdlib.h>

typedef struct entry {
    uint8_t digest[DIGEST_BYTES];
    const caller *who;
    const jwks *keys;
    uint64_t epoch;
    jwt_alg alg;                 /* ALG_NONE: its issuer's word */
    struct entry *chain;         /* same bucket, or the free list */
    struct entry *newer, *older; /* by last use */
} entry;

/* The last tokens an issuer did not vouch for: a client that insists is not asked about each time.
 */
enum { REFUSED = 64 };
typedef struct {
    uint8_t digest[DIGEST_BYTES];
    int64_t until_s;
    bool away; /* not refused: the issuer could not be asked */
} refusal;

struct identity_cache {
    refusal refused[REFUSED]; /* a ring */
    size_t next_refused;
    entry *entries;
    entry **buckets;
    size_t mask;
    entry *unused, *newest, *oldest;
    const caller *anonymous;
};

static void *heap(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) abort();
    return p;
}

/* The cache */

identity_cache *identity_cache_new(size_t most)
{
    size_t size = 16;
    while (size < most && size < ((size_t)1 << 30)) size *= 2;
    identity_cache *c = heap(1, sizeof *c);
    c->entries = heap(most ? most : 1, sizeof *c->entries);
    c->buckets = heap(size, sizeof(entry *));
    c->mask = size - 1;
    c->anonymous = caller_anonymous();
    for (size_t i = 0; i < most; i++) {
        c->entries[i].chain = c->unused;
        c->unused = &c->entries[i];
    }
    return c;
}

void identity_cache_free(identity_cache *c)
{
    if (!c) return;
    for (entry *e = c->newest; e; e = e->older) caller_drop(e->who);
    caller_drop(c->anonymous);
    free(c->entries);
    free(c->buckets);
    free(c);
}

/* Only tokens that verified are put in, so a digest is as good as random: its bytes are the hash.
 */
static entry **bucket_of(identity_cache *c, const uint8_t digest[DIGEST_BYTES])
{
    size_t h = 0;
    for (size_t i = 0; i < 4; i++) h = h << 8 | digest[i];
    return &c->buckets[h & c->mask];
}

static void unlink_use(identity_cache *c, entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(identity_cache *c, entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static entry *find(identity_cache *c, const uint8_t digest[DIGEST_BYTES])
{
    for (entry *e = *bucket_of(c, digest); e; e = e->chain)
        if (memcmp(e->digest, digest, DIGEST_BYTES) == 0) return e;
    return NULL;
}

static void forget(identity_cache *c, entry *e)
{
    entry **at = bucket_of(c, e->digest);
    while (*at != e) at = &(*at)->chain;
    *at = e->chain;
    unlink_use(c, e);
    caller_drop(e->who);
    e->who = NULL;
    e->chain = c->unused;
    c->unused = e;
}

static void remember(identity_cache *c, const uint8_t digest[DIGEST_BYTES], const entry *what)
{
    if (!c->unused && c->oldest) forget(c, c->oldest);
    entry *e = c->unused;
    if (!e) return; /* a cache of no size */
    c->unused = e->chain;
    *e = *what;
    for (size_t i = 0; i < DIGEST_BYTES; i++) e->digest[i] = digest[i];
    caller_keep(e->who);
    entry **bucket = bucket_of(c, digest);
    e->chain = *bucket;
    *bucket = e;
    link_newest(c, e);
}

/* Does what was verified then hold now, for this configuration? */
static bool still_good(const entry *e, const identity *id, int64_t now_s)
{
    if (e->who->expires_s && now_s >= e->who->expires_s) return false;
    if (e->who->kind == CALLER_KEY) return id->given && keyring_epoch(id->given) == e->epoch;
    for (size_t i = 0; i < id->issuer_count; i++) {
        const jwt_issuer *issuer = &id->issuers[i];
        bool asked = issuer->introspection != NULL;
        if (asked != (e->alg == ALG_NONE)) continue;
        if (asked && str_eq(issuer->issuer, caller_issuer(e->who)))
            return jwt_audience_suits(issuer, e->who->claims);
        if (asked || issuer->keys != e->keys || jwks_epoch(e->keys) != e->epoch) continue;
        if (!str_eq(issuer->issuer, caller_issuer(e->who))) continue;
        return jwt_suits(issuer, e->alg, e->who->claims);
    }
    return false;
}

/* The header */

str identity_credential(arena *a, const header *headers)
{
    str bearer = header_get(headers, S("authorization"));
    if (bearer.p) return bearer;
    str key = header_get(headers, S("x-api-key"));
    if (!key.p) key = header_get(headers, S("api-key"));
    return key.p ? arena_fmt(a, "Bearer " STR_FMT, STR_ARG(key)) : key;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~+/", c) != NULL);
}

/* RFC 6750 2.1: Bearer 1*SP b64token, and nothing else. What stands after the scheme; empty: it is
 * not that. */
static str bearer(str field)
{
    while (field.n && (field.p[field.n - 1] == ' ' || field.p[field.n - 1] == '\t')) field.n--;
    str_pair cut = str_cut(field, ' ');
    str scheme = S("bearer");
    if (!cut.ok || cut.head.n != scheme.n) return (str){0};
    for (size_t i = 0; i < scheme.n; i++)
        if ((cut.head.p[i] | 0x20) != scheme.p[i]) return (str){0};
    str token = cut.tail;
    while (token.n && token.p[0] == ' ') token = str_drop(token, 1);
    return token;
}

static bool is_b64token(str token)
{
    size_t n = 0;
    while (n < token.n && is_token_char(token.p[n])) n++;
    size_t body = n;
    while (n < token.n && token.p[n] == '=') n++;
    return body && n == token.n;
}

static identity_result bad(identity_detail *detail, const char *why)
{
    *detail = (identity_detail){.why = why};
    return IDENTITY_BAD;
}

typedef struct {
    str token;
    uint8_t digest[DIGEST_BYTES];
    int64_t now_s;
} credential;

static identity_result verify(identity_cache *c, const identity *id, const credential *came,
                              const caller **out, identity_detail *detail)
{
    arena *a = arena_new();
    jwt_facts facts;
    identity_result r = IDENTITY_OK;
    /* read before verifying: keys replaced meanwhile make the entry stale, not trusted */
    uint64_t *epochs = NEW_N(a, uint64_t, id->issuer_count + 1);
    for (size_t i = 0; i < id->issuer_count; i++)
        epochs[i] = id->issuers[i].keys ? jwks_epoch(id->issuers[i].keys) : 0;

    switch (jwt_verify(a, id->issuers, id->issuer_count, came->token, came->now_s, &facts)) {
    case JWT_BAD: r = bad(detail, facts.why); break;
    case JWT_NO_KEY:
        *detail = (identity_detail){.why = "unknown key", .issuer = facts.issuer};
        r = IDENTITY_WANTS_KEYS;
        break;
    case JWT_OK:
        *out = caller_of_token(json_deep_copy(facts.claims), /* outlives the arena */
                               facts.issuer->issuer, facts.expires_s);
        if (!*out) {
            r = bad(detail, "no subject");
            break;
        }
        remember(c, came->digest,
                 &(entry){.who = *out,
                          .keys = facts.issuer->keys,
                          .epoch = epochs[facts.issuer - id->issuers],
                          .alg = facts.alg});
        break;
    }
    arena_free(a);
    return r;
}

static void refuse(identity_cache *c, const uint8_t digest[DIGEST_BYTES], int64_t until_s,
                   bool away)
{
    refusal *r = &c->refused[c->next_refused++ % REFUSED];
    r->until_s = until_s;
    r->away = away;
    for (size_t i = 0; i < DIGEST_BYTES; i++) r->digest[i] = digest[i];
}

void identity_learn_nothing(identity_cache *c, str token, int64_t until_s)
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(token, digest);
    refuse(c, digest, until_s, true);
}

void identity_learn(identity_cache *c, str token, json_t *claims, int64_t until_s)
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(token, digest);
    const caller *who = claims ? caller_of_token(claims, (str){0}, until_s) : NULL;
    if (!who) {
        refuse(c, digest, until_s, false);
        return;
    }
    entry *old = find(c, digest);
    if (old) forget(c, old);
    remember(c, digest, &(entry){.who = who, .alg = ALG_NONE});
    caller_drop(who);
}

static const refusal *refusal_of(const identity_cache *c, const credential *came)
{
    for (const refusal *r = c->refused; r < c->refused + REFUSED; r++)
        if (came->now_s < r->until_s && memcmp(r->digest, came->digest, DIGEST_BYTES) == 0)
            return r;
    return NULL;
}

/* A token that its issuer is asked about, and that nobody vouched for yet. */
static identity_result ask_issuer(const identity_cache *c, const credential *came, bool may_wait,
                                  const jwt_issuer *issuer, identity_detail *detail)
{
    const refusal *no = refusal_of(c, came);
    if (no && !no->away) return bad(detail, "not active");
    if (no || !may_wait) return IDENTITY_AWAY;
    *detail = (identity_detail){.issuer = issuer, .token = came->token};
    return IDENTITY_WANTS_KEYS;
}

/* A key that we gave out. */
static identity_result verify_key(identity_cache *c, const identity *id, const credential *came,
                                  const caller **out, identity_detail *detail)
{
    arena *a = arena_new();
    uint64_t epoch = keyring_epoch(id->given); /* before: as with tokens */
    api_key key;
    int64_t until_s = 0;
    const char *why = keyring_find(id->given, a, came->token, came->now_s, &key, &until_s);
    if (!why) {
        *out = caller_of_key(&key, until_s);
        remember(c, came->digest, &(entry){.who = *out, .epoch = epoch});
    }
    arena_free(a);
    return why ? bad(detail, why) : IDENTITY_OK;
}

/* NULL: it speaks for itself. */
static const jwt_issuer *issuer_to_ask(const identity *id, str token)
{
    bool any = false;
    for (size_t i = 0; i < id->issuer_count; i++) any = any || id->issuers[i].introspection;
    if (!any) return NULL;
    arena *a = arena_new();
    const jwt_issuer *one = introspection_asks(a, id->issuers, id->issuer_count, token);
    arena_free(a);
    return one;
}

static const caller *known_caller(identity_cache *c, const identity *id, const credential *came)
{
    entry *e = find(c, came->digest);
    if (!e) return NULL;
    if (!still_good(e, id, came->now_s)) {
        forget(c, e);
        return NULL;
    }
    unlink_use(c, e);
    link_newest(c, e);
    caller_keep(e->who);
    return e->who;
}

/* NOLINTNEXTLINE(readability-function-size): one answer of several parts, as the header has it */
identity_result identify(identity_cache *c, const identity *id, str authorization, int64_t now_ms,
                         bool may_wait, const caller **out, identity_detail *detail)
{
    *out = NULL;
    *detail = (identity_detail){0};
    if (!authorization.p) {
        if (!id->anonymous) return IDENTITY_NONE;
        caller_keep(c->anonymous);
        *out = c->anonymous;
        return IDENTITY_OK;
    }
    credential came = {.token = bearer(authorization), .now_s = now_ms / 1000};
    if (!came.token.n) return bad(detail, "not a bearer token");
    if (came.token.n > JWT_MAX) return bad(detail, "token too large");
    digest_sha256(came.token, came.digest);
    *out = known_caller(c, id, &came);
    if (*out) return IDENTITY_OK; /* known ones have passed what follows */
    if (!is_b64token(came.token)) return bad(detail, "not a bearer token");

    if (id->given && api_key_is(came.token)) return verify_key(c, id, &came, out, detail);
    const jwt_issuer *asked = issuer_to_ask(id, came.token);
    if (asked) return ask_issuer(c, &came, may_wait, asked, detail);

    identity_result r = verify(c, id, &came, out, detail);
    if (r == IDENTITY_WANTS_KEYS && (!may_wait || !detail->issuer->jwks_url.n))
        return bad(detail, detail->why);
    return r;
}
