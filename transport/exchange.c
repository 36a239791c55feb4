/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - the products' side of a request.
 *
 * Nothing here calls into libmicrohttpd's state machine: a reply is prepared and noted, a
 * suspended connection is resumed, and front_handle() acts on it in the next run. So a product
 * may call from any place, also from inside front_handle() itself, where flows run first.
 *
 * Exchanges and their arenas are kept and used again; an arena's first block is enough for most
 * requests, so a request costs no malloc of ours but what libmicrohttpd's response takes. */
#include "exchange.h"
#include "../base/clock.h"
#include "exchange_private.h"
#include <stdlib.h>

/* ARENA: what a stream needs, which holds all of it for as long as it is open. */
enum { SPARES = 256, PATIENCE_MS = 2000, ARENA = 3584 };

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

void exchange_spun(exchange *x)
{
    if (x->spinning) x->s->spinning--;
    x->spinning = false;
}

void exchange_finished(exchange *x, bool clean)
{
    x->c->x = NULL;
    x->c = NULL;
    exchange_spun(x);
    loop_timer_stop(server_loop(x->s), &x->patience);
    loop_timer_stop(server_loop(x->s), &x->doubt);
    if (x->response) MHD_destroy_response(x->response);
    x->response = NULL;
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

void exchange_resume(exchange *x)
{
    x->s->must_run = true;
    if (!x->suspended) return;
    x->suspended = false;
    MHD_resume_connection(x->c->mc);
}

/* The connection ends at libmicrohttpd's next look at it. */
static void cut(exchange *x)
{
    x->cut = true;
    exchange_resume(x);
}

void exchange_lost(exchange *x)
{
    bool told = x->gone;
    x->gone = true;
    if (!told) exchange_wake(x, FLOW_GONE);
    cut(x);
}

void exchange_release(exchange *x)
{
    if (!x->c) {
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
    else if (x->held)
        exchange_resume(x);
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
    if (x->held) exchange_resume(x);
    return NULL;
}

void exchange_upload_go_on(exchange *x)
{
    if (!x->full) return;
    x->full = false;
    exchange_resume(x);
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

/* False when a name or value could end the line it stands in. */
static bool add_header(exchange *x, header h)
{
    if ((h.name.n && memchr(h.name.p, 0, h.name.n)) ||
        (h.value.n && memchr(h.value.p, 0, h.value.n)))
        return false;
    if (!h.value.n) return true; /* libmicrohttpd knows no empty value */
    return MHD_add_response_header(x->response, arena_dup(x->memory, h.name).p,
                                   arena_dup(x->memory, h.value).p) == MHD_YES;
}

static bool is_ours(str name)
{
    return header_name_is(name, S("content-length")) ||
           header_name_is(name, S("transfer-encoding")) || header_name_is(name, S("connection")) ||
           header_name_is(name, S("date"));
}

static void add_headers(exchange *x, const header *headers)
{
    for (; headers && headers->name.p; headers++) {
        if (is_ours(headers->name)) continue;
        if (!add_header(x, *headers)) log_mistake(x, "a reply header was left out");
    }
}

void exchange_add_header(exchange *x, str name, str value)
{
    size_t n = 0;
    while (x->added && x->added[n].name.p) n++;
    header *longer = NEW_N(x->memory, header, n + 2); /* few are ever added */
    for (size_t i = 0; i < n; i++) longer[i] = x->added[i];
    longer[n] = (header){arena_dup(x->memory, name), arena_dup(x->memory, value)};
    x->added = longer;
}

static void prepare(exchange *x, int status, const header *headers)
{
    x->status = status;
    record_number(&x->facts, FACT_STATUS, status);
    if (!x->response) {
        cut(x);
        return;
    }
    add_headers(x, headers);
    add_headers(x, x->added);
    if (x->close_after || x->s->draining) add_header(x, (header){S("Connection"), S("close")});
    exchange_resume(x);
}

/* A reply in the middle of an upload waits for the rest of it, but not for ever. */
static void lose_patience(void *ctx)
{
    exchange *x = ctx;
    if (x->queued || x->cut) return;
    x->c->unread = true;
    if (!x->streamed) conn_send_raw(x->c, x->status, x->response, x->reply_body);
    cut(x);
    conn_stop_reading(x->c);
}

static bool may_reply(exchange *x)
{
    if (x->replied) {
        log_mistake(x, "a request was replied to twice");
        return false;
    }
    x->replied = true;
    if (!x->c || x->cut) return false;
    if (!x->whole) loop_timer_start(server_loop(x->s), &x->patience, PATIENCE_MS, lose_patience, x);
    return true;
}

void exchange_reply(exchange *x, int status, const header *headers, str body)
{
    if (!may_reply(x)) return;
    union {
        const char *ours;
        void *theirs;
    } view = {.ours = body.n ? body.p : ""};
    x->reply_body = body;
    record_number(&x->facts, FACT_BYTES_OUT, (int64_t)body.n);
    x->response = MHD_create_response_from_buffer(body.n, view.theirs, MHD_RESPMEM_PERSISTENT);
    prepare(x, status, headers);
}

sink *exchange_stream(exchange *x, int status, const header *headers)
{
    bool wanted = may_reply(x);
    if (!x->streamed) stream_open(x);
    record_number(&x->facts, FACT_STREAMED, 1);
    record_number(&x->facts, FACT_BYTES_OUT, 0);
    if (!wanted) return &x->out.face;
    x->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, stream_read, x, NULL);
    prepare(x, status, headers);
    return &x->out.face;
}
