/* SPDX-License-Identifier: Apache-2.0 */
/* resume.c - GET with Last-Event-ID: the rest of one stream, whatever opened it.
 *
 * What comes is read from the stream's tape, which any worker may; the request that writes it goes
 * on where it was. Only that stream's later events are sent, and the answer ends when it does.
 * A client that was away for too long, or an id that was given to another session, finds nothing:
 * 404, and it initializes again. (MCP 2025-11-25 basic/transports, "resumability and
 * redelivery".) */
#include "listener.h"
#include "reply.h"
#include "tape.h"

struct resuming {
    listener l; /* wants nothing: only looked after */
    tape *t;
    sink *out;
    uint64_t at;
    bool full;
};

static void drained(void *v_)
{
    visit *v = v_;
    v->resume->full = false;
    corridor_wake(v, FLOW_WOKEN);
}

static flow_go find(void *x, flow_why why)
{
    visit *v = x;
    uint64_t after = 0;
    (void)why;
    str id = dialect_trim(exchange_header(v->x, S("last-event-id")));
    tape *t = tape_find(v->w->shared, &v->q.session, id, &after);
    if (!t)
        return corridor_refuse_with(v, 404, RPC_SESSION_NOT_FOUND, S("there is no such stream"));
    struct resuming *k = v->resume = NEW(v->a, struct resuming);
    k->t = t;
    k->at = after;
    if (!reply_may_stream(v)) return reply_no_stream(v);
    k->out = reply_stream_raw(v);
    sink_source(k->out, drained, v);
    k->l.v = v;
    listener_open(&k->l);
    tape_read_by(t, v->run.self);
    return FLOW_NEXT;
}

static flow_go over(visit *v, const err *why)
{
    sink_end(v->resume->out, why);
    return FLOW_DONE;
}

static flow_go replay(void *x, flow_why why)
{
    static const err lost = {ERR_UPSTREAM, {"events are missing", 18}};
    visit *v = x;
    struct resuming *k = v->resume;
    buf b = buf_new(NULL, SIZE_MAX / 2);
    tape_state state = TAPE_SOME;
    bool stop = why == FLOW_STOP || k->l.over;
    while (!stop && !k->full && state == TAPE_SOME) {
        b.n = 0;
        state = tape_next(k->t, &k->at, &b);
        if (state == TAPE_SOME) k->full = !sink_write(k->out, buf_str(&b));
    }
    buf_free(&b);
    if (stop || state == TAPE_OVER) return over(v, NULL);
    if (state == TAPE_LOST) return over(v, &lost);
    listener_breathe(&k->l, k->out, &k->full);
    return FLOW_WAIT;
}

void resume_end(visit *v)
{
    listener_close(&v->resume->l);
    tape_away(v->resume->t, v->run.self, loop_now_ms(v->w->loop));
    tape_drop(v->resume->t);
    v->resume->t = NULL;
}

static const flow_step resume_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "find", .run = find},     /* the tape the id names */
    {.name = "replay", .run = replay}, /* what came after it, and what comes */
    {0},
};
const flow corridor_resume = {.name = "resume", .steps = resume_steps, CORRIDOR_ENDS};
