/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h - what the rest of transport/ may see of an upstream's trust.
 *
 * The context verifies the peer against its CAs and speaks TLS 1.2 or newer, http/1.1 only. The
 * name is a connection's business: tls_client_expect().
 * Ownership: the tls_client's. Threads: any. */
#ifndef SP_TLS_PRIVATE_H
#define SP_TLS_PRIVATE_H
#include "tls.h"
#include <openssl/ssl.h>

SSL_CTX *tls_client_ctx(const tls_client *t);
bool tls_client_expect(SSL *ssl, str host); /* a name or an address, which its certificate has */
#endif
