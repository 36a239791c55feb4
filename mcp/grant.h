/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h - how the gateway gets the token it shows a server.
 *
 * Two grants at a token endpoint: the gateway's own (client credentials, RFC 6749 4.4), and the
 * exchange of the caller's token for one that the server accepts (RFC 8693). A caller's own
 * token goes to a server only where PASSTHROUGH says so. USER is a token that the caller fetched
 * with a browser, by consent.
 * Pure: bytes to send, bytes that came. Everything that comes is bounded and checked before it may
 * stand in a header; nothing of it but an error code is ever repeated. Threads: any. */
#ifndef SP_MCP_GRANT_H
#define SP_MCP_GRANT_H
#include "../base/err.h"
#include "../base/header.h"

typedef enum { GRANT_NONE, GRANT_CLIENT, GRANT_EXCHANGE, GRANT_PASSTHROUGH, GRANT_USER } grant_kind;

typedef struct {
    grant_kind kind;
    str token_url;                /* of the operator's making: it may be on a private network */
    str issuer;                   /* without token_url: who knows it; {0}: ask the server */
    bool allow_private;           /* what is discovered may be on a private network, too */
    str client_id, client_secret; /* secret {0}: a public client */
    bool secret_in_body;          /* client_secret_post; else client_secret_basic */
    str audience, resource;       /* {0}: not sent */
    str scope;                    /* separated by spaces */
} grant;

typedef struct {
    str token;
    int64_t lives_s; /* how long; what the endpoint does not say is a minute */
    str scope;       /* USER: with what it was asked for */
} grant_token;

enum { GRANT_ANSWER_MOST = 64 << 10, GRANT_TOKEN_MOST = 16 << 10 };

/* `subject`: the caller's token for an exchange; {0}: the client's own grant. */
str grant_body(arena *a, const grant *g, str subject);
const header *grant_headers(arena *a, const grant *g); /* ends with {0} */
/* The error's text is for the operator. */
MUST_CHECK const err *grant_read(arena *a, int status, str body, grant_token *out);
#endif
