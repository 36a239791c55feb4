/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - the Authorization header, the token cache and the caller it yields.
 *
 * The cache holds callers by the SHA-256 of their token, never the token. A hit is still asked
 * three things, since the world may have moved: has it expired, are the issuer's keys still the
 * ones it was verified with, would the configuration of *this* request take it (issuer known,
 * algorithm and audience allowed). So a reload needs no flush. When full, the caller unused
 * for longest goes. */
#include "identity.h"
#include "../base/buf.h"
#include "cel/json.h"
#include "digest.h"
#include "introspection.h"
#include <stdatomic.h>
#include <stdlib.h>

enum {
    ID_MAX = 64 * 1024, /* an escaped issuer and a subject of a token of at most 16 KiB */
    HELD_BYTES = 2048   /* what an ordinary token's caller needs */
};

typedef struct {
    caller c; /* first: a caller is found back from its address */
    atomic_uint refs;
    arena *a;
} held;

typedef struct entry {
    uint8_t digest[DIGEST_BYTES];
    held *who;
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
} refusal;

struct identity_cache {
    refusal refused[REFUSED]; /* a ring */
    size_t next_refused;
    entry *entries;
    entry **buckets;
    size_t mask;
    entry *unused, *newest, *oldest;
    held *anonymous;
};

static void *heap(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) abort();
    return p;
}

static held *held_of(const caller *c)
{
    /* const for readers; the count is ours */
    return (held *)(uintptr_t)c; /* NOLINT(performance-no-int-to-ptr) */
}

void caller_keep(const caller *c)
{
    atomic_fetch_add_explicit(&held_of(c)->refs, 1, memory_order_relaxed);
}

void caller_drop(const caller *c)
{
    if (!c) return;
    held *h = held_of(c);
    if (atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1) return;
    arena_free(h->a); /* in which it lives itself */
}

static void drop_owned(void *c)
{
    caller_drop(c);
}

void caller_own(arena *a, const caller *c)
{
    arena_own(a, drop_owned, held_of(c));
}

str caller_share(arena *a, const caller *c, str address)
{
    if (c->kind != CALLER_ANONYMOUS) return c->id;
    return arena_fmt(a, "anonymous@" STR_FMT, STR_ARG(address));
}

bool caller_has_scope(const caller *c, str scope)
{
    for (const str *s = c->scopes; s && s->p; s++)
        if (str_eq(*s, scope)) return true;
    return false;
}

/* From claims to a caller */

static str text_claim(const json_t *claims, const char *name)
{
    const json_t *v = json_object_get(claims, name);
    if (!json_is_string(v) || json_string_length(v) == 0) return (str){0};
    return (str){json_string_value(v), json_string_length(v)};
}

bool caller_is_of(const caller *c, str issuer)
{
    return c->kind == CALLER_JWT && str_eq(text_claim(c->claims, "iss"), issuer);
}

/* Cuts one claim into scopes; with `out` NULL it only counts. */
static size_t add_words(str text, str *out)
{
    size_t n = 0;
    while (text.n) {
        str_pair cut = str_cut(text, ' ');
        if (cut.head.n) {
            if (out) out[n] = cut.head;
            n++;
        }
        text = cut.tail;
    }
    return n;
}

static size_t add_scopes(const json_t *v, str *out)
{
    if (json_is_string(v))
        return add_words((str){json_string_value(v), json_string_length(v)}, out);
    size_t n = 0;
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        const json_t *one = json_array_get(v, i);
        if (!json_is_string(one)) continue;
        n +=
            add_words((str){json_string_value(one), json_string_length(one)}, out ? out + n : NULL);
    }
    return n;
}

/* '|' ends the issuer, so inside it is written %7C: no two (issuer, subject) give one id. */
static void put_issuer(buf *b, str issuer)
{
    for (size_t i = 0; i < issuer.n; i++) {
        if (issuer.p[i] == '|')
            (void)buf_put(b, S("%7C"));
        else if (issuer.p[i] == '%')
            (void)buf_put(b, S("%25"));
        else
            (void)buf_put(b, (str){issuer.p + i, 1});
    }
}

/* Who the claims name. A client's id has a prefix of its own, or somebody who may choose their
 * `sub` could pass for a client. False: nobody. */
static bool put_id(buf *b, str issuer, const json_t *claims)
{
    str sub = text_claim(claims, "sub"), client = text_claim(claims, "client_id");
    if (!client.n) client = text_claim(claims, "azp");
    (void)buf_put(b, sub.n ? S("jwt:") : S("jwt-client:"));
    put_issuer(b, issuer);
    (void)buf_put(b, S("|"));
    (void)buf_put(b, sub.n ? sub : client);
    return buf_ok(b) && (sub.n || client.n);
}

static str name_of(const json_t *claims)
{
    static const char *const names[] = {"preferred_username", "name", "email", "sub",
                                        "client_id",          "azp"};
    str name = {0};
    for (size_t i = 0; !name.n && i < sizeof names / sizeof *names; i++)
        name = text_claim(claims, names[i]);
    return name;
}

static size_t count_scopes(const json_t *claims)
{
    return add_scopes(json_object_get(claims, "scope"), NULL) +
           add_scopes(json_object_get(claims, "scp"), NULL);
}

static void fill_scopes(const json_t *claims, str *out)
{
    size_t n = add_scopes(json_object_get(claims, "scope"), out);
    (void)add_scopes(json_object_get(claims, "scp"), out + n);
}

/* All but who it is, which hangs on the issuer. */
static void fill(caller *c, arena *a, const json_t *claims)
{
    str *scopes = NEW_N(a, str, count_scopes(claims) + 1);
    fill_scopes(claims, scopes);
    *c = (caller){.kind = CALLER_JWT,
                  .claims = claims,
                  .jwt = cel_own_json(a, claims),
                  .scopes = scopes,
                  .name = name_of(claims)};
}

static void become_anonymous(caller *c)
{
    c->kind = CALLER_ANONYMOUS;
    c->id = c->name = S("anonymous");
}

static bool name_caller(caller *c, arena *a, str issuer)
{
    buf id = buf_new(a, ID_MAX);
    bool named = put_id(&id, issuer, c->claims);
    if (named) c->id = buf_str(&id);
    return named;
}

const caller *caller_of_claims(arena *a, const json_t *claims)
{
    caller *c = NEW(a, caller);
    fill(c, a, claims);
    (void)name_caller(c, a, text_claim(claims, "iss"));
    if (!json_object_size(claims)) become_anonymous(c);
    return c;
}

static void drop_claims(void *claims)
{
    json_decref(claims);
}

/* Takes the claims over. */
static held *held_new(json_t *claims)
{
    if (!claims) abort();
    arena *a = arena_new_of(HELD_BYTES);
    held *h = NEW(a, held);
    h->refs = 1;
    h->a = a;
    arena_own(a, drop_claims, claims);
    fill(&h->c, a, claims);
    return h;
}

/* Takes the claims over. NULL: they name nobody. */
static held *held_of_token(json_t *claims, str issuer, int64_t expires_s)
{
    held *h = held_new(claims);
    if (!name_caller(&h->c, h->a, issuer)) {
        caller_drop(&h->c);
        return NULL;
    }
    h->c.expires_s = expires_s;
    return h;
}

static held *held_anonymous(void)
{
    held *h = held_new(json_object());
    become_anonymous(&h->c);
    return h;
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
    c->anonymous = held_anonymous();
    for (size_t i = 0; i < most; i++) {
        c->entries[i].chain = c->unused;
        c->unused = &c->entries[i];
    }
    return c;
}

void identity_cache_free(identity_cache *c)
{
    if (!c) return;
    for (entry *e = c->newest; e; e = e->older) caller_drop(&e->who->c);
    caller_drop(&c->anonymous->c);
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
    caller_drop(&e->who->c);
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
    caller_keep(&e->who->c);
    entry **bucket = bucket_of(c, digest);
    e->chain = *bucket;
    *bucket = e;
    link_newest(c, e);
}

/* Does what was verified then hold now, for this configuration? */
static bool still_good(const entry *e, const identity *id, int64_t now_s)
{
    if (now_s >= e->who->c.expires_s) return false;
    for (size_t i = 0; i < id->issuer_count; i++) {
        const jwt_issuer *issuer = &id->issuers[i];
        bool asked = issuer->introspection != NULL;
        if (asked != (e->alg == ALG_NONE)) continue;
        if (asked && str_eq(issuer->issuer, text_claim(e->who->c.claims, "iss")))
            return jwt_audience_suits(issuer, e->who->c.claims);
        if (asked || issuer->keys != e->keys || jwks_epoch(e->keys) != e->epoch) continue;
        if (!str_eq(issuer->issuer, text_claim(e->who->c.claims, "iss"))) continue;
        return jwt_suits(issuer, e->alg, e->who->c.claims);
    }
    return false;
}

/* The header */

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~+/", c) != NULL);
}

/* RFC 6750 2.1: Bearer 1*SP b64token, and nothing else. What stands after the scheme; empty: it is
 * not that. */
static str bearer(str header)
{
    while (header.n && (header.p[header.n - 1] == ' ' || header.p[header.n - 1] == '\t'))
        header.n--;
    str_pair cut = str_cut(header, ' ');
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
                              held **out, identity_detail *detail)
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
        *out = held_of_token(json_deep_copy(facts.claims), /* outlives the arena */
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

void identity_learn(identity_cache *c, str token, json_t *claims, int64_t until_s)
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(token, digest);
    held *who = claims ? held_of_token(claims, text_claim(claims, "iss"), until_s) : NULL;
    if (!who) {
        refusal *r = &c->refused[c->next_refused++ % REFUSED];
        r->until_s = until_s;
        for (size_t i = 0; i < DIGEST_BYTES; i++) r->digest[i] = digest[i];
        return;
    }
    entry *old = find(c, digest);
    if (old) forget(c, old);
    remember(c, digest, &(entry){.who = who, .alg = ALG_NONE});
    caller_drop(&who->c);
}

static bool was_refused(const identity_cache *c, const credential *came)
{
    for (const refusal *r = c->refused; r < c->refused + REFUSED; r++)
        if (came->now_s < r->until_s && memcmp(r->digest, came->digest, DIGEST_BYTES) == 0)
            return true;
    return false;
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
    caller_keep(&e->who->c);
    return &e->who->c;
}

/* NOLINTNEXTLINE(readability-function-size): one answer of several parts, as the header has it */
identity_result identify(identity_cache *c, const identity *id, str authorization, int64_t now_ms,
                         bool may_wait, const caller **out, identity_detail *detail)
{
    *out = NULL;
    *detail = (identity_detail){0};
    if (!authorization.p) {
        if (!id->anonymous) return IDENTITY_NONE;
        caller_keep(&c->anonymous->c);
        *out = &c->anonymous->c;
        return IDENTITY_OK;
    }
    credential came = {.token = bearer(authorization), .now_s = now_ms / 1000};
    if (!came.token.n) return bad(detail, "not a bearer token");
    if (came.token.n > JWT_MAX) return bad(detail, "token too large");
    digest_sha256(came.token, came.digest);
    *out = known_caller(c, id, &came);
    if (*out) return IDENTITY_OK; /* known ones have passed what follows */
    if (!is_b64token(came.token)) return bad(detail, "not a bearer token");

    const jwt_issuer *asked = issuer_to_ask(id, came.token);
    if (asked && may_wait && !was_refused(c, &came)) {
        *detail = (identity_detail){.issuer = asked, .token = came.token};
        return IDENTITY_WANTS_KEYS;
    }
    if (asked) return bad(detail, "not active");

    held *who = NULL;
    identity_result r = verify(c, id, &came, &who, detail);
    if (r == IDENTITY_WANTS_KEYS && (!may_wait || !detail->issuer->jwks_url.n))
        return bad(detail, detail->why);
    if (who) *out = &who->c;
    return r;
}
