/* SPDX-License-Identifier: Apache-2.0 */
/* link.c - the life of one call, whatever carries it.
 *
 * A call copies what it needs, so its owner may vanish at any moment; then the next thing that
 * happens to the call finds a stale handle and ends it. There is one end (link_call_done) and
 * one way to go on (link_call_go), which is taken again when something it waited for has come: an
 * era, a session, a new session. The ways themselves are link_http.c and link_stdio.c.
 *
 * No event comes from inside link_start(): what fails at once is told by the deadline's timer. */
#include "link.h"
#include "../base/clock.h"
#include "capability.h"
#include "link_param.h"
#include "link_session.h"
#include "link_token.h"
#include "link_user.h"
#include <stdlib.h>

enum { WAITS_MOST = 8 };
static const int64_t SWEEP_MS = 2000, DRAIN_SWEEP_MS = 100;
static const char call_type;

/* The table */

struct link_table *link_table_new(mcp_worker *w)
{
    link_table *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->w = w;
    t->probes = map_new(NULL);
    t->sessions = map_new(NULL);
    t->children = map_new(NULL);
    t->flights = map_new(NULL);
    return t;
}

handle_table *link_table_handles(const link_table *t)
{
    return loop_handles(t->w->loop);
}

int64_t link_table_id(link_table *t)
{
    return (++t->ids << 8 | t->w->index) & ((1LL << 53) - 1);
}

static void sweep(void *t_)
{
    link_table *t = t_;
    link_session_sweep(t);
    link_child_sweep(t);
    if (map_count(t->sessions) + map_count(t->children)) link_table_sweep_soon(t);
}

void link_table_sweep_soon(link_table *t)
{
    if (t->sweep.heap_at) return;
    loop_timer_start(t->w->loop, &t->sweep, t->w->draining ? DRAIN_SWEEP_MS : SWEEP_MS, sweep, t);
}

void link_table_drain(mcp_worker *w)
{
    w->draining = true;
    loop_timer_stop(w->loop, &w->links->sweep);
    sweep(w->links);
}

static void destroy(link_call *c)
{
    link_table *t = c->t;
    loop_timer_stop(t->w->loop, &c->deadline);
    breaker_end(&c->u->breaker, c->passed);
    if (c->counted) breaker_leave(&c->u->breaker);
    if (c->post) link_post_cancel(c->post);
    link_http_leave(c);
    link_stdio_forget(c);
    link_call_forget(c);
    handle_drop(link_table_handles(t), c->self);
    if (c->prev)
        c->prev->next = c->next;
    else
        t->calls = c->next;
    if (c->next) c->next->prev = c->prev;
    upstream_release(c->u);
    arena_spares_give(&t->arenas, c->arena);
}

void link_table_free(struct link_table *t)
{
    if (!t) return;
    loop_timer_stop(t->w->loop, &t->sweep);
    while (t->calls) destroy(t->calls);
    link_token_free(t);
    link_era_free(t);
    link_session_free(t);
    link_child_free(t);
    link_post_free_all(t);
    map_free(t->probes);
    map_free(t->sessions);
    map_free(t->children);
    map_free(t->flights);
    arena_spares_free(&t->arenas);
    free(t);
}

static str copy(arena *a, str s)
{
    return s.p ? arena_dup(a, s) : s;
}

/* Letters and those who wait for them */

void link_want_free(link_want *want)
{
    upstream_release(want->u);
    arena_free(want->arena);
}

static void want_drop(letter *self)
{
    link_want_free((link_want *)self);
}

/* The two kinds differ in who reads them; `deliver` of a letter gets the letter itself. */
static void era_deliver(letter *self, loop *at)
{
    (void)at;
    link_era_want((link_want *)self);
}

static void session_deliver(letter *self, loop *at)
{
    (void)at;
    link_session_want((link_want *)self);
}

void link_want_post(link_call *c, unsigned owner, void (*deliver)(link_want *want))
{
    arena *a = arena_new();
    link_want *want = NEW(a, link_want);
    want->mail.deliver = deliver == link_era_want ? era_deliver : session_deliver;
    want->mail.drop = want_drop;
    want->arena = a;
    want->at = c->t->w->shared->worker[owner];
    want->u = upstream_hold(c->u);
    want->isolation = arena_dup(a, c->isolation);
    want->caller_id = arena_dup(a, c->rq.caller_id);
    want->authorization = copy(a, c->authorization);
    want->stale_epoch = c->stale_epoch;
    want->capabilities = c->can_ask;
    want->asker = c->self;
    loop_post(want->at->loop, &want->mail);
}

void link_waiters_add(link_waiters *w, handle h)
{
    if (w->n == w->room) {
        w->room = w->room ? w->room * 2 : 8;
        w->row = reallocarray(w->row, w->room, sizeof *w->row);
        if (!w->row) abort();
    }
    w->row[w->n++] = h;
}

void link_waiters_wake(link_waiters *w, mcp_shared *s, const err *why)
{
    for (size_t i = 0; i < w->n; i++) link_call_wake(s, w->row[i], why);
    free(w->row);
    *w = (link_waiters){0};
}

typedef struct {
    letter mail;
    arena *arena;
    mcp_worker *at;
    handle to;
    err why; /* text.p NULL: go on */
} woken;

link_call *link_call_of(const mcp_worker *w, handle h)
{
    return handle_get(loop_handles(w->loop), &call_type, h);
}

static void woken_deliver(letter *self, loop *at)
{
    woken *m = (woken *)self;
    (void)at;
    link_call *c = link_call_of(m->at, m->to);
    if (c && m->why.text.p)
        link_call_fail(c, m->why.kind, m->why.text);
    else if (c)
        link_call_go(c);
    arena_free(m->arena);
}

static void woken_drop(letter *self)
{
    arena_free(((woken *)self)->arena);
}

void link_call_wake(mcp_shared *s, handle h, const err *why)
{
    arena *a = arena_new();
    woken *m = NEW(a, woken);
    m->mail.deliver = woken_deliver;
    m->mail.drop = woken_drop;
    m->arena = a;
    m->at = s->worker[handle_worker(h)];
    m->to = h;
    if (why) m->why = (err){why->kind, arena_dup(a, why->text)};
    loop_post(m->at->loop, &m->mail);
}

bool link_stands(const link_table *t, const upstream *facet)
{
    if (facet->spec.kind == UPSTREAM_HTTP) return link_session_is_open(t, facet->key);
    return link_child_is_there(t, facet->key);
}

/* The end of a call */

static outcome outcome_of(js_value error, const err *why)
{
    if (!why) return error.kind ? OUTCOME_ERROR : OUTCOME_OK;
    if (why->kind == ERR_CANCELLED) return OUTCOME_CANCELLED;
    return why->kind == ERR_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_FAILED;
}

/* What a server did wrong is not our client's fault, however it is called inside. */
static const err *as_upstream(const link_call *c, const err *why)
{
    switch (why->kind) {
    case ERR_UPSTREAM:
    case ERR_TIMEOUT:
    case ERR_CANCELLED:
    case ERR_QUOTA:
    case ERR_UNSUPPORTED: return why;
    default: return err_new(c->arena, ERR_UPSTREAM, STR_FMT, STR_ARG(why->text));
    }
}

void link_call_done(link_call *c, js_value result, js_value error, const err *why)
{
    void *owner = handle_get(link_table_handles(c->t), c->type, c->owner);
    result = link_user_list(c, result);
    if (result.raw.n > c->u->spec.result_most && !c->in_own_name && !c->rq.uncounted) {
        result = (js_value){0};
        why = err_new(c->arena, ERR_UPSTREAM, STR_FMT " sent a result over its limit",
                      STR_ARG(c->u->spec.name));
    }
    upstream_measure(c->u, outcome_of(error, why), clock_mono_us() - c->started_us);
    if (why)
        why = as_upstream(c, why);
    else
        upstream_is_up(c->u);
    link_call_end_apart(c);
    c->dead = true; /* a link_cancel() from inside is one too many, and harmless */
    if (owner && c->ev.done) c->ev.done(owner, result, error, why);
    destroy(c);
}

void link_call_fail(link_call *c, err_kind kind, str text)
{
    const err *why = err_new(c->arena, kind, STR_FMT, STR_ARG(text));
    link_call_done(c, (js_value){0}, (js_value){0}, why);
}

bool link_was_sent(const link_call *c)
{
    return link_stdio_was_sent(c) || c->sent || (c->post && !link_post_unsent(c->post));
}

static void tell_upstream(link_call *c)
{
    link_call_decline(c);
    if (c->u->spec.kind == UPSTREAM_HTTP)
        link_http_cancel(c);
    else
        link_stdio_cancel(c);
}

static void give_up(link_call *c)
{
    if (c->dead) return;
    upstream_measure(c->u, OUTCOME_CANCELLED, 0);
    tell_upstream(c);
    if (c->in_event)
        c->dead = true;
    else
        destroy(c);
}

void link_call_began(link_call *c)
{
    void *owner = handle_get(link_table_handles(c->t), c->type, c->owner);
    if (owner && c->ev.began) c->ev.began(owner);
}

bool link_call_hears(link_call *c, str method, js_value params)
{
    void *owner = handle_get(link_table_handles(c->t), c->type, c->owner);
    if (!owner) {
        give_up(c);
        return false;
    }
    if (!c->ev.notice) return true;
    c->in_event = true;
    c->ev.notice(owner, method, params);
    c->in_event = false;
    if (!c->dead) return true;
    destroy(c);
    return false;
}

void link_call_deadline(void *c_)
{
    link_call *c = c_;
    if (c->later) {
        link_call_done(c, (js_value){0}, (js_value){0}, c->later);
        return;
    }
    if (c->waits_for_logs) {
        link_call_done(c, c->held_result, c->held_error, NULL);
        return;
    }
    if (c->post) upstream_heard(c->u, 0, loop_now_ms(c->t->w->loop));
    tell_upstream(c);
    link_call_fail(c, ERR_TIMEOUT,
                   arena_fmt(c->arena, STR_FMT " did not answer in time",
                             STR_ARG(c->u->spec.name)));
}

void link_call_fail_soon(link_call *c, err_kind kind, str text)
{
    c->later = err_new(c->arena, kind, STR_FMT, STR_ARG(text));
    loop_timer_stop(c->t->w->loop, &c->deadline);
    loop_timer_start(c->t->w->loop, &c->deadline, 0, link_call_deadline, c);
}

/* Its beginning */

/* Tasks are followed, not asked: no matter of the link's. */
static unsigned askable(const link_request *rq)
{
    return rq->capabilities & ~(unsigned)CAN_FOLLOW_TASKS;
}

/* Sessions of clients that have none are their callers'; the anonymous are told apart by theirs.
 * Who can be asked has others than who cannot: a server is told once what its client can. */
str link_isolation(arena *a, const link_request *rq)
{
    const upstream_spec *spec = &rq->to->spec;
    str who = rq->caller_id, session = rq->session_id;
    if (spec->isolation == ISOLATION_SHARED) return S("");
    bool by_session = spec->isolation == ISOLATION_SESSION || str_eq(who, S("anonymous"));
    buf b = buf_new(a, SIZE_MAX / 2);
    if (askable(rq)) buf_fmt(&b, "%x|", askable(rq));
    if (session.n && by_session) buf_fmt(&b, "%zu:", who.n);
    buf_put(&b, who);
    if (session.n && by_session) buf_put(&b, session);
    return b.n ? buf_str(&b) : S("");
}

/* The arguments' headers, now: the schema and the arguments may be gone when it is sent. */
static const header *param_headers(arena *a, const link_request *rq)
{
    header row[LINK_PARAMS_MOST + 1] = {0};
    size_t n = 0;
    link_param_headers(a, rq->input_schema, rq->arguments, row, &n);
    return n ? headers_copy(a, row) : NULL;
}

static void copy_request(link_call *c, const link_request *rq)
{
    arena *a = c->arena;
    const upstream_spec *spec = &c->u->spec;
    c->rq = *rq;
    c->rq.method = copy(a, rq->method);
    c->rq.name = copy(a, rq->name);
    c->rq.params = copy(a, rq->params);
    c->rq.meta = copy(a, rq->meta);
    c->rq.again = copy(a, rq->again);
    c->rq.log_level = copy(a, rq->log_level);
    c->rq.caller_id = spec->isolation == ISOLATION_SHARED ? S("") : copy(a, rq->caller_id);
    c->rq.session_id = (str){0};
    c->isolation = link_isolation(a, rq);
    c->can_ask = c->isolation.n ? askable(rq) : 0;
    c->rq.input_schema = c->rq.arguments = (js_value){0};
    c->rq.headers = NULL;
    c->rq.caller_token = copy(a, rq->caller_token);
    c->rq.front = copy(a, rq->front);
    c->rq.login = copy(a, rq->login);
    c->in_own_name = !rq->caller_id.n;
    if (spec->kind == UPSTREAM_HTTP) {
        c->rq.headers = headers_copy(a, rq->headers);
        c->param_headers = param_headers(a, rq);
    }
    c->rq.timeout_ms = rq->timeout_ms > 0 ? rq->timeout_ms : spec->timeout_ms;
}

void link_call_go(link_call *c)
{
    if (++c->waits > WAITS_MOST) {
        link_call_fail(c, ERR_UPSTREAM, S("the server's session never lasts"));
    } else if (c->u->spec.kind == UPSTREAM_HTTP) {
        link_http_go(c);
    } else {
        link_stdio_go(c);
    }
}

/* What is asked in our own name is counted for nobody, and what stands open for ever neither. */
static const err *refuse_entry(link_call *c)
{
    const upstream_spec *spec = &c->u->spec;
    bool stands = str_eq(c->rq.method, S("subscriptions/listen"));
    if (spec->kind == UPSTREAM_HTTP && !stands) /* a trial must end */
        c->passed = breaker_begin(&c->u->breaker, loop_now_ms(c->t->w->loop));
    if (c->passed == BREAKER_OPEN)
        return err_new(c->arena, ERR_UPSTREAM,
                       STR_FMT " failed often and is left alone for a while", STR_ARG(spec->name));
    if (c->in_own_name || c->rq.uncounted || stands) return NULL;
    c->counted = breaker_enter(&c->u->breaker, spec->concurrent);
    if (c->counted) return NULL;
    if (c->u->busy) metric_add(c->u->busy, 1);
    return err_new(c->arena, ERR_QUOTA, STR_FMT " has all the calls it may have at a time",
                   STR_ARG(spec->name));
}

link_call *link_start(mcp_worker *w, const link_request *rq, const void *type, handle owner,
                      const link_events *ev)
{
    link_table *t = w->links;
    arena *a = arena_spares_take(&w->links->arenas);
    link_call *c = NEW(a, link_call);
    c->arena = a;
    c->t = t;
    c->u = upstream_hold(rq->to->of);
    c->type = type;
    c->owner = owner;
    c->ev = *ev;
    c->id = link_table_id(t);
    c->started_us = clock_mono_us();
    copy_request(c, rq);
    c->next = t->calls;
    if (c->next) c->next->prev = c;
    t->calls = c;
    c->self = handle_add(loop_handles(w->loop), &call_type, c);
    c->later = c->self ? refuse_entry(c) : err_new(a, ERR_QUOTA, "too many calls");
    if (c->later || !rq->endless)
        loop_timer_start(w->loop, &c->deadline, c->later ? 0 : c->rq.timeout_ms, link_call_deadline,
                         c);
    if (!c->later) link_call_go(c);
    return c;
}

void link_cancel(link_call *c)
{
    give_up(c);
}

void link_hand_over(link_call *c, const void *type, handle owner, const link_events *ev)
{
    c->type = type;
    c->owner = owner;
    c->ev = *ev;
}
