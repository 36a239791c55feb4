/* SPDX-License-Identifier: Apache-2.0 */
/* consent.h - what a browser carries while its user connects an account.
 *
 * The gateway keeps nothing of it: each address it hands out holds the whole matter, sealed, for
 * ten minutes. Three legs: START, the address the MCP client is asked to open; LOGIN, at the issuer
 * that knows the caller; SERVER, at the one that gives the tokens. From START on the browser holds
 * a cookie, and only that browser may go on: an address that was passed on is worth nothing.
 * Pure. Threads: any. */
#ifndef SP_MCP_CONSENT_H
#define SP_MCP_CONSENT_H
#include "../authz/seal.h"
#include "../base/buf.h"
#include <stdint.h>

typedef enum { CONSENT_START, CONSENT_LOGIN, CONSENT_SERVER } consent_leg;
enum { CONSENT_LIFE_MS = 10 * 60 * 1000, CONSENT_MOST = 8192 };

#define CONSENT_START_PATH "/oauth/start"
#define CONSENT_BACK_PATH  "/oauth/callback"
#define CONSENT_SELF_PATH  "/client-metadata.json"

typedef struct {
    consent_leg leg;
    int64_t expires_ms;
    str server, caller_id;
    str login;   /* the issuer that knows the caller; {0}: whoever is on this machine is */
    str front;   /* scheme://host[:port] of the gateway, as the client knows it */
    str browser; /* hex of the SHA-256 of its cookie */
    /* of the leg under way */
    str issuer, token_url, client_id, client_secret, resource, verifier;
    str scope; /* until SERVER: what the server missed, {0}: nothing; then: what is asked for */
    bool secret_in_body, says_issuer;
} consent;

str consent_seal(const sealer *s, arena *a, const consent *c);
/* False: not ours, or too late. */
MUST_CHECK bool consent_open(const sealer *s, arena *a, str text, int64_t now_ms, consent *out);
str consent_challenge(arena *a, str verifier); /* S256 (RFC 7636 4.2); also of a cookie */
str consent_random(arena *a);                  /* 256 bits, base64url */
/* Who we are, for authorization servers that take an https URL as a client_id and look there:
 * the URL ({0}: `front` is not https), and what stands there. */
str consent_self_url(arena *a, str front);
str consent_self(arena *a, str front);
/* What we are to both: `{"client_name":…,"redirect_uris":[…]` and more members, not closed. `b` is
 * an arena's. */
void consent_put_client(buf *b, str front);
#endif
