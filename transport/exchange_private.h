/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_private.h - the front's own view of a request.
 *
 * An exchange lives from its whole head until the product has released it *and* its connection has
 * done with it, whichever is later; `x->g` is NULL from the latter on.
 * Files: exchange_head.c (what is refused), exchange_body.c (what comes in), exchange.c (the
 * products' calls), exchange_stream.c (sinks). Threads: the worker's. */
#ifndef SP_EXCHANGE_PRIVATE_H
#define SP_EXCHANGE_PRIVATE_H
#include "../base/buf.h"
#include "exchange.h"
#include "server_private.h"

typedef struct {
    sink face; /* first: a sink is its stream */
    exchange *x;
    buf data;  /* as it goes to the socket: head and chunks */
    size_t at; /* bytes of data already sent */
    bool full, ended, failed, relieved;
} stream;

struct exchange {
    server *s;
    guest *g;
    arena *memory;
    str method, target, path, query, host, peer;
    header *headers;
    header *added;              /* to the reply, by who stands before the product; ends with {0} */
    int64_t started_us, length; /* Content-Length; -1: chunked; 0: no body */
    flow_run *flow;
    buf body;
    size_t body_limit;
    exchange_piece_fn *piece; /* NULL: the body is collected */
    void *piece_ctx;
    size_t given; /* bytes of the body */
    str reply_head, reply_body;
    bool announced, old_http, expects, coded, bodiless; /* bodiless: nothing follows the head */
    bool persists, keeps; /* the client would keep the connection; so do we, as the reply said */
    bool asked, whole, over, sated; /* body: wanted, here, too long, read no further */
    bool full;                      /* `piece` wants no more for now */
    bool replied, streamed, close_after;
    bool gone, cut, released;
    stream out;
    exchange *next; /* in spare or relieved */
    record facts;
};

/* exchange.c */
exchange *exchange_take(server *s);
void exchange_finished(exchange *x, bool clean); /* its connection is done with it */
void exchange_wake(exchange *x, flow_why why);
bool exchange_give(exchange *x, str bytes); /* to `piece`; false: over the limit */
void exchange_pool_free(server *s);

/* exchange_body.c */
void exchange_begin(exchange *x, str head, size_t lines); /* hands it to the product, or refuses */
bool exchange_takes_body(const exchange *x);              /* false: it is left in the socket */
void exchange_take_body(exchange *x, str bytes);
void exchange_end_body(exchange *x);

/* exchange_head.c */
typedef struct {
    int status; /* 0: nothing to refuse */
    str body;
} refusal;
refusal exchange_read_head(exchange *x, str head, size_t lines);
extern const refusal refusal_timeout, refusal_syntax, refusal_large, refusal_chunks;
void guest_refuse(guest *g, refusal r); /* guest_read.c: says it, without an exchange */

/* exchange_stream.c */
void stream_open(exchange *x);
buf *stream_room(stream *st);    /* where its next bytes go */
void stream_close(exchange *x);  /* nobody reads any more */
void stream_forget(exchange *x); /* x is about to be used for something else */
void stream_relieve(server *s);  /* tells the sources of streams that ran low */
bool stream_flush(exchange *x);  /* true: all that was written so far is sent */
#endif
