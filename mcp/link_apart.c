/* SPDX-License-Identifier: Apache-2.0 */
/* link_apart.c - finding the call to which a question without a call belongs.
 *
 * Servers of many SDKs ask on the stream of the session: the request names no call. A session is
 * one caller's, so a call of his it is. Only the anonymous may be several people: then it must be
 * the only call under way, else it is nobody's. A call lives on the worker that made it, so the
 * question goes from worker to worker until one has a call that waits for nothing else, once more
 * for any, and ends with a refusal. A session
 * that was renewed meanwhile has another epoch, and its calls are not meant. */
#include "link_apart.h"
#include "link_session.h"

typedef struct {
    letter mail;
    arena *arena;
    mcp_shared *shared;
    unsigned at;
    bool again;  /* nobody was free: now those may take it who are asked something already */
    upstream *u; /* held */
    str isolation;
    uint64_t epoch;
    str message; /* {0}: `id` is taken back */
    js_value id;
} apart;

static void apart_free(apart *m)
{
    upstream_release(m->u);
    arena_free(m->arena);
}

static void drop(letter *self)
{
    apart_free((apart *)self);
}

static bool is_of(const apart *m, const link_call *c)
{
    return c->u == m->u && !c->dead && c->session && !c->listens && c->session->epoch == m->epoch;
}

/* The eldest, as a server takes them; the list is newest first. */
static bool is_taken_here(const apart *m, link_table *t, const link_message *asked)
{
    link_call *eldest = NULL;
    for (link_call *c = t->calls; c; c = c->next)
        if (is_of(m, c) && (m->again || !c->open)) eldest = c;
    return eldest && link_call_asked(eldest, asked, LINK_APART);
}

static void withdraw_here(const apart *m, link_table *t)
{
    for (link_call *c = t->calls, *next; c; c = next) {
        next = c->next;
        if (is_of(m, c)) link_call_withdrawn(c, m->id);
    }
}

static void write_reply(buf *b, const void *asked)
{
    link_message_reply(b, asked);
}

static void refuse(const apart *m, link_table *t, const link_message *asked)
{
    int64_t now_ms = loop_now_ms(t->w->loop);
    link_session *s = link_session_take(m->u, m->isolation, m->epoch - 1, now_ms);
    if (!s) return;
    if (s->epoch == m->epoch) link_session_tell(t, m->u, s, write_reply, asked);
    link_session_give(s, now_ms);
}

static bool post_next(apart *m)
{
    if (m->at == m->shared->workers && m->message.n && !m->again) {
        m->again = true;
        m->at = 0;
    }
    if (m->at == m->shared->workers) return false;
    loop_post(m->shared->worker[m->at]->loop, &m->mail);
    return true;
}

static void deliver(letter *self, loop *at)
{
    apart *m = (apart *)self;
    link_table *t = m->shared->worker[m->at++]->links;
    link_message asked = {0};
    (void)at;
    bool over = false;
    if (m->message.n) {
        const err *e = link_message_read(m->arena, m->message, &asked);
        over = e || is_taken_here(m, t, &asked);
    } else {
        withdraw_here(m, t);
    }
    if (!over && post_next(m)) return;
    if (!over && m->message.n) refuse(m, t, &asked);
    apart_free(m);
}

static apart *about(const link_call *ear)
{
    arena *a = arena_new();
    apart *m = NEW(a, apart);
    m->mail = (letter){.deliver = deliver, .drop = drop};
    m->arena = a;
    m->shared = ear->t->w->shared;
    m->u = upstream_hold(ear->u);
    m->isolation = arena_dup(a, ear->session->isolation);
    m->epoch = ear->session->epoch;
    return m;
}

static bool may_be_several(const link_call *ear)
{
    const link_session *s = ear->session;
    bool alone = atomic_load(&s->in_use) - atomic_load(&s->ears) == 1;
    return str_eq(ear->rq.caller_id, S("anonymous")) && !alone;
}

void link_apart_asked(const link_call *ear, const link_message *m)
{
    apart *p = about(ear);
    buf b = buf_new(p->arena, SIZE_MAX / 2);
    buf_put(&b, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_put(&b, m->id.raw);
    buf_put(&b, S(",\"method\":"));
    buf_put(&b, m->method.raw);
    if (m->params.kind) {
        buf_put(&b, S(",\"params\":"));
        buf_put(&b, m->params.raw);
    }
    buf_put(&b, S("}"));
    p->message = buf_str(&b);
    if (!may_be_several(ear) && post_next(p)) return;
    refuse(p, ear->t, m);
    apart_free(p);
}

void link_apart_withdrawn(const link_call *ear, js_value id)
{
    apart *p = about(ear);
    p->id = js_view(id.kind, arena_dup(p->arena, id.raw));
    if (!post_next(p)) apart_free(p);
}
