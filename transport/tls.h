/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - certificates for listeners, trust for upstreams.
 *
 * Files are read elsewhere (server/ reads files): here come PEM bytes. A listener's pair can be
 * replaced while it runs; connections that are open keep the pair they began with.
 * Threads: tls_server_replace() from any thread; the rest is immutable after creation. */
#ifndef SP_TLS_H
#define SP_TLS_H
#include "../base/err.h"

typedef struct tls_server tls_server;
MUST_CHECK const err *tls_server_new(arena *a, str certificate_pem, str key_pem, str client_ca_pem,
                                     tls_server **out); /* client_ca {0}: no client certificates */
MUST_CHECK const err *tls_server_replace(arena *a, tls_server *t, str certificate_pem, str key_pem);
void tls_server_free(tls_server *t);

/* What upstream connections trust: the system's CAs, plus `ca_pem` when given. */
typedef struct tls_client tls_client;
MUST_CHECK const err *tls_client_new(arena *a, str ca_pem, tls_client **out);
void tls_client_free(tls_client *t);
#endif
