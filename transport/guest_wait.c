/* SPDX-License-Identifier: Apache-2.0 */
/* guest_wait.c - patience with guests, and its end.
 *
 * Whoever owes us something stands in one of four lists, each ordered by age, since all in it have
 * the same time: fresh ones (a handshake, a head that has begun) `header_timeout`, whatever comes
 * meanwhile; kept ones between two requests, and those in the middle of a body or slow to read an
 * answer, `idle_timeout` since they last moved; those that are only read to nowhere two seconds.
 * A guest that waits for us stands in none, so streams may live for ever. One timer looks at the
 * oldest of each. */
#include "exchange_private.h"

enum { LINGER_MS = 2000, SWEEP_MOST_MS = 1000, SWEEP_LEAST_MS = 5 };

void guest_wait(guest *g, waiting *in)
{
    if (g->in) {
        *(g->older ? &g->older->newer : &g->in->first) = g->newer;
        *(g->newer ? &g->newer->older : &g->in->last) = g->older;
    }
    g->in = in;
    g->older = g->newer = NULL;
    if (!in) return;
    g->since_ms = loop_now_ms(server_loop(g->s));
    g->older = in->last;
    *(in->last ? &in->last->newer : &in->first) = g;
    in->last = g;
}

static waiting *list_of(const guest *g)
{
    server *s = g->s;
    switch (g->stage) {
    case GUEST_GREETING: return &s->fresh;
    case GUEST_HEAD: return g->seen && !g->held.n ? &s->kept : &s->fresh;
    case GUEST_BODY: return g->blocked || exchange_takes_body(g->x) ? &s->moving : NULL;
    case GUEST_ANSWER: return g->blocked ? &s->moving : NULL;
    case GUEST_REST:
    case GUEST_LINGER: return &s->lingering;
    default: return NULL;
    }
}

void guest_expect(guest *g)
{
    waiting *in = list_of(g);
    if (in != g->in || (in && g->renewed)) guest_wait(g, in);
}

/* A client that has said something is told what was missing. */
static void lose_patience(guest *g)
{
    if (g->stage == GUEST_LINGER) {
        guest_end(g);
        return;
    }
    if (g->stage == GUEST_HEAD && g->held.n) guest_refuse(g, refusal_timeout);
    guest_hang_up(g);
    if (g->stage == GUEST_OVER)
        guest_end(g);
    else
        guest_expect(g);
}

static void sweep_list(waiting *list, int64_t now)
{
    for (guest *g; list->patience_ms && (g = list->first);) {
        if (now - g->since_ms < list->patience_ms) return;
        lose_patience(g);
    }
}

static void sweep(void *ctx)
{
    server *s = ctx;
    int64_t now = loop_now_ms(server_loop(s));
    sweep_list(&s->fresh, now);
    sweep_list(&s->kept, now);
    sweep_list(&s->moving, now);
    sweep_list(&s->lingering, now);
    if (s->paused) server_accept(s);
    server_sweep_start(s);
}

void server_sweep_start(server *s)
{
    int64_t every = s->fresh.patience_ms ? s->fresh.patience_ms / 4 : SWEEP_MOST_MS;
    if (every > SWEEP_MOST_MS) every = SWEEP_MOST_MS;
    s->lingering.patience_ms = LINGER_MS;
    loop_timer_start(server_loop(s), &s->sweep, every < SWEEP_LEAST_MS ? SWEEP_LEAST_MS : every,
                     sweep, s);
}
