/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_front.c - libmicrohttpd's callbacks: how a request becomes an exchange and ends.
 *
 * libmicrohttpd (0.9.75) takes a response at two moments only: when the head is whole, and when
 * the body is. At the first it closes the connection afterwards, so that is for refusals. A
 * body that is long, chunked or behind "Expect: 100-continue" is therefore held: the connection
 * is suspended before the first byte of it is read, until the product asked for it (then its
 * declared length is known to fit) or refused it. A reply in the middle of a body swallows the
 * rest of it, within bounds; beyond them the answer is written past libmicrohttpd and the
 * connection closed.
 *
 * Flows run right here, inside the callback: a request that needs no waiting is answered in the
 * run that read it, with one recv and one send. One that waits is first only left alone (each
 * run asks again), and suspended when it is still waiting a few runs later: suspending costs
 * two epoll_ctl and a failed recv, as much as a few empty runs (measured). */
#include "../base/clock.h"
#include "exchange_private.h"
#include <string.h>

enum {
    SPINS = 6,              /* runs before a waiting connection is suspended */
    HOLD = 64 * 1024,       /* longest body that is read before anybody asked for it */
    SMALL_BODY = 16 * 1024, /* up to here in the arena, at once */
    SWALLOW = 256 * 1024    /* most that is read of a body nobody wants */
};

void *front_target(void *cls, const char *uri, struct MHD_Connection *mc)
{
    server *s = cls;
    conn *c = conn_of(mc);
    exchange *x = exchange_take(s);
    x->c = c;
    c->x = x;
    x->target_at = uri;
    x->target = arena_dup(x->memory, (str){uri, uri ? strlen(uri) : 0});
    return x;
}

static void suspend(exchange *x)
{
    exchange_spun(x);
    x->suspended = true;
    MHD_suspend_connection(x->c->mc);
}

static enum MHD_Result queue(exchange *x)
{
    exchange_spun(x);
    if (!x->response) return MHD_NO;
    x->queued = true;
    x->s->progress = true;
    enum MHD_Result rc = MHD_queue_response(x->c->mc, (unsigned)x->status, x->response);
    MHD_destroy_response(x->response);
    x->response = NULL;
    return rc;
}

/* Before the body was read: libmicrohttpd closes after it. */
static enum MHD_Result queue_early(exchange *x)
{
    x->c->unread = x->length != 0;
    return queue(x);
}

static enum MHD_Result refuse(exchange *x, refusal r)
{
    static const header json[] = {{{"Content-Type", 12}, {"application/json", 16}}, {{0}, {0}}};
    x->close_after = true;
    x->c->unread = true;
    exchange_reply(x, r.status, json, r.body);
    return queue(x);
}

/* With the head known and the body not begun: read on, answer, or hold. */
static enum MHD_Result begin_body(exchange *x)
{
    x->held = false;
    if (x->cut) return MHD_NO;
    if (x->whole) return MHD_YES; /* none: libmicrohttpd comes again at once */
    if (x->replied) {
        bool short_enough = x->length > 0 && x->length <= HOLD && !x->expects && !x->close_after;
        return short_enough ? MHD_YES : queue_early(x);
    }
    if (x->asked || (x->length > 0 && x->length <= HOLD && !x->expects)) return MHD_YES;
    if (x->c->gone) {
        exchange_lost(x);
        return MHD_NO;
    }
    x->held = true;
    suspend(x);
    return MHD_YES;
}

static enum MHD_Result begin(exchange *x, const char *method, const char *version)
{
    server *s = x->s;
    conn_wait(x->c, NULL);
    refusal r = exchange_read_head(x, method, version);
    if (r.status) return refuse(x, r);
    x->peer = arena_dup(x->memory, (str){x->c->peer, strlen(x->c->peer)});
    x->whole = x->length == 0;
    x->announced = true;
    s->exchanges++;
    s->o.on_exchange(x, s->o.ctx);
    flow_queue_run(loop_flows(server_loop(s)));
    if (x->c->gone && !x->whole) conn_doubt(x->c);
    return begin_body(x);
}

static enum MHD_Result cut_off(exchange *x)
{
    if (x->replied && !x->streamed && x->response) {
        conn_send_raw(x->c, x->status, x->response, x->reply_body);
    }
    x->c->unread = true;
    x->cut = true;
    return MHD_NO;
}

static enum MHD_Result swallow(exchange *x, size_t n)
{
    if (n > SWALLOW - x->swallowed) return cut_off(x);
    x->swallowed += n;
    return MHD_YES;
}

/* The client is kept waiting while nobody wants more of its upload. */
static enum MHD_Result take_piece(exchange *x, str bytes)
{
    bool taken = exchange_give(x, bytes);
    if (!taken) exchange_wake(x, FLOW_WOKEN);
    flow_queue_run(loop_flows(server_loop(x->s)));
    if (!taken) return swallow(x, bytes.n);
    if (x->full && !x->replied && !x->suspended) suspend(x);
    return MHD_YES;
}

static enum MHD_Result take_body(exchange *x, str bytes)
{
    if (x->replied || x->over) return swallow(x, bytes.n);
    if (x->piece) return take_piece(x, bytes);
    if (!x->body.limit) {
        bool small = x->length > 0 && x->length <= SMALL_BODY;
        x->body = buf_new(small ? x->memory : NULL, SIZE_MAX);
        if (small) buf_need(&x->body, (size_t)x->length);
    }
    size_t limit = x->asked ? x->body_limit : HOLD;
    if (x->body.n <= limit && bytes.n <= limit - x->body.n) {
        buf_put(&x->body, bytes);
        return MHD_YES;
    }
    x->over = true;
    buf_free(&x->body);
    exchange_wake(x, FLOW_WOKEN);
    flow_queue_run(loop_flows(server_loop(x->s)));
    return swallow(x, bytes.n);
}

/* The body has come, or there is none. */
static void end_body(exchange *x)
{
    x->whole = true;
    x->s->progress = true;
    record_number(&x->facts, FACT_BYTES_IN, (int64_t)(x->piece ? x->given : x->body.n));
    loop_timer_stop(server_loop(x->s), &x->patience);
    if (!x->asked || x->replied) return;
    exchange_wake(x, FLOW_WOKEN);
    flow_queue_run(loop_flows(server_loop(x->s)));
}

/* A flow that ended without a reply would leave its client waiting for ever. */
static void own_up(exchange *x)
{
    log_fact facts[] = {{"path", x->path}, {0}};
    if (x->s->o.log) log_say(x->s->o.log, LOG_ERROR_LEVEL, "a request was not replied to", facts);
    exchange_reply(x, 500, NULL, S(""));
}

static enum MHD_Result answer(exchange *x)
{
    if (!x->whole) end_body(x);
    if (x->cut) return MHD_NO;
    if (x->flow && x->flow->over && !x->replied) own_up(x);
    if (x->replied) return queue(x);
    if (x->c->gone) {
        exchange_lost(x);
        return MHD_NO;
    }
    if (++x->spins > SPINS) {
        suspend(x);
        return MHD_YES;
    }
    if (!x->spinning) x->s->spinning++;
    x->spinning = true;
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
enum MHD_Result front_handle(void *cls, struct MHD_Connection *mc, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **at)
{
    exchange *x = *at;
    (void)cls, (void)mc, (void)url;
    if (!x || x->cut) return MHD_NO;
    if (!x->announced) {
        x->s->progress = true;
        return begin(x, method, version);
    }
    if (x->held) return begin_body(x);
    if (!*size) return answer(x);
    str bytes = {data, *size};
    *size = 0;
    x->s->progress = true;
    return take_body(x, bytes);
}

void front_completed(void *cls, struct MHD_Connection *mc, void **at,
                     enum MHD_RequestTerminationCode how)
{
    exchange *x = *at;
    (void)mc;
    *at = NULL;
    if (!x) return;
    server *s = cls;
    conn *c = x->c;
    bool clean = how == MHD_REQUEST_TERMINATED_COMPLETED_OK && x->queued && !x->cut;
    exchange_finished(x, clean);
    conn_wait(c, &s->kept);
}
