/* SPDX-License-Identifier: Apache-2.0 */
/* link_log.c - log messages of legacy servers that say them on their session's own stream.
 *
 * Such a message names no call. It is the only call's that is under way in its session, or nobody's
 * (as with a child's pipe, link_child_talk.c). It comes on another connection than the answer it
 * was said before, so the answer of who asked for messages in as many words waits a moment, unless
 * the server has been seen to send them with the call. */
#include "link_log.h"
#include "link_session.h"

static const int64_t HOLD_MS = 50;

typedef struct {
    letter mail;
    arena *arena;
    mcp_worker *at;
    handle to;
    js_value params;
} said;

static void drop(letter *self)
{
    arena_free(((said *)self)->arena);
}

static void deliver(letter *self, loop *at)
{
    said *m = (said *)self;
    (void)at;
    link_call *c = link_call_of(m->at, m->to);
    const link_message message = {.kind = LINK_NOTICE,
                                  .method = js_view(JS_STRING, S("\"notifications/message\"")),
                                  .params = m->params};
    str method;
    js_value params;
    if (c && link_message_wanted(m->arena, &message, (link_wanted){0, c->rq.log_level}, &method,
                                 &params))
        (void)link_call_hears(c, method, params);
    arena_free(m->arena);
}

void link_log_apart(link_call *ear, js_value params)
{
    link_session *s = ear->session;
    handle to = atomic_load(&s->log_taker);
    if (!to || atomic_load(&s->in_use) - atomic_load(&s->ears) != 1) return;
    arena *a = arena_new();
    said *m = NEW(a, said);
    m->mail = (letter){.deliver = deliver, .drop = drop};
    m->arena = a;
    m->at = ear->t->w->shared->worker[handle_worker(to)];
    m->to = to;
    m->params = js_view(params.kind, arena_dup(a, params.raw));
    loop_post(m->at->loop, &m->mail);
}

void link_log_begin(link_call *c)
{
    if (c->era == ERA_LEGACY && c->rq.log_level.p && c->session->log.has_log)
        atomic_store(&c->session->log_taker, c->self);
}

void link_log_leave(link_call *c)
{
    handle mine = c->self;
    (void)atomic_compare_exchange_strong(&c->session->log_taker, &mine, 0);
}

static js_value kept(arena *a, js_value v)
{
    return v.raw.p ? js_view(v.kind, arena_dup(a, v.raw)) : v;
}

bool link_log_hold(link_call *c, js_value result, js_value error)
{
    const link_session *s = c->session;
    if (!c->rq.hears_logs || c->era != ERA_LEGACY || !s || !s->log.has_log) return false;
    if (!atomic_load(&s->ears) || atomic_load(&s->logs_inline)) return false;
    c->held_result = kept(c->arena, result);
    c->held_error = kept(c->arena, error);
    c->waits_for_logs = true;
    loop_timer_start(c->t->w->loop, &c->deadline, HOLD_MS, link_call_deadline, c);
    return true;
}
