/* SPDX-License-Identifier: Apache-2.0 */
/* client_tunnel.h - asking a proxy for a tunnel to an origin (CONNECT, RFC 9110 9.3.6).
 *
 * On a socket that is connected to the proxy: tunnel_advance() writes the question and reads the
 * answer as far as the socket lets it, to be called again when the socket is ready. The origin
 * says nothing before we do, so a byte after the proxy's answer is the proxy's own and an error.
 * Ownership: the caller's; it is done with once it is no longer TUNNEL_WAITS. Secrets: the proxy's
 * credential; it is in no text. Threads: its worker's only. */
#ifndef SP_CLIENT_TUNNEL_H
#define SP_CLIENT_TUNNEL_H
#include "origin.h"

typedef struct tunnel tunnel;
typedef enum { TUNNEL_WAITS, TUNNEL_OPEN, TUNNEL_REFUSED } tunnel_state;

tunnel *tunnel_new(const origin *to); /* which has a proxy */
tunnel_state tunnel_advance(tunnel *t, int fd);
const char *tunnel_why(const tunnel *t); /* after TUNNEL_REFUSED */
void tunnel_free(tunnel *t);             /* NULL is fine */
#endif
