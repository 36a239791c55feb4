/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_stream.c - a streamed reply: a buffer between a source and a socket.
 *
 * The source writes whenever it has something; libmicrohttpd reads when the socket takes it, one
 * chunk a run. An empty stream is suspended, so an idle one costs nothing but its memory, and
 * the buffer of an empty one is given back. At `stream_buffer` bytes the source is told to
 * pause, at a quarter of that to go on. A source that does not pause is cut off at four times
 * that much: it is our mistake then, and memory must stay bounded all the same.
 *
 * Ending with an error sends what is waiting, and leaves out the last chunk. A client of HTTP/1.0
 * gets no chunks and would take the close for the end, so its connection is reset instead. */
#include "exchange_private.h"
#include <sys/socket.h>

enum { DEFAULT_BUFFER = 256 * 1024, KEPT_BUFFER = 2048, TIMES_OVER = 4 };

static size_t high_mark(const exchange *x)
{
    size_t n = x->s->o.limits.stream_buffer;
    return n ? n : DEFAULT_BUFFER;
}

static size_t waiting_bytes(const stream *st)
{
    return st->data.n - st->at;
}

static bool stream_write(sink *k, str bytes)
{
    stream *st = (stream *)k;
    exchange *x = st->x;
    if (!x->c || x->cut || st->ended) return true; /* nobody reads: taken, and forgotten */
    if (st->full && waiting_bytes(st) > TIMES_OVER * high_mark(x)) {
        sink_end(k, err_new(x->memory, ERR_BUG, "a source did not pause"));
        return true;
    }
    if (st->at > st->data.n / 2) {
        buf_drop(&st->data, st->at);
        st->at = 0;
    }
    buf_put(&st->data, bytes);
    x->facts.v[FACT_BYTES_OUT].number += (int64_t)bytes.n;
    if (x->suspended || x->spinning) exchange_resume(x);
    if (waiting_bytes(st) >= high_mark(x)) st->full = true;
    return !st->full;
}

static void stream_end(sink *k, const err *why)
{
    stream *st = (stream *)k;
    if (st->ended) return;
    st->ended = true;
    st->failed = why != NULL;
    if (st->x->c) exchange_resume(st->x);
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

/* A reset, before libmicrohttpd can close politely (Linux: connecting to nowhere). */
static void reset_connection(const exchange *x)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    (void)connect(x->c->fd, &nowhere, sizeof nowhere);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through `out` */
static void give(stream *st, char *to, size_t n)
{
    buf out = {.p = to, .cap = n, .limit = n};
    buf_put(&out, (str){st->data.p + st->at, n});
    st->at += n;
    if (st->at < st->data.n) return;
    if (st->data.cap > KEPT_BUFFER) buf_free(&st->data);
    st->data.n = st->at = 0;
}

static ssize_t abort_stream(const exchange *x)
{
    if (x->old_http && !x->gone) reset_connection(x);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

ssize_t stream_read(void *cls, uint64_t at, char *to, size_t max)
{
    exchange *x = cls;
    stream *st = &x->out;
    (void)at;
    if (x->cut) return abort_stream(x);
    size_t n = waiting_bytes(st);
    if (n > max) n = max;
    if (n) {
        x->s->progress = true;
        give(st, to, n);
        relieve(x);
        return (ssize_t)n;
    }
    if (st->failed) return abort_stream(x);
    if (st->ended) return MHD_CONTENT_READER_END_OF_STREAM;
    x->suspended = true;
    MHD_suspend_connection(x->c->mc);
    return 0;
}
