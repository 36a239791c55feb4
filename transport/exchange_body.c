/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_body.c - a request comes in: handed to the product, then its body.
 *
 * A body that is long, chunked or behind "Expect: 100-continue" is left in the socket until the
 * product asked for it (then its declared length is known to fit) or replied. What comes after the
 * reply, or over the limit, is counted and dropped.
 *
 * Flows run right here: a request that needs no waiting is answered in the run that read it. */
#include "exchange_private.h"

enum {
    HOLD = 64 * 1024,      /* longest body that is read before anybody asked for it */
    SMALL_BODY = 16 * 1024 /* up to here in the arena, at once */
};

static void run_flows(const exchange *x)
{
    flow_queue_run(loop_flows(server_loop(x->s)));
}

static void refuse(exchange *x, refusal r)
{
    static const header json[] = {{{"Content-Type", 12}, {"application/json", 16}}, {{0}, {0}}};
    x->g->owing = true; /* whatever it may be */
    x->close_after = true;
    exchange_reply(x, r.status, json, r.body);
}

void exchange_begin(exchange *x, str head, size_t lines)
{
    server *s = x->s;
    refusal r = exchange_read_head(x, arena_dup(x->memory, head), lines);
    if (r.status) {
        x->persists = false;
        refuse(x, r);
        return;
    }
    guest_owes_body(x->g, x->length);
    x->peer = arena_dup(x->memory, (str){x->g->peer, strlen(x->g->peer)});
    x->whole = x->length == 0;
    if (x->whole) x->g->stage = GUEST_ANSWER;
    x->announced = true;
    s->exchanges++;
    s->o.on_exchange(x, s->o.ctx);
    run_flows(x);
}

bool exchange_takes_body(const exchange *x)
{
    if (x->sated || (x->full && !x->replied && !x->over)) return false;
    return x->asked || (x->length > 0 && x->length <= HOLD && !x->expects);
}

static void swallow(exchange *x, size_t n)
{
    x->sated = !guest_swallow(x->g, n);
}

static void take_piece(exchange *x, str bytes)
{
    bool taken = exchange_give(x, bytes);
    if (!taken) {
        exchange_wake(x, FLOW_WOKEN);
        swallow(x, bytes.n);
    }
    run_flows(x);
}

static bool collect(exchange *x, str bytes)
{
    if (!x->body.limit) {
        bool small = x->length > 0 && x->length <= SMALL_BODY;
        x->body = buf_new(small ? x->memory : NULL, SIZE_MAX);
        if (small) buf_need(&x->body, (size_t)x->length);
    }
    size_t limit = x->asked ? x->body_limit : HOLD;
    return x->body.n <= limit && bytes.n <= limit - x->body.n && buf_put(&x->body, bytes);
}

void exchange_take_body(exchange *x, str bytes)
{
    if (x->replied || x->over) {
        swallow(x, bytes.n);
    } else if (x->piece) {
        take_piece(x, bytes);
    } else if (!collect(x, bytes)) {
        x->over = true;
        buf_free(&x->body);
        swallow(x, bytes.n);
        exchange_wake(x, FLOW_WOKEN);
        run_flows(x);
    }
}

void exchange_end_body(exchange *x)
{
    x->whole = true;
    record_number(&x->facts, FACT_BYTES_IN, (int64_t)(x->piece ? x->given : x->body.n));
    if (!x->asked || x->replied) return;
    exchange_wake(x, FLOW_WOKEN);
    run_flows(x);
}
