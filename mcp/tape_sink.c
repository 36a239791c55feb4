/* SPDX-License-Identifier: Apache-2.0 */
/* tape_sink.c - cutting written bytes into events, and sending them from the tape.
 *
 * We wrote the bytes ourselves (sse_write), so an event ends at the first empty line and its data
 * is one line. What the client has not taken waits on the tape and nowhere else. */
#include "tape_sink.h"

struct tape_sink {
    sink face; /* first: a sink is its tape's */
    visit *v;
    tape *t;
    sink *to;
    uint64_t sent;
    buf part; /* heap: an event that is not whole yet */
    bool full, ended;
};

static void send(tape_sink *k)
{
    buf b = buf_new(NULL, SIZE_MAX / 2);
    while (!k->full && tape_next(k->t, &k->sent, &b) == TAPE_SOME) {
        k->full = !sink_write(k->to, buf_str(&b));
        b.n = 0;
    }
    buf_free(&b);
}

static void drained(void *k_)
{
    tape_sink *k = k_;
    k->full = false;
    send(k);
    if (k->full || k->ended) return;
    if (k->face.drained)
        k->face.drained(k->face.source);
    else
        corridor_wake(k->v, FLOW_WOKEN);
}

static str data_of(str block)
{
    for (str_pair cut = str_cut(block, '\n');; cut = str_cut(cut.tail, '\n')) {
        if (str_starts(cut.head, S("data: "))) return str_drop(cut.head, 6);
        if (!cut.ok) return (str){0};
    }
}

static void take_events(tape_sink *k)
{
    for (;;) {
        const char *end = k->part.n ? memmem(k->part.p, k->part.n, "\n\n", 2) : NULL;
        if (!end) return;
        size_t n = (size_t)(end - k->part.p);
        str data = data_of((str){k->part.p, n});
        if (data.n) tape_put(k->t, data);
        buf_drop(&k->part, n + 2);
    }
}

static bool write(sink *s, str bytes)
{
    tape_sink *k = (tape_sink *)s;
    if (!k->part.n && str_starts(bytes, S(":"))) {
        if (!k->full) k->full = !sink_write(k->to, bytes);
        return !k->full;
    }
    buf_put(&k->part, bytes);
    take_events(k);
    send(k);
    return !k->full;
}

static void end(sink *s, const err *why)
{
    tape_sink *k = (tape_sink *)s;
    if (k->ended) return;
    k->ended = true;
    tape_end(k->t);
    k->full = false; /* the rest is small: the source has waited for room */
    send(k);
    sink_end(k->to, why);
}

sink *tape_sink_new(visit *v, tape *t, sink *to, bool priming)
{
    tape_sink *k = v->kept = NEW(v->a, tape_sink);
    *k = (tape_sink){.face = {.write = write, .end = end},
                     .v = v,
                     .t = t,
                     .to = to,
                     .part = buf_new(NULL, SIZE_MAX / 2)};
    sink_source(to, drained, k);
    if (priming) tape_put(t, (str){0});
    send(k);
    return &k->face;
}

tape *tape_of_visit(const visit *v)
{
    return v->kept ? v->kept->t : NULL;
}

void tape_sink_end(visit *v)
{
    tape_sink *k = v->kept;
    if (!k->ended) {
        k->ended = true;
        tape_end(k->t);
    }
    sink_source(k->to, NULL, NULL);
    buf_free(&k->part);
    tape_leave(k->t, loop_now_ms(v->w->loop));
    tape_drop(k->t);
    v->kept = NULL;
}
