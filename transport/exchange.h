/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h - one HTTP request and its reply, as the products see it.
 *
 * The front (server.c) makes it when the request's head is whole, and calls on_exchange. The
 * body arrives later: exchange_body() says when it is whole, and wakes the attached flow.
 * The reply is given once: whole (exchange_reply) or as a stream (exchange_stream, then the
 * sink). Nothing may be replied twice; a second reply is ignored and logged as our mistake.
 *
 * The exchange and its arena live until exchange_release(), which the product's flow calls from
 * its `release`; the front tells the flow through flow_let_go() when the last byte was sent or
 * the client is gone, and wakes it with FLOW_GONE within 100 ms of a disconnect.
 * Without an attached flow (an answer given at once) the front releases it itself.
 * Flows run from inside the front, right after on_exchange and when a body is whole, so that an
 * answer that needs no waiting leaves at once.
 * Views (headers, path, body) live as long as the exchange. Threads: its worker's only. */
#ifndef SP_EXCHANGE_H
#define SP_EXCHANGE_H
#include "../base/err.h"
#include "../base/flow.h"
#include "../base/header.h"
#include "../base/record.h"
#include "loop.h"
#include "sink.h"

typedef struct exchange exchange;
loop *exchange_loop(exchange *x);
arena *exchange_arena(exchange *x);
record *exchange_record(exchange *x);

str exchange_method(const exchange *x);            /* "POST" */
str exchange_path(const exchange *x);              /* before '?', as sent */
str exchange_query(const exchange *x);             /* after '?', as sent; {0} without */
str exchange_host(const exchange *x);              /* the Host header, as sent */
str exchange_header(const exchange *x, str name);  /* case-insensitive; p is NULL when absent */
const header *exchange_headers(const exchange *x); /* all, in order, ends with {0} */
str exchange_peer(const exchange *x);              /* client address without port */
bool exchange_secure(const exchange *x);           /* over TLS */
unsigned exchange_listener(const exchange *x);     /* index in the config's listen */
int64_t exchange_started_us(const exchange *x);

/* The flow that is told about body (WOKEN), drain while it streams (STOP) and disconnect (GONE).
 * Attach before anything can wait. */
void exchange_attach(exchange *x, flow_run *r);

/* True: *body is whole. False: wait, the flow is woken (FLOW_WOKEN) when it is. An error
 * (ERR_TOO_LARGE over `limit`, ERR_UNSUPPORTED for a coded body) means: refuse now. */
MUST_CHECK const err *exchange_body(exchange *x, size_t limit, bool *whole, str *body);

/* Instead of exchange_body(): the body in pieces, as they come, the first of them (what has come
 * before) from inside this call. `piece` takes all it is given; false: no more for now, until
 * exchange_upload_go_on(). The flow is woken when the last was given, or one came over `limit`. */
typedef bool exchange_piece_fn(void *ctx, str bytes);
typedef enum { UPLOAD_COMES, UPLOAD_ENDED, UPLOAD_OVER } upload_state;
MUST_CHECK const err *exchange_upload(exchange *x, size_t limit, exchange_piece_fn *piece,
                                      void *ctx);
void exchange_upload_go_on(exchange *x);
upload_state exchange_upload_state(const exchange *x);
int64_t exchange_length(const exchange *x); /* of the body, as declared; -1: not */

/* A whole reply. Header names and values are copied, the body is not: it must live in the
 * exchange's arena (or be static). Content-Length, Date and Connection are the front's. */
void exchange_reply(exchange *x, int status, const header *headers, str body);
/* A streamed reply (chunked). Returns the sink to write into; when it has drained it tells the
 * source set with sink_source(), or wakes the flow (WOKEN) when none is set. Ending it with an
 * error cuts the connection so that no client takes it for the end. */
sink *exchange_stream(exchange *x, int status, const header *headers);
/* A header for whatever the reply will be, as from somebody who stands before the product. Copied.
 */
void exchange_add_header(exchange *x, str name, str value);
bool exchange_gone(const exchange *x); /* the client has left */
/* After the reply: the connection is closed instead of kept. Call before replying. */
void exchange_close_after(exchange *x);
void exchange_release(exchange *x); /* frees the arena: the caller must not touch it again */
#endif
