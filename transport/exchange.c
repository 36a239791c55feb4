/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - the products' side of a request.
 *
 * Nothing here moves the connection on: a reply is prepared and noted, its guest made due, and
 * guest_run() acts on it before the loop waits again. So a product may call from any place, also
 * from inside a run, where flows run too.
 *
 * Exchanges and their arenas are kept and used again; an arena's first block is enough for most
 * requests, so a request costs no malloc of ours. */
#include "exchange.h"
#include "../base/clock.h"
#include "exchange_private.h"
#include "h1_reply.h"
#include <stdlib.h>

/* ARENA: what a streamed chat needs, which holds all of it for as long as it is open; a second
 * block would be held with it, half empty. What is not written to is not resident. */
enum { SPARES = 256, ARENA = 9 * 1024 };

static void log_mistake(const exchange *x, const char *what)
{
    log_fact facts[] = {{"path", x->path}, {0}};
    if (x->s->o.log) log_say(x->s->o.log, LOG_ERROR_LEVEL, what, facts);
}

/* Life */

exchange *exchange_take(server *s)
{
    exchange *x = s->spare;
    if (x) {
        s->spare = x->next;
        s->spares--;
    } else {
        x = malloc(sizeof *x);
        if (!x) abort();
        x->memory = arena_new_of(ARENA);
    }
    *x = (exchange){.s = s, .memory = x->memory, .started_us = clock_mono_us()};
    s->live++;
    return x;
}

static void destroy(exchange *x)
{
    arena_free(x->memory);
    free(x);
}

static void recycle(exchange *x)
{
    server *s = x->s;
    stream_forget(x);
    buf_free(&x->body);
    s->live--;
    if (x->announced) s->exchanges--;
    if (s->closed || s->spares == SPARES) {
        destroy(x);
        if (s->closed) server_drop(s);
        return;
    }
    arena_reset(x->memory);
    x->next = s->spare;
    s->spare = x;
    s->spares++;
}

void exchange_pool_free(server *s)
{
    for (exchange *next, *x = s->spare; x; x = next) {
        next = x->next;
        destroy(x);
    }
    s->spare = NULL;
    s->spares = 0;
}

void exchange_wake(exchange *x, flow_why why)
{
    if (x->flow) flow_wake(loop_flows(server_loop(x->s)), x->flow->self, why);
}

void exchange_finished(exchange *x, bool clean)
{
    x->g->x = NULL;
    x->g = NULL;
    if (x->streamed) {
        clean = clean && x->out.ended; /* a HEAD is answered before its stream is over */
        stream_close(x);
    }
    if (x->announced && !clean && !x->gone) {
        x->gone = true;
        exchange_wake(x, FLOW_GONE);
    }
    flow_run *r = x->flow;
    if (!r || x->released)
        recycle(x);
    else
        flow_let_go(r); /* x may be gone after this */
}

/* The connection ends when its guest is looked at next. */
static void cut(exchange *x)
{
    x->cut = true;
    guest_due(x->g);
}

void exchange_release(exchange *x)
{
    if (!x->g) {
        recycle(x);
        return;
    }
    x->released = true; /* before let_go: allowed, and recycled when the connection is done */
    if (!x->replied || (x->streamed && !x->out.ended)) cut(x);
}

/* What was asked */

loop *exchange_loop(exchange *x)
{
    return server_loop(x->s);
}
arena *exchange_arena(exchange *x)
{
    return x->memory;
}
record *exchange_record(exchange *x)
{
    return &x->facts;
}
str exchange_method(const exchange *x)
{
    return x->method;
}
str exchange_path(const exchange *x)
{
    return x->path;
}
str exchange_query(const exchange *x)
{
    return x->query;
}
str exchange_host(const exchange *x)
{
    return x->host;
}
str exchange_peer(const exchange *x)
{
    return x->peer;
}
bool exchange_secure(const exchange *x)
{
    return x->s->tls != NULL;
}
unsigned exchange_listener(const exchange *x)
{
    return x->s->index;
}
int64_t exchange_started_us(const exchange *x)
{
    return x->started_us;
}
const header *exchange_headers(const exchange *x)
{
    return x->headers;
}
str exchange_header(const exchange *x, str name)
{
    return header_get(x->headers, name);
}
bool exchange_gone(const exchange *x)
{
    return x->gone;
}
void exchange_close_after(exchange *x)
{
    x->close_after = true;
}

void exchange_attach(exchange *x, flow_run *r)
{
    x->flow = r;
}

static const err *ask_for_body(exchange *x, size_t limit)
{
    if (x->coded)
        return err_new(x->memory, ERR_UNSUPPORTED, "the request body has a Content-Encoding");
    bool declared = x->length > 0 && (uint64_t)x->length > limit;
    if (x->over || declared || x->body.n > limit)
        return err_new(x->memory, ERR_TOO_LARGE, "request body over %zu bytes", limit);
    x->asked = true;
    x->body_limit = limit;
    return NULL;
}

const err *exchange_body(exchange *x, size_t limit, bool *whole, str *body)
{
    *whole = false;
    *body = (str){0};
    const err *e = ask_for_body(x, limit);
    if (e) return e;
    *whole = x->whole;
    if (x->whole)
        *body = buf_str(&x->body);
    else if (x->g)
        guest_due(x->g);
    return NULL;
}

bool exchange_give(exchange *x, str bytes)
{
    if (bytes.n > x->body_limit - x->given) {
        x->over = true;
        return false;
    }
    x->given += bytes.n;
    x->full = !x->piece(x->piece_ctx, bytes);
    return true;
}

const err *exchange_upload(exchange *x, size_t limit, exchange_piece_fn *piece, void *ctx)
{
    const err *e = ask_for_body(x, limit);
    if (e) return e;
    x->piece = piece;
    x->piece_ctx = ctx;
    if (x->body.n) (void)exchange_give(x, buf_str(&x->body)); /* within the limit: just looked at */
    buf_free(&x->body);
    if (x->g) guest_due(x->g);
    return NULL;
}

void exchange_upload_go_on(exchange *x)
{
    if (!x->full) return;
    x->full = false;
    if (x->g) guest_due(x->g);
}

upload_state exchange_upload_state(const exchange *x)
{
    if (x->over) return UPLOAD_OVER;
    return x->whole ? UPLOAD_ENDED : UPLOAD_COMES;
}

int64_t exchange_length(const exchange *x)
{
    return x->length;
}

/* What is answered */

void exchange_add_header(exchange *x, str name, str value)
{
    size_t n = 0;
    while (x->added && x->added[n].name.p) n++;
    header *longer = NEW_N(x->memory, header, n + 2); /* few are ever added */
    for (size_t i = 0; i < n; i++) longer[i] = x->added[i];
    longer[n] = (header){arena_dup(x->memory, name), arena_dup(x->memory, value)};
    x->added = longer;
}

/* What comes of the body after the reply must be little, or known not to come. */
static bool may_keep(const exchange *x)
{
    if (x->close_after || x->s->draining || !x->persists) return false;
    if (x->streamed && x->old_http) return false; /* its end is the stream's */
    return x->whole || (exchange_takes_body(x) && !x->expects && guest_may_rest(x->g));
}

static int64_t framing(const exchange *x)
{
    if (!x->streamed) return (int64_t)x->reply_body.n;
    return x->old_http ? H1_REPLY_UNFRAMED : H1_REPLY_CHUNKED;
}

static void put_head(exchange *x, buf *to, int status, const header *headers)
{
    x->keeps = may_keep(x);
    x->bodiless = x->bodiless || status == 204 || status == 304;
    h1_reply head = {.status = status,
                     .length = framing(x),
                     .headers = headers,
                     .added = x->added,
                     .date = server_date(x->s)};
    if (!x->keeps)
        head.connection = S("close");
    else if (x->old_http)
        head.connection = S("keep-alive");
    if (!h1_reply_write(to, &head)) log_mistake(x, "a reply header was left out");
    record_number(&x->facts, FACT_STATUS, status);
    guest_due(x->g);
}

static bool may_reply(exchange *x)
{
    if (x->replied) {
        log_mistake(x, "a request was replied to twice");
        return false;
    }
    x->replied = true;
    return x->g && !x->cut;
}

void exchange_reply(exchange *x, int status, const header *headers, str body)
{
    if (!may_reply(x)) return;
    buf *head = &x->s->head;
    head->n = 0;
    x->reply_body = body;
    record_number(&x->facts, FACT_BYTES_OUT, (int64_t)body.n);
    put_head(x, head, status, headers);
    if (buf_ok(head))
        x->reply_head = arena_dup(x->memory, buf_str(head));
    else
        cut(x);
    head->over = false;
}

sink *exchange_stream(exchange *x, int status, const header *headers)
{
    bool wanted = may_reply(x);
    if (!x->streamed) stream_open(x);
    record_number(&x->facts, FACT_STREAMED, 1);
    record_number(&x->facts, FACT_BYTES_OUT, 0);
    if (wanted) put_head(x, stream_room(&x->out), status, headers);
    return &x->out.face;
}
