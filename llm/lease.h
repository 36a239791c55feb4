/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h - a token that a cloud lends a backend for a while.
 *
 * It is asked for beside the workers, by one errand at a time; a request that finds none waits for
 * it. When three quarters of its life are over the next one is asked for, while the old one is
 * still used. After a failure nobody asks again for a second, and who needs a token meanwhile has
 * none. Ownership: counted, one count a snapshot and one an errand. Threads: any. Secrets: the
 * token and what it is asked for with; neither is ever logged. */
#ifndef SP_LLM_LEASE_H
#define SP_LLM_LEASE_H
#include "../base/err.h"
#include "../base/log.h"
#include "../transport/errand.h"
#include "../transport/loop.h"

typedef enum {
    LEASE_GOOGLE, /* a service account: its name and its private key, RFC 7523 */
    LEASE_ENTRA   /* an application: its name and its secret, RFC 6749 4.4 */
} lease_kind;

typedef struct {
    lease_kind kind;
    str token_url, name, secret, scope;
} lease_spec;

/* A service account's key file. The error is for who wrote the configuration. */
MUST_CHECK const err *lease_of_account(arena *a, str json, lease_spec *out);

typedef struct {
    str token;
    int64_t lives_ms;
} lease_token;
/* Blocking; on a service thread. The error's text holds nothing that was sent or came. */
MUST_CHECK const err *lease_fetch(arena *a, const lease_spec *spec, lease_token *out);

typedef struct lease lease;
lease *lease_new(const lease_spec *spec); /* copies it */
void lease_drop(lease *l);

typedef struct {
    arena *a; /* gets a copy of the token */
    errands *web;
    loop *at; /* wakes `who` when it is worth asking again */
    handle who;
    logger *log;
} lease_ask;
typedef enum { LEASE_READY, LEASE_WAIT, LEASE_NONE } lease_state;
lease_state lease_take(lease *l, const lease_ask *ask, str *token);
#endif
