/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_stream.c - a streamed reply: a buffer between a source and a socket.
 *
 * The source writes whenever it has something, each time a chunk; what is there when the turn ends
 * leaves in one send. A stream that is drained holds no buffer: it lends one from its server. At
 * `stream_buffer` bytes the source is told to pause, at a quarter of that to go on. A source that
 * does not pause is cut off at four times that much: it is our mistake then, and memory must stay
 * bounded all the same.
 *
 * Ending with an error sends what is waiting, and leaves out the last chunk. */
#include "exchange_private.h"

enum { DEFAULT_BUFFER = 256 * 1024, SPARE_MOST = 64 * 1024, TIMES_OVER = 4 };

static size_t high_mark(const exchange *x)
{
    size_t n = x->s->o.limits.stream_buffer;
    return n ? n : DEFAULT_BUFFER;
}

static size_t waiting_bytes(const stream *st)
{
    return st->data.n - st->at;
}

/* Where the stream's next bytes go. */
buf *stream_room(stream *st)
{
    server *s = st->x->s;
    if (!st->data.p && s->stream_spare.p) {
        st->data = s->stream_spare;
        s->stream_spare = buf_new(NULL, SIZE_MAX);
    }
    return &st->data;
}

/* RFC 9112 7.1. A client of HTTP/1.0 gets the bytes alone. */
static void put_chunk(stream *st, str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char size[18] = "................\r\n";
    size_t at = 16;
    for (size_t n = bytes.n; n; n >>= 4) size[--at] = digits[n & 15];
    bool chunked = !st->x->old_http;
    buf *to = stream_room(st);
    if (chunked) buf_put(to, str_drop((str){size, sizeof size}, at));
    buf_put(to, bytes);
    if (chunked) buf_put(to, S("\r\n"));
}

static bool stream_write(sink *k, str bytes)
{
    stream *st = (stream *)k;
    exchange *x = st->x;
    if (!x->g || x->cut || st->ended || x->bodiless) return true; /* taken, and forgotten */
    if (st->full && waiting_bytes(st) > TIMES_OVER * high_mark(x)) {
        sink_end(k, err_new(x->memory, ERR_BUG, "a source did not pause"));
        return true;
    }
    if (bytes.n == 0) return !st->full; /* it would be the last chunk */
    if (st->at > st->data.n / 2) {
        buf_drop(&st->data, st->at);
        st->at = 0;
    }
    put_chunk(st, bytes);
    x->facts.v[FACT_BYTES_OUT].number += (int64_t)bytes.n;
    guest_due(x->g);
    if (waiting_bytes(st) >= high_mark(x)) st->full = true;
    return !st->full;
}

static void stream_end(sink *k, const err *why)
{
    stream *st = (stream *)k;
    exchange *x = st->x;
    if (st->ended) return;
    st->ended = true;
    st->failed = why != NULL;
    if (!x->g) return;
    if (!why && !x->old_http && !x->bodiless && !x->cut) buf_put(stream_room(st), S("0\r\n\r\n"));
    guest_due(x->g);
}

void stream_open(exchange *x)
{
    x->streamed = true;
    x->out.face.write = stream_write;
    x->out.face.end = stream_end;
    x->out.x = x;
    x->out.data = buf_new(NULL, SIZE_MAX);
}

static void enlist(exchange *x)
{
    stream *st = &x->out;
    st->full = false;
    if (st->relieved) return;
    st->relieved = true;
    x->next = x->s->relieved;
    x->s->relieved = x;
}

void stream_forget(exchange *x)
{
    if (!x->out.relieved) return;
    exchange **at = &x->s->relieved;
    while (*at && *at != x) at = &(*at)->next;
    if (*at) *at = x->next;
    x->out.relieved = false;
}

/* A flow that outlives its client must not wait for it: its source goes on, into nothing. */
void stream_close(exchange *x)
{
    buf_free(&x->out.data);
    x->out.at = 0;
    if (x->out.full) enlist(x);
}

/* The source is told later: it may write at once, and must not do so inside a read. */
static void relieve(exchange *x)
{
    if (x->out.full && waiting_bytes(&x->out) <= high_mark(x) / 4) enlist(x);
}

void stream_relieve(server *s)
{
    for (exchange *x; (x = s->relieved);) {
        s->relieved = x->next;
        x->out.relieved = false;
        if (x->out.face.drained)
            x->out.face.drained(x->out.face.source);
        else
            exchange_wake(x, FLOW_WOKEN);
    }
}

static void sent(stream *st, size_t n)
{
    st->at += n;
    if (st->at < st->data.n) return;
    st->data.n = st->at = 0;
    buf *spare = &st->x->s->stream_spare;
    if (!spare->p && st->data.cap <= SPARE_MOST) {
        *spare = st->data;
        st->data = buf_new(NULL, SIZE_MAX);
    } else {
        buf_free(&st->data);
    }
}

bool stream_flush(exchange *x)
{
    stream *st = &x->out;
    size_t n = 1;
    while (waiting_bytes(st) && n) {
        n = guest_send(x->g, str_drop(buf_str(&st->data), st->at), (str){0});
        sent(st, n);
    }
    relieve(x);
    return waiting_bytes(st) == 0;
}
