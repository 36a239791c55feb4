/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.h - what is fetched in the background: issuers' keys and the addresses of origins.
 *
 * One service thread. Keys and origins outlive snapshots: a reload that names the same issuer or
 * URL finds what was there, and a token cache can tell by the keys' epoch that they changed.
 * Fetching is single flight by issuer and at most once per floor (jwks_due), whoever asks.
 * Ownership: keys and origins belong to the refresh. Threads: any; refresh_want() never blocks on
 * the network. refresh_free() after the snapshots, before the loops that waiters run on. */
#ifndef SP_REFRESH_H
#define SP_REFRESH_H
#include "../authz/jwt.h"
#include "../base/log.h"
#include "../transport/client.h"

typedef struct refresh refresh;

refresh *refresh_new(logger *log);
void refresh_stop(refresh *r); /* ends the thread */
void refresh_free(refresh *r);

/* The keys of this issuer from that URL; url {0}: discovered (RFC 8414, OpenID discovery). Fetched
 * soon. */
jwks *refresh_keys_of(refresh *r, str name, str url);
/* The keys of this issuer from a document; replaced when it differs from the last one. */
MUST_CHECK const err *refresh_keys_from(refresh *r, arena *a, str name, str document, jwks **out);
/* How an origin is reached and believed. */
typedef struct {
    str ca_pem;     /* {0}: the system's trust */
    proxy_at proxy; /* host.p NULL: straight */
} refresh_way;
/* Blocking. Equal places and ways give the same origin. */
MUST_CHECK const err *refresh_origin(refresh *r, arena *a, const url_parts *u,
                                     const refresh_way *way, origin **out);

/* Whatever else has addresses to look up, on the same beat; it may block. Until refresh_stop(). */
void refresh_also(refresh *r, void (*fn)(void *ctx), void *ctx);

/* New keys, please: the flow `who` on `at` is woken when they came or could not be had. */
void refresh_want(refresh *r, const jwks *keys, loop *at, handle who);
#endif
