/* SPDX-License-Identifier: Apache-2.0 */
/* server_private.h - the front's own view of listeners and of the clients' connections, its guests.
 *
 * A guest lives as long as its socket. A server lives until it is closed and the last exchange is
 * recycled. Files: server.c (accepting, turns, drain), server_listen.c; guest.c (stages and life),
 * guest_wait.c (patience), guest_read.c, guest_write.c, guest_tls.c; for requests see
 * exchange_private.h.
 *
 * guest_run() is the only place where a guest moves on. It runs when the socket has called, and in
 * the turn's end for guests that are due: because a product did something, or because it has had
 * its share of a turn. Flows run inside it; what they do to other guests makes those due.
 * Threads: the worker's. */
#ifndef SP_SERVER_PRIVATE_H
#define SP_SERVER_PRIVATE_H
#include "../base/buf.h"
#include "h1_chunks.h"
#include "h1_request_head.h"
#include "server.h"
#include "tls_server_private.h"
#include <sys/socket.h>

typedef struct guest guest;

/* Guests whose turn it is to do something, oldest first. */
typedef struct {
    guest *first, *last;
    int64_t patience_ms; /* 0: for ever */
} waiting;

typedef enum {
    GUEST_GREETING, /* in a TLS handshake */
    GUEST_HEAD,     /* owes a request */
    GUEST_BODY,     /* owes the rest of one; it may be answered meanwhile */
    GUEST_ANSWER,   /* waits for the answer, or for the rest of it */
    GUEST_REST,     /* was answered, and still sends a body that nobody wants */
    GUEST_LINGER,   /* was told the end, and still sends */
    GUEST_OVER
} guest_stage;

struct guest {
    server *s;
    exchange *x; /* in BODY and ANSWER */
    SSL *ssl;    /* NULL: plain */
    loop_watch *watch;
    guest *prev, *next, *due_next; /* all of the server's; those that are due */
    waiting *in;                   /* NULL: nothing is expected of it */
    guest *older, *newer;
    int64_t since_ms;
    buf held;   /* bytes between two runs: part of a head, or of what was sent too early */
    str unread; /* within a run: the bytes at hand, in `held` or in the server's scratch */
    h1_head_scan scan;
    h1_chunks chunks;
    uint64_t left;    /* of a body with a length */
    size_t swallowed; /* of a body nobody wants; of anything, when lingering */
    str out[2];       /* of a whole answer: head and body, what is not yet sent */
    int fd;
    guest_stage stage;
    unsigned budget;            /* of this run */
    bool due, renewed;          /* renewed: it has done what was expected; its time begins anew */
    bool in_scratch;            /* where `unread` lies */
    bool readable, blocked;     /* what the socket said last */
    bool hung_up, ended, dead;  /* the peer closed its side; we read that far; no use any more */
    bool seen, watches_out;     /* seen: it has sent a whole head before */
    bool chunked, owing, begun; /* owing: bytes of a request are to come; begun: the answer is */
    bool lingers, tls_broken;
    char peer[46];
};

struct server {
    server_options o;
    unsigned index, limit;
    const tls_server *tls;
    int fd; /* -1: no longer accepting */
    loop_watch *watch;
    bool paused, draining, closed;
    size_t exchanges, connections, lingerers, live; /* live: exchanges not yet recycled */
    guest *guests, *running, *due, **due_end;
    waiting fresh, kept, moving, lingering;
    loop_timer sweep;
    exchange *spare, *relieved; /* relieved: streams that ran low, whose sources may go on */
    size_t spares;
    char *scratch;    /* what was just received */
    buf head;         /* the head of a reply being written */
    buf stream_spare; /* for the next stream that writes */
    buf tls_record;   /* being put together */
    int64_t date_s;
    char date[32];
};

enum { SERVER_SCRATCH = 64 * 1024 };

/* guest.c */
void guest_begin(server *s, int fd, const struct sockaddr *from);
void guest_run(guest *g);
void guest_due(guest *g);     /* guest_run() before the loop waits again */
void guest_next(guest *g);    /* a request is over, and the connection kept */
void guest_hang_up(guest *g); /* an end, as polite as it can be */
void guest_end(guest *g);     /* at once; g is dead afterwards */

/* guest_wait.c */
void guest_wait(guest *g, waiting *in); /* in NULL: nothing is expected of it */
void guest_expect(guest *g);            /* after a run: what is expected of it now */
void server_sweep_start(server *s);

/* guest_read.c */
bool guest_read_head(guest *g); /* these two: false when nothing more can be done now */
bool guest_read_body(guest *g);
bool guest_read_rest(guest *g);
bool guest_linger(guest *g);
bool guest_fill(guest *g);                      /* more bytes to `unread` */
void guest_hold(guest *g);                      /* keeps `unread` for the next run */
void guest_owes_body(guest *g, int64_t length); /* of the request that begins; -1: chunked */
bool guest_swallow(guest *g, size_t n);         /* false: that is too much of an unwanted body */
bool guest_may_rest(const guest *g);            /* is the rest little enough for that? */

/* guest_write.c */
bool guest_write(guest *g); /* of the answer; false: nothing more can be written now */
void guest_cut(guest *g);   /* the answer breaks off, and must not look whole */
/* What the socket takes; 0: nothing now. It may say afterwards that the guest is dead. */
size_t guest_send(guest *g, str first, str second);
void guest_say(guest *g, str bytes); /* beside any exchange; what is not taken at once is the end */
void guest_wait_for_room(guest *g);

/* guest_tls.c: as recv() and guest_send(), but -1 means "nothing now" and -2 "broken" */
enum { GUEST_AGAIN = -1, GUEST_BROKEN = -2 };
bool guest_tls_begin(guest *g);
bool guest_tls_greet(guest *g);
ssize_t guest_tls_recv(guest *g, char *to, size_t n);
ssize_t guest_tls_send(guest *g, str first, str second);
void guest_tls_bye(guest *g); /* these two: fine without TLS */
void guest_tls_free(guest *g);

/* server.c */
void server_drop(server *s);   /* frees a closed server that nothing lives in */
void server_accept(server *s); /* those that have knocked; again, if it had to stop */
str server_date(server *s);
static inline loop *server_loop(const server *s)
{
    return s->o.loop;
}
#endif
