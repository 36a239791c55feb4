/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - who is calling.
 *
 * One function, identify(), looks at the credential alone: a token that an issuer signed, or a key
 * that this gateway gave out (keyring.h). What was verified is kept by its SHA-256 until it expires
 * or the keys behind it change, so a second request costs one hash. Failures are not kept, but for
 * a moment those that an issuer was asked about. A bad credential is never anonymous. Ownership: a
 * caller is counted; identify() gives one reference, caller_drop() takes it back (hand it to the
 * request's arena: caller_own). Threads: an identity is immutable and shared; a cache belongs to
 * one worker; a caller may be read anywhere. */
#ifndef SP_IDENTITY_H
#define SP_IDENTITY_H
#include "../base/handle.h"
#include "../base/header.h"
#include "cel/value.h"
#include "jwt.h"

typedef enum { CALLER_ANONYMOUS, CALLER_JWT, CALLER_KEY, CALLER_CERT } caller_kind;

typedef struct caller {
    caller_kind kind;
    str id;            /* "jwt:ISS|SUB", "key:ID", "anonymous": binds sessions, isolation, quotas */
    str name;          /* for people: preferred name or sub */
    const str *scopes; /* from scope and scp; ends with {0} */
    const json_t *claims; /* {} when anonymous */
    cel_value jwt;        /* the same for rules, which look into them often */
    int64_t expires_s;    /* 0: never */
    const struct policy_quota
        *budget;                 /* a key's: what it may spend on models; NULL: as rules say */
    const str *models, *servers; /* a key's: globs of all that it may use; NULL: no such bound */
} caller;

typedef struct {
    const jwt_issuer *issuers;
    size_t issuer_count;
    struct keyring *given;       /* keys given out; NULL: there are none */
    bool anonymous;              /* no credential: anonymous caller instead of 401 */
    const str *scopes_supported; /* ends with {0}; RFC 9728 */
} identity;

typedef enum {
    IDENTITY_OK,
    IDENTITY_NONE,      /* 401 without error=: no credential came */
    IDENTITY_BAD,       /* 401 error="invalid_token" */
    IDENTITY_AWAY,      /* 503: nobody knows now, its issuer cannot be asked */
    IDENTITY_WANTS_KEYS /* ask the services for what the detail says, wait, ask again (once) */
} identity_result;

typedef struct {
    const char *why;          /* BAD: safe to tell the client */
    const jwt_issuer *issuer; /* WANTS_KEYS: of this one, fresh keys, or */
    str token;                /* its word on this token (introspection.h); {0}: keys */
} identity_detail;

typedef struct identity_cache identity_cache;
identity_cache *identity_cache_new(size_t most);
void identity_cache_free(identity_cache *c);

/* What identify() takes: Authorization, else the header in which SDKs send a provider's key,
 * x-api-key or api-key, as a bearer token. */
str identity_credential(arena *a, const header *headers);
/* `may_wait`: false turns WANTS_KEYS into BAD, or AWAY (the second time, or inside the floor). */
identity_result identify(identity_cache *c, const identity *id, str authorization, int64_t now_ms,
                         bool may_wait, const caller **out, identity_detail *detail);
/* What its issuer said of a token, good until then; claims NULL: it is refused that long. Takes the
 * claims over. On the cache's worker. */
void identity_learn(identity_cache *c, str token, json_t *claims, int64_t until_s);
/* Its issuer could not be asked; nobody tries again until then. */
void identity_learn_nothing(identity_cache *c, str token, int64_t until_s);
void caller_own(arena *a, const caller *c); /* the arena's reset drops the reference */
void caller_keep(const caller *c);
void caller_drop(const caller *c);
/* Whose share of a limit a request takes: the caller's id; without a credential, the address. */
str caller_share(arena *a, const caller *c, str address);
bool caller_is_of(const caller *c, str issuer); /* a token of this issuer made it */
bool caller_has_scope(const caller *c, str scope);
/* The caller a token with these claims would give, for tests and explanations; no claims at all:
 * the anonymous one. It belongs to the arena and is never kept or dropped. Claims must outlive it.
 */
const caller *caller_of_claims(arena *a, const json_t *claims);

/* What the products ask of the server: what identify() wanted; `waiter` (a flow) is woken when it
 * came or could not be had. Views are copied. */
typedef struct {
    void (*want_keys)(void *ctx, const identity_detail *what, handle waiter);
    void *ctx;
} identity_services;
#endif
