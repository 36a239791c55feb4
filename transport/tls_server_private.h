/* SPDX-License-Identifier: Apache-2.0 */
/* tls_server_private.h - what the front needs of a listener's certificates.
 *
 * A connection holds the pair that was current when it came, until it is closed: GnuTLS keeps
 * no copy. Threads: tls_server_hold() and tls_pair_drop() from any. */
#ifndef SP_TLS_SERVER_PRIVATE_H
#define SP_TLS_SERVER_PRIVATE_H
#include "tls.h"
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

enum { TLS_CHAIN = 16 };
typedef struct tls_pair tls_pair;

tls_pair *tls_server_hold(const tls_server *t);
void tls_pair_drop(tls_pair *p); /* NULL is fine */
void tls_pair_give(const tls_pair *p, gnutls_pcert_st **chain, unsigned *count,
                   gnutls_privkey_t *key);
const char *tls_server_client_ca(const tls_server *t); /* PEM; NULL: no client certificates */
/* Makes the session demand and verify a client certificate. */
void tls_session_demand(gnutls_session_t session);
#endif
