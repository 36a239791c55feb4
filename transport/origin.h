/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - what the client needs of an origin: addresses, names, trust.
 *
 * The addresses are the only thing that changes, so they alone are behind a lock, taken when a
 * connection is opened and never for a request on a kept one.
 * Ownership: counted. origin_free() gives up the maker's share; each worker's pool holds one, so
 * that a call outlives a reload. After origin_free() `origin_retired` is true and pools let go.
 * Threads: any. */
#ifndef SP_ORIGIN_H
#define SP_ORIGIN_H
#include "client.h"
#include <openssl/ssl.h>
#include <sys/socket.h>

enum { ORIGIN_ADDRESSES = 8 };

typedef struct {
    struct sockaddr_storage at[ORIGIN_ADDRESSES];
    socklen_t size[ORIGIN_ADDRESSES];
    unsigned count;
} origin_addresses;

void origin_hold(origin *o);
void origin_release(origin *o);
bool origin_retired(const origin *o);
void origin_addresses_get(origin *o, origin_addresses *out);
str origin_host(const origin *o);
str origin_authority(const origin *o);
SSL_CTX *origin_tls(const origin *o);          /* NULL: plain */
const proxy_at *origin_proxy(const origin *o); /* NULL: none; then the addresses are its own */
unsigned origin_port(const origin *o);
#endif
