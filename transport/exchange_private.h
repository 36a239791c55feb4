/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_private.h - the front's own view of a request.
 *
 * An exchange lives from its request line until the product has released it *and* libmicrohttpd
 * has reported its end, whichever is later. `x->c` is NULL once libmicrohttpd is done with it.
 * Files: exchange_head.c (what is refused), exchange_front.c (libmicrohttpd's callbacks),
 * exchange.c (the products' calls), exchange_stream.c (sinks). Threads: the worker's. */
#ifndef SP_EXCHANGE_PRIVATE_H
#define SP_EXCHANGE_PRIVATE_H
#include "../base/buf.h"
#include "exchange.h"
#include "server_private.h"

typedef struct {
    sink face; /* first: a sink is its stream */
    exchange *x;
    buf data;
    size_t at; /* bytes of data already sent */
    bool full, ended, failed, relieved;
} stream;

struct exchange {
    server *s;
    conn *c;
    arena *memory;
    str method, target, path, query, host, peer;
    const char *target_at; /* where libmicrohttpd had it */
    header *headers;
    header *added;              /* to the reply, by who stands before the product; ends with {0} */
    int64_t started_us, length; /* Content-Length; -1: chunked; 0: no body */
    flow_run *flow;
    buf body;
    size_t body_limit, swallowed;
    exchange_piece_fn *piece; /* NULL: the body is collected */
    void *piece_ctx;
    size_t given;     /* bytes of the body */
    loop_timer doubt; /* the client has closed its side: does more of the body come? */
    size_t doubted;
    struct MHD_Response *response;
    str reply_body;
    int status;
    unsigned spins;
    bool announced, old_http, expects, coded;
    bool asked, whole, over,
        held;  /* body: wanted, here, too long; held: not even asked the client for it */
    bool full; /* `piece` wants no more for now */
    bool replied, queued, streamed, close_after;
    bool suspended, spinning, gone, cut, released;
    loop_timer patience;
    stream out;
    exchange *next; /* in spare or relieved */
    record facts;
};

/* exchange_front.c: for libmicrohttpd */
void *front_target(void *cls, const char *uri, struct MHD_Connection *mc);
enum MHD_Result front_handle(void *cls, struct MHD_Connection *mc, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **at);
void front_completed(void *cls, struct MHD_Connection *mc, void **at,
                     enum MHD_RequestTerminationCode how);

/* exchange.c */
exchange *exchange_take(server *s);
void exchange_finished(exchange *x, bool clean); /* libmicrohttpd is done with it */
void exchange_lost(exchange *x);                 /* the client left while we worked */
void exchange_wake(exchange *x, flow_why why);
void exchange_resume(exchange *x);
bool exchange_give(exchange *x, str bytes); /* to `piece`; false: over the limit */
void exchange_spun(exchange *x);            /* it waits no more, or suspended */
void exchange_pool_free(server *s);

/* exchange_head.c */
typedef struct {
    int status; /* 0: nothing to refuse */
    str body;
} refusal;
refusal exchange_read_head(exchange *x, const char *method, const char *version);
extern const refusal refusal_timeout;

/* exchange_stream.c */
void stream_open(exchange *x);
void stream_close(exchange *x);  /* nobody reads any more */
void stream_forget(exchange *x); /* x is about to be used for something else */
void stream_relieve(server *s);  /* tells the sources of streams that ran low */
ssize_t stream_read(void *cls, uint64_t at, char *to, size_t max);
#endif
