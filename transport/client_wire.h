/* SPDX-License-Identifier: Apache-2.0 */
/* client_wire.h - one socket to an upstream, plain or TLS: opening, reading, writing.
 *
 * Nothing here blocks and nothing calls back: the owner gets the epoll events (the socket is
 * watched once, edge-triggered, for its whole life), passes them to wire_advance() while the wire
 * is opening, and reads until WIRE_AGAIN afterwards. A read shorter than asked for means drained,
 * unless `hung_up` is set or the wire is TLS (`short_is_drained` says so).
 * SIGPIPE must be ignored by the process: OpenSSL writes without MSG_NOSIGNAL.
 * Ownership: the wire holds its origin. Threads: its worker's only. */
#ifndef SP_CLIENT_WIRE_H
#define SP_CLIENT_WIRE_H
#include "../base/buf.h"
#include "origin.h"
#include <sys/uio.h>

typedef enum { WIRE_CONNECTING, WIRE_TUNNELLING, WIRE_GREETING, WIRE_OPEN, WIRE_FAILED } wire_state;
enum { WIRE_END = 0, WIRE_AGAIN = -1, WIRE_BROKEN = -2 };

typedef struct {
    wire_state state;
    bool hung_up;  /* the peer has closed or reset: read on to the end */
    char why[160]; /* after WIRE_FAILED or WIRE_BROKEN */

    /* private */
    loop *l;
    loop_watch_fn *fn;
    void *ctx;
    buf *scratch; /* a TLS record being put together */
    loop_watch *watch;
    int fd;
    SSL *ssl;
    struct tunnel *tunnel; /* while a proxy opens one; NULL: none */
    origin *to;
    origin_addresses addresses;
    unsigned first, tried; /* the address tried first; how many were */
} wire;

/* `fn` gets the events; `scratch`, for 16 KiB, may be shared by all of a worker. */
void wire_on(wire *w, loop_watch_fn *fn, void *ctx, buf *scratch);
/* Starts connecting, at the address numbered `first`: WIRE_CONNECTING or WIRE_FAILED. */
void wire_open(wire *w, loop *l, origin *to, unsigned first);
void wire_advance(wire *w, uint32_t events);
/* Gives this address up as too slow: the next one, or WIRE_FAILED. */
void wire_too_slow(wire *w);
unsigned wire_addresses_left(const wire *w);
unsigned wire_address(const wire *w); /* the number of the one in use */

ssize_t wire_read(wire *w, char *to, size_t n);      /* bytes, or WIRE_END, _AGAIN, _BROKEN */
ssize_t wire_write(wire *w, struct iovec *v, int n); /* the same; v is not changed */
bool wire_short_is_drained(const wire *w);
bool wire_is_quiet(wire *w); /* an idle wire: nothing came but what TLS says to itself */
void wire_close(wire *w);    /* also a failed one; twice is fine */
#endif
