/* SPDX-License-Identifier: Apache-2.0 */
/* client_pool.h - a worker's upstream connections, kept by origin between calls.
 *
 * A conn is idle (in its pool, call NULL) or carries one call. It may be closed from inside its
 * own event: between conn_enter() and conn_leave() closing only marks it `dead`, and its memory
 * (the head's views among it) goes at the last conn_leave().
 * Threads: the worker's only. */
#ifndef SP_CLIENT_POOL_H
#define SP_CLIENT_POOL_H
#include "client_wire.h"
#include "h1_response.h"

enum { CONN_PARTS = 4, READ_SIZE = 64 * 1024, POOL_BUCKETS = 64 };

typedef struct pool pool;
typedef struct conn {
    wire wire;
    h1_response reply;
    client *owner;
    pool *home;
    call *call;            /* NULL: idle */
    str parts[CONN_PARTS]; /* of the request: what is not sent yet begins at `part` */
    unsigned part;
    buf out;  /* the head, and copies of parts that would not live long enough */
    buf held; /* bytes read that a paused call did not want */
    bool holding, reused, answered, send_broken, dead;
    bool due; /* its request is sent at the end of the turn */
    struct conn *due_next;
    unsigned entered;
    int64_t opened_ms, idle_until_ms;
    struct conn *prev, *next;           /* all of the client's */
    struct conn *idle_prev, *idle_next; /* of the pool, the latest first */
} conn;

struct pool {
    origin *to;
    conn *idle_first, *idle_last;
    size_t idle, conns, calls;
    unsigned first_address; /* the one that worked last */
    struct pool *next;      /* in its bucket */
};

struct client {
    loop *l;
    logger *log;
    size_t idle_most;
    conn *conns;
    conn *due, **due_end; /* in the order of their calls */
    size_t conn_count, pool_count;
    call *calls;
    pool *buckets[POOL_BUCKETS];
    buf head;    /* the head being sent; scratch */
    buf scratch; /* of the wires */
    char *in;    /* READ_SIZE bytes: one read buffer for all connections */
    loop_timer sweep, tidy;
    arena *errors[2]; /* errors told lately, and those told before */
};

pool *pool_of(client *c, origin *to);
conn *pool_take(pool *p, int64_t now_ms); /* an idle one, or NULL */
conn *conn_new(client *c, pool *p);       /* not opened yet */
void conn_keep(conn *n);                  /* back to the pool, or closed when it is full */
void conn_close(conn *n);
void conn_enter(conn *n);
void conn_leave(conn *n);
void conn_due(conn *n);
void conn_take_due(conn *n);                      /* also one that is not due */
void client_on_event(void *ctx, uint32_t events); /* client_h1.c */
int64_t client_turn(void *ctx);                   /* client_h1.c: sends what is due */
/* An error that lives through this turn and the next. */
const err *client_error(client *c, err_kind kind, str where, const char *why);
#endif
