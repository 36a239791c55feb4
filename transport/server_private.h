/* SPDX-License-Identifier: Apache-2.0 */
/* server_private.h - the front's own view of listeners and client connections.
 *
 * A conn lives as long as its socket. A server lives until it is closed and the last exchange is
 * recycled. Files: server.c (daemon, turns, drain), server_conn.c (sockets: disconnects,
 * timeouts, lingering), server_tls.c; for requests see exchange_private.h. Threads: the worker's.
 */
#ifndef SP_SERVER_PRIVATE_H
#define SP_SERVER_PRIVATE_H
#include "server.h"
#include "tls_server_private.h"
#include <microhttpd.h>

typedef struct conn conn;
typedef struct lingerer lingerer;

/* Connections that owe us a request head, oldest first. */
typedef struct {
    conn *first, *last;
    int64_t patience_ms; /* 0: for ever */
} waiting;

struct conn {
    server *s;
    struct MHD_Connection *mc;
    loop_watch *watch;
    exchange *x;       /* the request being read or answered */
    conn *prev, *next; /* all of the server's */
    waiting *in;       /* NULL: owes nothing */
    conn *older, *newer;
    int64_t waits_since_ms;
    tls_pair *pair;
    gnutls_session_t session;
    int fd;
    bool dry;     /* TLS handshake: the socket had nothing to read, and has not called since */
    bool greeted; /* the TLS handshake is over */
    bool gone;    /* the peer has closed its side */
    bool shut;    /* we closed the reading side: not the peer's doing */
    bool unread;  /* closes with request bytes still to come: must linger */
    char peer[48];
};

struct server {
    server_options o;
    unsigned index;
    const tls_server *tls;
    struct MHD_Daemon *daemon;
    loop_watch *watch;
    bool running;  /* inside MHD_run, where flows may run too */
    bool must_run; /* something changed that libmicrohttpd has to act upon */
    bool pending;  /* it said that it has work left */
    bool progress; /* its last run called us for something new, or moved a byte of TLS */
    bool draining, closed;
    int64_t due_ms;                                /* when it wants to run again */
    unsigned vain;                                 /* runs since the last that made progress */
    size_t spinning, exchanges, connections, live; /* live: exchanges not yet recycled */
    unsigned limit;
    conn *conns;
    waiting fresh, kept;
    loop_timer sweep;
    lingerer *lingering;
    size_t lingerers;
    exchange *spare, *relieved; /* relieved: streams that ran low, whose sources may go on */
    size_t spares;
    int64_t quiet_until_ms;
    unsigned unlogged;
};

/* server_conn.c */
#define CONN_EVENTS (EPOLLRDHUP | EPOLLET) /* what a connection's own watch listens for */
void conn_notify(void *cls, struct MHD_Connection *mc, void **at,
                 enum MHD_ConnectionNotificationCode code);
conn *conn_of(struct MHD_Connection *mc);
void conn_wait(conn *c, waiting *in); /* in NULL: it waits no more */
void conn_stop_reading(conn *c);
void conn_doubt(conn *c); /* in the middle of a body the peer has closed its side */
void conn_send_raw(conn *c, int status, struct MHD_Response *headers, str body);
void conn_sweep_start(server *s);
void conn_linger_free(server *s);

/* server_tls.c */
void conn_begin_tls(conn *c);
gnutls_certificate_retrieve_function2 conn_give_certificate;

/* server.c */
void server_drop(server *s); /* frees a closed server that nothing lives in */
static inline loop *server_loop(const server *s)
{
    return s->o.loop;
}
#endif
