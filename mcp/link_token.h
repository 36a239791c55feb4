/* SPDX-License-Identifier: Apache-2.0 */
/* link_token.h - the tokens an upstream is shown, got once and kept until they end.
 *
 * A token is kept for (server, SHA-256 of the caller's token); the gateway's own under no caller.
 * It is fetched on the asking worker's connections, or by an errand where its endpoint must be
 * discovered first; by one call for everybody who waits, and again before it ends while the old one
 * still serves. A refusal is kept for a second, so that a dead endpoint is not hammered. A server
 * that refuses a token gets a fresh one, once.
 * Private to link*.c, token_errand.c and upstream.c. Threads: a box may be used anywhere; calls on
 * their worker. */
#ifndef SP_MCP_LINK_TOKEN_H
#define SP_MCP_LINK_TOKEN_H
#include "link_table.h"

typedef struct token_box token_box;
token_box *token_box_new(void);
void token_box_free(token_box *b);

/* True: c->authorization is what to send ({0}: nothing). False: the call waits, and goes on by
 * link_call_go() or fails, never from inside. */
bool link_token_go(link_call *c);
/* The server refused the token. True: there was one to forget, and the call may go again. */
bool link_token_refused(link_call *c);
/* Likewise of a stream that is no call's: whoever asks next is given another. */
void link_token_spoilt(upstream *u, str authorization);
/* A caller's own token was asked for without one of these scopes. Then its box remembers what the
 * server wants, for link_token_missing(): {0} when there is nothing. */
bool link_token_lacks(link_call *c, str scope);
str link_token_missing(link_call *c);
void link_token_free(link_table *t); /* ends what this worker fetches */

/* What was asked for under this key came, or `why` not. Any thread. */
void link_token_settle(upstream *u, str key, const grant_token *got, const err *why);

/* token_errand.c: discovers the endpoint, asks it, settles; `subject` as in grant_body(). False: it
 * cannot be done now. */
bool token_errand_start(upstream *u, str key, str subject);
#endif
