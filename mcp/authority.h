/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h - who gives the tokens that a server wants, asked of the server itself.
 *
 * A protected MCP server names its authorization servers (RFC 9728: the challenge of a 401, else
 * the well-known places), and one of those where its endpoints are (RFC 8414, OpenID). All of it
 * comes from outside: documents are bounded, each must name the very thing that was asked for, and
 * no URL in them leads to a private address or away from https, unless the operator allowed it or
 * wrote that host down.
 * Ownership: results in the arena given. Threads: authority_find() blocks: not on a worker. The
 * rest is pure. */
#ifndef SP_MCP_AUTHORITY_H
#define SP_MCP_AUTHORITY_H
#include "../base/err.h"
#include <stdatomic.h>

typedef struct {
    str server_url;          /* {0}: not asked, the issuer is known */
    str issuer;              /* as configured; {0}: the server is asked for it */
    bool allow_private;      /* of whatever is discovered */
    const atomic_bool *stop; /* set: gives up; NULL: nobody sets it */
} authority_ask;

typedef struct {
    str issuer, resource;               /* resource {0}: the server did not say */
    str authorize, token, registration; /* {0}: it has none */
    str scope;                          /* what the server wants; {0}: it did not say */
    bool pkce;                          /* S256 is supported */
    bool says_issuer;                   /* RFC 9207: `iss` is in its answers to a browser */
    bool takes_documents;               /* a client_id may be a URL */
    bool offline;                       /* knows the scope offline_access */
    bool basic, post, none;             /* how a client may show itself at `token` */
} authority;

MUST_CHECK const err *authority_find(arena *a, const authority_ask *ask, authority *out);
/* What fetch() is to be told of a URL that came out of a document. */
bool authority_trusts(arena *a, const authority_ask *ask, str url);

/* Where an issuer may keep its metadata, most specific first, ends with {0}. */
MUST_CHECK const err *authority_places(arena *a, str issuer, str places[4]);
/* Where a server may keep its own. */
MUST_CHECK const err *authority_resource_places(arena *a, str server_url, str places[3]);
/* The issuer's metadata; the members of `out` that come from it. */
MUST_CHECK const err *authority_read(arena *a, str issuer, str document, authority *out);
/* The server's: issuer, resource and scope. */
MUST_CHECK const err *authority_read_resource(arena *a, str server_url, str document,
                                              authority *out);
/* A parameter of a Bearer challenge, unquoted; {0}: it has none. */
str authority_challenge(arena *a, str challenge, str name);
#endif
