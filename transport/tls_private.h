/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h - what the rest of transport/ may see of an upstream's trust.
 *
 * The context verifies the peer against its CAs and speaks TLS 1.2 or newer, http/1.1 only. The
 * name is a connection's business: SSL_set1_host() (or the IP form) and SSL_set_tlsext_host_name().
 * Ownership: the tls_client's. Threads: any. */
#ifndef SP_TLS_PRIVATE_H
#define SP_TLS_PRIVATE_H
#include "tls.h"
#include <openssl/ssl.h>

SSL_CTX *tls_client_ctx(const tls_client *t);
#endif
