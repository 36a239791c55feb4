/* SPDX-License-Identifier: Apache-2.0 */
/* user_token.h - a caller's own token at a server, kept sealed in the store.
 *
 * Got once, with the caller's consent (connect.h); then renewed ahead of its end by the refresh
 * token that came with it, and forgotten when the endpoint says that it is no longer good.
 * user_token_start() is an errand; the rest blocks: not on a worker. */
#ifndef SP_MCP_USER_TOKEN_H
#define SP_MCP_USER_TOKEN_H
#include "upstream_state.h"

typedef struct {
    grant g;             /* where and as whom it is renewed: token_url, client, resource */
    str access, refresh; /* refresh {0}: when it ends the caller is asked again */
    str issuer;          /* who gave it; nobody else is shown any of it */
    int64_t ends_s;
} user_token;

/* The box's key for this caller (link_token.h). */
str user_token_key(arena *a, str caller_id);
/* Finds the token, renews it when it is due or (`anew`) was refused, and settles it in the server's
 * box. One that was refused is forgotten when the server trusts another issuer by now. False: it
 * cannot be done now. */
bool user_token_start(upstream *u, str key, bool anew);
/* What is kept of that caller. False: nothing. */
bool user_token_find(arena *a, const upstream *u, str key, user_token *out);
MUST_CHECK const err *user_token_keep(arena *a, upstream *u, str key, const user_token *t);
/* The answer of a token endpoint to a code or a refresh token. `before`: what stays, unless there
 * is another now. *over: the endpoint does not know the grant any more. */
MUST_CHECK const err *user_token_ask(arena *a, const upstream *u, str form,
                                     const user_token *before, user_token *out, bool *over);
#endif
