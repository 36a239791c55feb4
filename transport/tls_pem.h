/* SPDX-License-Identifier: Apache-2.0 */
/* tls_pem.h - certificates and keys out of PEM text, into an OpenSSL context.
 *
 * Failure: ERR_MALFORMED, with what the text was meant to be and OpenSSL's own words. Nothing is
 * asked of a terminal: a key behind a passphrase is refused. Threads: the caller's. */
#ifndef SP_TLS_PEM_H
#define SP_TLS_PEM_H
#include "../base/err.h"
#include <openssl/ssl.h>

enum { TLS_PEM_CHAIN_MOST = 16 };

/* The peer must be vouched for by one of these. A text without a certificate is an error. */
MUST_CHECK const err *tls_pem_trust(arena *a, SSL_CTX *ctx, str pem, const char *what);
/* The certificate that is the key's, wherever in the text it stands; the others are its chain. */
MUST_CHECK const err *tls_pem_show(arena *a, SSL_CTX *ctx, str certificate, str key);
const err *tls_pem_refused(arena *a, const char *what); /* with OpenSSL's reason */
#endif
