/* SPDX-License-Identifier: Apache-2.0 */
/* client_h1.c - the life of a call over HTTP/1.1.
 *
 * A call takes a kept connection or opens one, sends its head and body with one writev, and reads
 * the answer into the worker's one buffer; on a kept connection that is two system calls. Small
 * things are views: the head into the reader's own copy, data into the read buffer. What a turn's
 * calls send on kept connections leaves together when it ends: the way through the kernel is walked
 * while it is warm, and a peer that the first request wakes finds the others already there.
 *
 * Edge-triggered: bytes that are not read now are not announced again. So whoever stops early
 * (a pause, too many reads in one turn) leaves a `kick`, a timer that is due at once, to go on.
 * The kick also carries what may not happen inside call_start() or call_resume(): events.
 *
 * An event may end its call, and with it the connection, so after each the loop here looks at
 * the connection (which conn_enter() keeps) before it touches the call again.
 *
 * Retry: a server may close a kept connection while our request crosses the wire. If no byte of
 * an answer came, the call is tried once more on a fresh connection, never on another kept one,
 * which may be as dead. */
#include "client_pool.h"
#include "h1_request.h"
#include <assert.h>
#include <stdlib.h>

enum { READS_MOST = 16, HEAD_LIMIT = 64 * 1024 };

typedef enum { CALL_OPENING, CALL_WAITING, CALL_BODY, CALL_OVER } call_stage;

struct call {
    client *c;
    pool *home;
    conn *on; /* NULL: none yet, or no more */
    call_stage stage;
    call_request rq;
    const void *type;
    handle owner;
    const call_events *ev;
    call_head head;
    const err *doom; /* to be told by the next kick */
    bool paused, retried, wants, unsent;
    uint64_t upload_left;
    int64_t connect_by_ms, heard_ms;
    loop_timer timer, kick;
    struct call *prev, *next;
};

static void on_late(void *ctx);
static void on_kick(void *ctx);

/* Small helpers */

static void *owner_of(const call *k)
{
    return handle_get(loop_handles(k->c->l), k->type, k->owner);
}

static void kick(call *k)
{
    loop_timer_start(k->c->l, &k->kick, 0, on_kick, k);
}

static void wait_for(call *k, int64_t ms)
{
    if (ms > 0)
        loop_timer_start(k->c->l, &k->timer, ms, on_late, k);
    else
        loop_timer_stop(k->c->l, &k->timer);
}

static const err *trouble(const call *k, err_kind kind, const char *why)
{
    return client_error(k->c, kind, origin_authority(k->home->to), why);
}

static call *call_new(client *c, const call_request *rq)
{
    call *k = calloc(1, sizeof *k);
    if (!k) abort();
    *k = (call){.c = c, .home = pool_of(c, rq->to), .rq = *rq, .next = c->calls};
    if (k->next) k->next->prev = k;
    c->calls = k;
    k->home->calls++;
    return k;
}

bool call_unsent(const call *k)
{
    if (k->on && k->on->due) return true;
    return k->stage == CALL_OPENING ? !k->retried : k->unsent;
}

/* The call is over and has no connection; its memory goes with call_free(). */
static void call_leave(call *k)
{
    loop_timer_stop(k->c->l, &k->timer);
    loop_timer_stop(k->c->l, &k->kick);
    if (k->on) k->on->call = NULL;
    k->on = NULL;
    k->unsent = call_unsent(k);
    k->stage = CALL_OVER;
}

static void call_free(call *k)
{
    if (k->prev)
        k->prev->next = k->next;
    else
        k->c->calls = k->next;
    if (k->next) k->next->prev = k->prev;
    k->home->calls--;
    free(k);
}

void call_cancel(call *k)
{
    if (k->stage == CALL_OVER) return; /* from inside its own end */
    conn *n = k->on;
    call_leave(k);
    if (n) conn_close(n);
    call_free(k);
}

static void tell_end(call *k, const err *why)
{
    void *owner = owner_of(k);
    if (owner) k->ev->end(owner, why);
    call_free(k);
}

/* The head's views live until `end` has returned, so the connection is entered meanwhile. */
static void fail_with(call *k, const err *why)
{
    conn *n = k->on;
    call_leave(k);
    if (!n) {
        tell_end(k, why);
        return;
    }
    conn_enter(n);
    conn_close(n);
    tell_end(k, why);
    conn_leave(n);
}

static void fail_call(call *k, err_kind kind, const char *why)
{
    fail_with(k, trouble(k, kind, why));
}

/* Not now: we may be inside call_start(). */
static void fail_later(call *k, err_kind kind, const char *why)
{
    k->doom = trouble(k, kind, why);
    kick(k);
}

/* Sending */

static bool all_sent(const conn *n)
{
    return n->part == CONN_PARTS;
}

static int unsent(const conn *n, struct iovec v[CONN_PARTS])
{
    int count = 0;
    for (unsigned i = n->part; i < CONN_PARTS; i++) {
        if (n->parts[i].n == 0) continue;
        union { /* writev wants a pointer to what it will not change */
            const char *in;
            void *out;
        } p = {.in = n->parts[i].p};
        v[count++] = (struct iovec){p.out, n->parts[i].n};
    }
    return count;
}

static void sent(conn *n, size_t bytes)
{
    while (n->part < CONN_PARTS && bytes >= n->parts[n->part].n) {
        bytes -= n->parts[n->part].n;
        n->part++;
    }
    if (n->part < CONN_PARTS) n->parts[n->part] = str_drop(n->parts[n->part], bytes);
}

/* False: the peer takes no more. */
static bool send_more(conn *n)
{
    struct iovec v[CONN_PARTS];
    while (!all_sent(n)) {
        ssize_t wrote = wire_write(&n->wire, v, unsent(n, v));
        if (wrote == WIRE_AGAIN) return true;
        if (wrote < 0) return false;
        sent(n, (size_t)wrote);
    }
    return true;
}

/* Copies the parts up to `end` that are not sent: what they are views of will go. */
static void keep_unsent(conn *n, unsigned end)
{
    if (n->part >= end) return;
    buf copy = buf_new(NULL, SIZE_MAX);
    for (unsigned i = n->part; i < end; i++) {
        (void)buf_put(&copy, n->parts[i]);
        n->parts[i] = (str){0};
    }
    buf_free(&n->out);
    n->out = copy;
    n->parts[n->part] = buf_str(&n->out);
}

/* The head is built in the worker's scratch; the caller has checked it before. */
static bool build_head(const call *k)
{
    const call_request *rq = &k->rq;
    h1_request head = {.method = rq->method,
                       .target = rq->target,
                       .authority = origin_authority(rq->to),
                       .headers = rq->headers,
                       .body_n = rq->body[0].n + rq->body[1].n + rq->body[2].n + rq->upload};
    k->c->head.n = 0;
    k->c->head.over = false;
    return h1_request_write(&k->c->head, &head);
}

/* k's request, whose head has just been built, is what k's connection sends next. */
static void lay_out(call *k)
{
    conn *n = k->on;
    const call_request *rq = &k->rq;
    n->out.n = 0;
    (void)buf_put(&n->out, buf_str(&k->c->head));
    n->parts[0] = buf_str(&n->out);
    for (unsigned i = 0; i < 3; i++) n->parts[i + 1] = rq->body[i];
    n->part = 0;
    n->answered = false;
    k->stage = CALL_WAITING;
    h1_begin(&n->reply, str_eq(rq->method, S("HEAD")),
             rq->head_limit ? rq->head_limit : HEAD_LIMIT);
    wait_for(k, rq->answer_ms);
}

/* Opening */

/* Each address gets its share of what is left of the time to connect. */
static void wait_for_connect(call *k)
{
    if (k->rq.connect_ms <= 0) return;
    int64_t left = k->connect_by_ms - loop_now_ms(k->c->l);
    unsigned addresses = wire_addresses_left(&k->on->wire);
    if (addresses > 1) left /= addresses;
    wait_for(k, left > 0 ? left : 1);
}

static void open_fresh(call *k)
{
    conn *n = conn_new(k->c, k->home);
    n->call = k;
    k->on = n;
    k->stage = CALL_OPENING;
    k->connect_by_ms = loop_now_ms(k->c->l) + k->rq.connect_ms;
    wire_open(&n->wire, k->c->l, k->home->to, k->home->first_address);
    if (n->wire.state == WIRE_FAILED)
        fail_later(k, ERR_UPSTREAM, n->wire.why);
    else
        wait_for_connect(k);
}

static bool may_retry(const call *k)
{
    const conn *n = k->on;
    return k->stage == CALL_WAITING && n->reused && !n->answered && !k->retried && !k->rq.no_retry;
}

static void retry(call *k)
{
    conn *n = k->on;
    k->retried = true;
    n->call = NULL;
    k->on = NULL;
    conn_close(n);
    loop_timer_stop(k->c->l, &k->timer);
    open_fresh(k);
}

static void begin(call *k)
{
    if (!build_head(k)) {
        fail_later(k, ERR_BUG, "a request that must not be sent: a byte in its head, or too long");
        return;
    }
    k->upload_left = k->rq.upload;
    conn *n = k->rq.upload ? NULL : pool_take(k->home, loop_now_ms(k->c->l));
    if (!n) {
        open_fresh(k);
        return;
    }
    n->reused = true;
    n->call = k;
    k->on = n;
    lay_out(k);
    conn_due(n);
}

static void send_due(conn *n)
{
    call *k = n->call;
    if (send_more(n)) return;
    if (may_retry(k))
        retry(k);
    else
        fail_call(k, ERR_UPSTREAM, n->wire.why);
}

int64_t client_turn(void *ctx)
{
    client *c = ctx;
    while (c->due) {
        conn *n = c->due;
        conn_take_due(n);
        conn_enter(n);
        send_due(n);
        conn_leave(n);
    }
    return -1;
}

call *call_start(client *c, const call_request *rq, const void *type, handle owner,
                 const call_events *ev)
{
    call *k = call_new(c, rq);
    k->type = type;
    k->owner = owner;
    k->ev = ev;
    begin(k);
    return k;
}

/* Receiving */

static void tell_head(conn *n, call *k)
{
    k->stage = CALL_BODY;
    k->head = (call_head){n->reply.status, n->reply.headers, n->reply.length};
    wait_for(k, k->rq.idle_ms);
    keep_unsent(n, CONN_PARTS); /* the request's views may go from here on */
    void *owner = owner_of(k);
    if (owner)
        k->ev->head(owner, &k->head);
    else
        call_cancel(k);
}

static void tell_data(call *k, str piece)
{
    void *owner = owner_of(k);
    if (owner)
        k->ev->data(owner, piece);
    else
        call_cancel(k);
}

/* The message is whole. The connection goes back first, so that `end` can start a call on it. */
static void finish(conn *n, call *k, bool in_step)
{
    bool keep = in_step && n->reply.keep && all_sent(n) && k->upload_left == 0 && !n->send_broken &&
                !n->wire.hung_up;
    call_leave(k);
    if (keep)
        conn_keep(n);
    else
        conn_close(n);
    tell_end(k, NULL);
}

static void conn_feed(conn *n, str in)
{
    call *k = n->call;
    while (!n->dead && n->call == k) {
        str piece = {0};
        if (k->paused) {
            n->holding = true;
            if (in.n) (void)buf_put(&n->held, in);
            return;
        }
        switch (h1_next(&n->reply, &in, &piece)) {
        case H1_MORE: return;
        case H1_HEAD: tell_head(n, k); break;
        case H1_DATA: tell_data(k, piece); break;
        case H1_DONE: finish(n, k, in.n == 0); return;
        case H1_BAD: fail_call(k, ERR_UPSTREAM, n->reply.why); return;
        }
    }
}

/* The peer has closed (WIRE_END) or the connection broke. */
static void conn_ended(conn *n, ssize_t how)
{
    call *k = n->call;
    if (may_retry(k))
        retry(k);
    else if (how == WIRE_END && h1_eof(&n->reply))
        finish(n, k, false);
    else
        fail_call(k, ERR_UPSTREAM, how == WIRE_END ? n->reply.why : n->wire.why);
}

/* What a pause held back comes before what is still in the socket; there may be nothing but the
 * end of the message left to tell. */
static void feed_held(conn *n)
{
    buf held = n->held;
    n->held = buf_new(NULL, READ_SIZE);
    n->holding = false;
    conn_feed(n, buf_str(&held));
    buf_free(&held);
}

static void conn_read(conn *n)
{
    client *c = n->owner;
    if (n->holding && n->call && !n->call->paused) feed_held(n);
    for (int i = 0; i < READS_MOST; i++) {
        if (n->dead || !n->call || n->call->paused) return;
        ssize_t got = wire_read(&n->wire, c->in, READ_SIZE);
        if (got == WIRE_AGAIN) return;
        if (got <= 0) {
            conn_ended(n, got);
            return;
        }
        n->answered = true;
        n->call->heard_ms = loop_now_ms(c->l);
        conn_feed(n, (str){c->in, (size_t)got});
        if (got < READ_SIZE && wire_short_is_drained(&n->wire)) return;
    }
    if (!n->dead && n->call) kick(n->call);
}

/* Uploading */

/* As long as it is the owner's turn nothing is late. */
static void want_more(conn *n, call *k)
{
    if (!all_sent(n) || n->send_broken || !k->upload_left || k->wants) return;
    k->wants = true;
    if (k->stage == CALL_WAITING) wait_for(k, 0);
    void *owner = owner_of(k);
    if (owner)
        k->rq.wants(owner);
    else
        fail_later(k, ERR_CANCELLED, "nobody gives the rest");
}

bool call_upload(call *k, str bytes)
{
    conn *n = k->on;
    assert(k->wants && n && bytes.n <= k->upload_left);
    k->upload_left -= bytes.n;
    n->parts[CONN_PARTS - 1] = bytes;
    n->part = CONN_PARTS - 1;
    n->send_broken = !send_more(n); /* what became of it is read where the answer is */
    keep_unsent(n, CONN_PARTS);
    k->wants = all_sent(n) && k->upload_left && !n->send_broken;
    if (k->stage == CALL_WAITING) wait_for(k, k->wants ? 0 : k->rq.answer_ms);
    return k->wants;
}

/* Events */

static void opened(conn *n, call *k)
{
    n->home->first_address = wire_address(&n->wire);
    if (!build_head(k)) {
        fail_call(k, ERR_BUG, "the request changed while its connection was opened");
        return;
    }
    lay_out(k);
    n->send_broken = !send_more(n);
    want_more(n, k);
    conn_read(n); /* what came with the handshake is not announced again */
}

static void opening(conn *n, uint32_t events)
{
    call *k = n->call;
    unsigned before = wire_addresses_left(&n->wire);
    wire_advance(&n->wire, events);
    if (n->wire.state == WIRE_FAILED) {
        fail_call(k, ERR_UPSTREAM, n->wire.why);
    } else if (n->wire.state == WIRE_OPEN) {
        opened(n, k);
    } else if (wire_addresses_left(&n->wire) != before) {
        wait_for_connect(k);
    }
}

static void carrying(conn *n, uint32_t events)
{
    wire_advance(&n->wire, events);
    if (events & EPOLLOUT && !n->send_broken && !n->due) n->send_broken = !send_more(n);
    want_more(n, n->call);
    if (n->wire.ssl || events & ~(uint32_t)EPOLLOUT) conn_read(n);
}

static void idling(conn *n, uint32_t events)
{
    wire_advance(&n->wire, events);
    if (events & ~(uint32_t)EPOLLOUT && !wire_is_quiet(&n->wire)) conn_close(n);
}

void client_on_event(void *ctx, uint32_t events)
{
    conn *n = ctx;
    conn_enter(n);
    if (!n->call)
        idling(n, events);
    else if (n->wire.state != WIRE_OPEN)
        opening(n, events);
    else
        carrying(n, events);
    conn_leave(n);
}

static void on_kick(void *ctx)
{
    call *k = ctx;
    if (k->doom) {
        fail_with(k, k->doom);
        return;
    }
    conn *n = k->on;
    if (!n || n->wire.state != WIRE_OPEN || k->paused) return;
    conn_enter(n);
    conn_read(n);
    conn_leave(n);
}

static void late_opening(call *k)
{
    wire_too_slow(&k->on->wire);
    if (k->on->wire.state == WIRE_FAILED)
        fail_call(k, ERR_TIMEOUT, k->on->wire.why);
    else
        wait_for_connect(k);
}

/* The timer is not moved at each read: it looks, when it is due, how long it has been quiet. */
static void late_body(call *k)
{
    int64_t now = loop_now_ms(k->c->l);
    int64_t quiet = k->paused ? 0 : now - k->heard_ms;
    if (quiet < k->rq.idle_ms)
        wait_for(k, k->rq.idle_ms - quiet);
    else
        fail_call(k, ERR_TIMEOUT, "the answer stopped coming");
}

static void on_late(void *ctx)
{
    call *k = ctx;
    switch (k->stage) {
    case CALL_OPENING: late_opening(k); break;
    case CALL_WAITING: fail_call(k, ERR_TIMEOUT, "no answer in time"); break;
    case CALL_BODY: late_body(k); break;
    case CALL_OVER: break;
    }
}

void call_pause(call *k)
{
    k->paused = true;
}

void call_resume(call *k)
{
    if (!k->paused) return;
    k->paused = false;
    k->heard_ms = loop_now_ms(k->c->l);
    if (k->stage != CALL_OVER) kick(k);
}

str call_head_get(const call_head *h, str name)
{
    return header_get(h->headers, name);
}
