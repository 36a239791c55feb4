/* SPDX-License-Identifier: Apache-2.0 */
/* tls_server_private.h - what the front needs of a listener's certificates. */
#ifndef SP_TLS_SERVER_PRIVATE_H
#define SP_TLS_SERVER_PRIVATE_H
#include "tls.h"
#include <openssl/ssl.h>

/* The server's side of one connection, with the pair that is current now, which it keeps. NULL: no
 * memory. The caller frees it. Threads: any. */
SSL *tls_server_begin(const tls_server *t);
#endif
