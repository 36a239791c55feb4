/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - the front: listeners on one worker that turn bytes into exchanges.
 *
 * HTTP/1.1 and 1.0, one listener and worker each; what stands behind it is not seen here.
 * Before anything else the front refuses, with 400 and close, what two readers could read in
 * two ways: a repeated Host, Content-Length, Content-Type, Authorization, Origin or Mcp-*;
 * Transfer-Encoding beside Content-Length, or other than chunked; a line that does not end in
 * CR LF or continues another; a header name that is no token; a missing Host.
 * Its own refusals (400, 408, 431) are small JSON bodies.
 * Over TLS, SIGPIPE must be ignored by the process.
 * HEAD / is answered 200 by the products' dispatcher, not here.
 * Threads: everything on the loop's worker, but server_listen_fd(). */
#ifndef SP_SERVER_H
#define SP_SERVER_H
#include "../base/log.h"
#include "exchange.h"

typedef struct {
    size_t header_bytes;  /* limits.header: of a whole request head */
    unsigned connections; /* per process; the front divides by workers */
    int64_t header_timeout_ms, idle_timeout_ms;
    size_t stream_buffer; /* a streamed reply's ceiling before its source must pause; 0: 256 KiB */
} server_limits;

typedef struct {
    str address; /* "127.0.0.1:8080", "[::1]:0", "0.0.0.0:443" */
    unsigned index;
    const struct tls_server *tls; /* NULL: plain */
} server_listener;

typedef struct server server;
typedef void server_on_exchange(exchange *x, void *ctx);

/* A listening socket (SO_REUSEPORT, non-blocking, close-on-exec); *bound is the address with the
 * real port. */
MUST_CHECK const err *server_listen_fd(arena *a, str address, int *fd, str *bound);

typedef struct {
    loop *loop;
    logger *log;
    server_limits limits;
    server_on_exchange *on_exchange;
    void *ctx;
    unsigned workers;
} server_options;

/* Serves the listening socket `fd` (which it then owns) on this worker. */
MUST_CHECK const err *server_open(arena *a, const server_options *o, const server_listener *l,
                                  int fd, server **out);
/* Drain: closes the listening socket, idle connections end, answers say "Connection: close", and
 * the flows of open streams are woken with FLOW_STOP. */
void server_stop_accepting(server *s);
size_t server_exchanges(const server *s); /* being answered now */
size_t server_connections(const server *s);
/* Ends every connection; flows are woken with FLOW_GONE, so the loop must run on until they are
 * over. The pointer is dead afterwards. From a letter or a timer, never from a flow or on_exchange.
 */
void server_close(server *s);
#endif
