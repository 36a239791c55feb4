/* SPDX-License-Identifier: Apache-2.0 */
/* link_stdio.c - a call to a child, seen from the worker that asks.
 *
 * The child belongs to one worker, the call to another (or the same: there is one path, letters).
 * The request travels as bytes, answers come back as whole lines, already checked: where their
 * members are is carried along, so nothing is read twice. */
#include "link_flight.h"
#include "link_token.h"
#include <stdlib.h>

enum { LETTER_COST = 8192 }; /* what a letter takes beside its text */

void link_flight_unref(link_pipe *p)
{
    if (p && atomic_fetch_sub(&p->refs, 1) == 1) free(p);
}

void link_flight_free(link_flight *f)
{
    link_flight_unref(f->pipe);
    upstream_release(f->u);
    arena_free(f->arena);
}

/* From the owner to the call */

typedef struct {
    letter mail;
    arena *arena;
    mcp_worker *at;
    handle asker;
    bool began;
    link_message m; /* JUNK: it failed, see why */
    err why;
    link_pipe *pipe; /* counted; NULL when it costs no credit */
    long cost;
    handle child; /* of a question: who gets the answer */
} reply;

static void reply_free(reply *r)
{
    if (r->pipe) atomic_fetch_sub(&r->pipe->bytes, r->cost);
    link_flight_unref(r->pipe);
    arena_free(r->arena);
}

static void reply_drop(letter *self)
{
    reply_free((reply *)self);
}

static void hear(link_call *c, reply *r)
{
    str method;
    js_value params;
    if (c->rq.endless) {
        (void)link_call_hears(c, js_text(r->arena, r->m.method), r->m.params);
        return;
    }
    link_wanted want = {c->rq.progress ? c->id : 0, c->rq.log_level};
    if (link_message_wanted(r->arena, &r->m, want, &method, &params))
        (void)link_call_hears(c, method, params);
}

/* Nobody there, or nobody who can answer: the server must not wait for it. */
static void be_asked(link_call *c, const reply *r)
{
    if (c && link_call_asked(c, &r->m, r->child)) return;
    static const str no = S("\"error\":{\"code\":-32601,\"message\":\"Method not found\"}");
    link_stdio_say(r->at->shared, r->child, r->m.id.raw, no);
}

static void reply_deliver(letter *self, loop *at)
{
    reply *r = (reply *)self;
    (void)at;
    link_call *c = link_call_of(r->at, r->asker);
    if (r->m.kind == LINK_QUESTION)
        be_asked(c, r);
    else if (c && r->child)
        link_call_withdrawn(c, js_get(r->m.params, S("requestId")));
    else if (c && r->began)
        link_call_began(c);
    else if (c && r->m.kind == LINK_NOTICE)
        hear(c, r);
    else if (c && r->m.kind == LINK_ANSWER)
        link_call_done(c, r->m.result, r->m.error, NULL);
    else if (c)
        link_call_fail(c, r->why.kind, r->why.text);
    reply_free(r);
}

static reply *reply_new(const link_flight *f)
{
    arena *a = arena_new();
    reply *r = NEW(a, reply);
    r->mail.deliver = reply_deliver;
    r->mail.drop = reply_drop;
    r->arena = a;
    r->at = f->u->shared->worker[handle_worker(f->asker)];
    r->asker = f->asker;
    return r;
}

static js_value moved(js_value v, str from, str to)
{
    return v.raw.p ? js_view(v.kind, (str){to.p + (v.raw.p - from.p), v.raw.n}) : v;
}

static void carry(reply *r, str line, const link_message *m)
{
    str copy = arena_dup(r->arena, line);
    r->m = (link_message){.kind = m->kind,
                          .id = moved(m->id, line, copy),
                          .method = moved(m->method, line, copy),
                          .params = moved(m->params, line, copy),
                          .result = moved(m->result, line, copy),
                          .error = moved(m->error, line, copy)};
}

void link_flight_answer(const link_flight *f, str line, const link_message *m)
{
    reply *r = reply_new(f);
    carry(r, line, m);
    loop_post(r->at->loop, &r->mail);
}

void link_flight_notice(const link_flight *f, str line, const link_message *m)
{
    long cost = (long)line.n + LETTER_COST;
    if (atomic_fetch_add(&f->pipe->bytes, cost) + cost > LINK_CREDIT) {
        atomic_fetch_sub(&f->pipe->bytes, cost);
        return;
    }
    reply *r = reply_new(f);
    carry(r, line, m);
    atomic_fetch_add(&f->pipe->refs, 1);
    r->pipe = f->pipe;
    r->cost = cost;
    loop_post(r->at->loop, &r->mail);
}

void link_flight_question(const link_flight *f, handle asker, str line, const link_message *m)
{
    reply *r = reply_new(f);
    carry(r, line, m);
    r->child = asker;
    loop_post(r->at->loop, &r->mail);
}

void link_flight_began(const link_flight *f)
{
    reply *r = reply_new(f);
    r->began = true;
    loop_post(r->at->loop, &r->mail);
}

void link_flight_fail(const link_flight *f, const err *why)
{
    reply *r = reply_new(f);
    r->why = (err){why->kind, arena_dup(r->arena, why->text)};
    loop_post(r->at->loop, &r->mail);
}

/* From the call to the owner */

static void flight_deliver(letter *self, loop *at)
{
    (void)at;
    link_child_board((link_flight *)self);
}

static void flight_drop(letter *self)
{
    link_flight_free((link_flight *)self);
}

static mcp_worker *owner_of(const link_call *c)
{
    return c->u->shared->worker[upstream_worker_of(c->u, c->rq.caller_id)];
}

void link_stdio_go(link_call *c)
{
    if (c->u->spec.kind == UPSTREAM_SSE && !link_token_go(c)) return;
    arena *a = arena_new();
    link_flight *f = NEW(a, link_flight);
    c->pipe = calloc(1, sizeof *c->pipe);
    if (!c->pipe) abort();
    atomic_init(&c->pipe->refs, 2);
    f->mail.deliver = flight_deliver;
    f->mail.drop = flight_drop;
    f->arena = a;
    f->at = owner_of(c);
    f->u = upstream_hold(c->u);
    f->isolation = arena_dup(a, c->isolation);
    f->caller_id = arena_dup(a, c->rq.caller_id);
    f->asker = c->self;
    if (c->authorization.p) f->authorization = arena_dup(a, c->authorization);
    f->id = c->id;
    f->pipe = c->pipe;
    f->can_ask = c->can_ask;
    f->rq =
        (link_request){.method = arena_dup(a, c->rq.method),
                       .params = arena_dup(a, c->rq.params),
                       .meta = arena_dup(a, c->rq.meta),
                       .again = arena_dup(a, c->rq.again),
                       .progress = c->rq.progress,
                       .capabilities = c->rq.capabilities,
                       .endless = c->rq.endless,
                       .log_level = c->rq.log_level.p ? arena_dup(a, c->rq.log_level) : (str){0}};
    loop_post(f->at->loop, &f->mail);
}

bool link_stdio_was_sent(const link_call *c)
{
    return c->pipe && atomic_load(&c->pipe->sent);
}

void link_stdio_forget(link_call *c)
{
    link_flight_unref(c->pipe);
    c->pipe = NULL;
}

typedef struct {
    letter mail;
    arena *arena;
    mcp_worker *at;
    handle child;
    str id, said;
} saying;

static void saying_deliver(letter *self, loop *at)
{
    saying *m = (saying *)self;
    (void)at;
    link_child_hear(m->at, m->child, m->id, m->said);
    arena_free(m->arena);
}

static void saying_drop(letter *self)
{
    arena_free(((saying *)self)->arena);
}

void link_stdio_say(mcp_shared *s, handle asker, str id, str said)
{
    arena *a = arena_new();
    saying *m = NEW(a, saying);
    m->mail = (letter){.deliver = saying_deliver, .drop = saying_drop};
    m->arena = a;
    m->at = s->worker[handle_worker(asker)];
    m->child = asker;
    m->id = arena_dup(a, id);
    m->said = arena_dup(a, said);
    if (m->at)
        loop_post(m->at->loop, &m->mail);
    else
        arena_free(a); /* the process ends */
}

typedef struct {
    letter mail;
    mcp_worker *at;
    int64_t id;
} leaving;

static void leave_deliver(letter *self, loop *at)
{
    leaving *m = (leaving *)self;
    (void)at;
    link_child_leave(m->at->links, m->id);
    free(m);
}

static void leave_drop(letter *self)
{
    free(self);
}

void link_stdio_cancel(link_call *c)
{
    if (!c->pipe) return;
    leaving *m = calloc(1, sizeof *m);
    if (!m) abort();
    m->mail.deliver = leave_deliver;
    m->mail.drop = leave_drop;
    m->at = owner_of(c);
    m->id = c->id;
    loop_post(m->at->loop, &m->mail);
}
