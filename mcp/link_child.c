/* SPDX-License-Identifier: Apache-2.0 */
/* link_child.c - a child process that serves calls, seen from the worker that owns it.
 *
 * One child per (upstream, isolation id), started when somebody calls and ended when it was idle.
 * Calls that arrive before it is ready wait in the list of its flights, and a child that dies
 * fails all that are in it. It is started again by the next call, after a while that grows; when
 * that while is long, calls are refused at once. Caps count links, not processes: a caller's eldest
 * idle child makes room for his next. */
#include "link_child.h"
#include "feed.h"
#include "link_stream.h"
#include "offer.h"
#include <stdlib.h>

enum { PER_CALLER = 4, WAITING_MOST = 1000 };
static const int64_t IDLE_MS = 600000, START_MS = 60000, REST_MOST_MS = 1000;

static const char child_type;

static int64_t now_ms(const link_child *c)
{
    return loop_now_ms(c->t->w->loop);
}

/* Flights */

str link_child_id(const int64_t *id)
{
    return (str){(const char *)id, sizeof *id};
}

void link_child_land(link_flight *f)
{
    link_child *c = f->on;
    (void)map_del(c->t->flights, link_child_id(&f->id));
    if (f->prev)
        f->prev->next = f->next;
    else
        c->flights = f->next;
    if (f->next)
        f->next->prev = f->prev;
    else
        c->last = f->prev;
    c->count--;
    c->used_ms = now_ms(c);
    link_flight_free(f);
}

static void lose(link_flight *f, const err *why)
{
    link_flight_fail(f, why);
    link_child_land(f);
}

static void lose_all(link_child *c, const err *why)
{
    while (c->flights) lose(c->flights, why);
}

/* A raw line end in checked JSON can only be white space between values. */
bool link_child_say(link_child *c, buf *b)
{
    if (!buf_ok(b)) return false;
    for (size_t i = 0; i < b->n; i++) {
        if (b->p[i] == '\n' || b->p[i] == '\r') b->p[i] = ' ';
    }
    if (c->stream) return link_stream_send(c->stream, buf_str(b));
    return c->process && child_send(c->process, buf_str(b));
}

void link_child_pause(link_child *c, bool on)
{
    if (c->process) (on ? child_pause : child_resume)(c->process);
    if (c->stream) (on ? link_stream_pause : link_stream_resume)(c->stream);
}

/* A legacy child says what it has to say unasked: its listener is only aboard, so that it lives. */
static bool is_told(const link_child *c, const link_flight *f)
{
    return !(f->rq.endless && c->era == ERA_LEGACY);
}

static void board(link_child *c, link_flight *f)
{
    if (!is_told(c, f)) {
        f->sent = true;
        link_flight_began(f);
        return;
    }
    if (!offer_covers(c->u, f->rq.method)) {
        lose(f, &(err){ERR_UNSUPPORTED, S("the server does not offer this")});
        return;
    }
    int level;
    buf b = buf_new(f->arena, 2 * (size_t)LINK_MESSAGE_MOST);
    if (c->stream) link_stream_authorize(c->stream, f->authorization);
    if (c->era == ERA_LEGACY && link_log_wants(&c->log, f->rq.log_level, &level)) {
        link_message_level(&b, link_table_id(c->t), level);
        (void)link_child_say(c, &b);
        b.n = 0;
    }
    link_message_request(&b, c->era, f->id, &f->rq);
    atomic_store(&f->pipe->sent, true);
    f->sent = link_child_say(c, &b);
    if (f->sent) return;
    atomic_store(&f->pipe->sent, false);
    const err why = {ERR_UPSTREAM, arena_fmt(f->arena, STR_FMT " takes no more requests",
                                             STR_ARG(c->u->spec.name))};
    lose(f, &why);
}

link_flight *link_child_only(const link_child *c)
{
    link_flight *only = NULL;
    for (link_flight *f = c->flights; f; f = f->next) {
        if (!f->sent || f->rq.endless) continue;
        if (only) return NULL;
        only = f;
    }
    return only;
}

/* A child that may ask has one call at a time: nothing else says whose question it is. */
static bool one_by_one(const link_child *c)
{
    return c->era == ERA_LEGACY && c->can_ask;
}

static bool is_busy(const link_child *c)
{
    for (const link_flight *f = c->flights; f; f = f->next)
        if (f->sent && !f->rq.endless) return true;
    return false;
}

/* Who only listens does not keep it. */
static bool is_idle(const link_child *c)
{
    const link_flight *f = c->flights;
    while (f && f->rq.endless) f = f->next;
    return !f;
}

/* Sends the flights from f on, as many as may be on their way. */
static void board_from(link_child *c, link_flight *f)
{
    for (link_flight *next; f && c->state == READY; f = next) {
        bool waits = one_by_one(c) && is_busy(c) && is_told(c, f);
        next = f->next;
        if (!f->sent && !waits) board(c, f);
    }
}

void link_child_next(link_child *c)
{
    if (one_by_one(c)) board_from(c, c->flights);
}

void link_child_ready(link_child *c, upstream_era era)
{
    c->era = era;
    c->state = READY;
    loop_timer_stop(c->t->w->loop, &c->timer);
    upstream_era_is(c->u, era, now_ms(c));
    upstream_is_up(c->u);
    board_from(c, c->flights);
}

/* The process */

static void count_process(const link_child *c, int n)
{
    if (c->u->children) metric_add(c->u->children, n);
}

static void stop_process(link_child *c)
{
    loop *l = c->t->w->loop;
    loop_timer_stop(l, &c->timer);
    loop_timer_stop(l, &c->breath);
    c->paused = false;
    c->chatter = c->chatter_bytes = 0;
    c->state = RESTING;
    if (c->stream) link_stream_end(c->stream);
    c->stream = NULL;
    if (!c->process) return;
    child_end(c->process);
    c->process = NULL;
    count_process(c, -1);
}

void link_child_broken(link_child *c, str what, str detail)
{
    arena *a = arena_new();
    const err *why =
        err_new(a, ERR_UPSTREAM, STR_FMT " " STR_FMT "%s" STR_FMT, STR_ARG(c->u->spec.name),
                STR_ARG(what), detail.n ? ": " : "", STR_ARG(detail));
    if (c->state != READY) c->legacy_next = false;
    stop_process(c);
    c->failures++;
    c->rest_until_ms = now_ms(c) + child_backoff_ms(c->failures);
    upstream_is_down(c->u, why->text);
    lose_all(c, why);
    arena_free(a);
}

void link_child_late(void *c_)
{
    link_child *c = c_;
    link_child_broken(c, S("did not answer initialize in time"), (str){0});
}

static void on_exited(void *c_, const err *why);

static void start(link_child *c)
{
    static const child_events events = {link_child_talk_begin, link_child_talk_line, on_exited};
    const upstream_spec *s = &c->u->spec;
    const child_spec spec = {.name = s->name,
                             .argv = s->argv,
                             .env = s->env,
                             .cwd = s->cwd,
                             .user = s->user};
    c->state = STARTING;
    c->probe_id = c->hello_id = 0;
    loop_timer_start(c->t->w->loop, &c->timer, START_MS, link_child_late, c);
    if (s->kind == UPSTREAM_SSE) { /* older than the question what it is */
        c->legacy_next = true;
        str first = c->flights ? c->flights->authorization : (str){0};
        c->stream = link_stream_open(c->t, c->u, first, &child_type, c->self, &events);
        return;
    }
    c->process =
        child_start(c->t->w->loop, c->t->w->shared->spawner, &spec, &child_type, c->self, &events);
    count_process(c, 1);
}

static void on_exited(void *c_, const err *why)
{
    link_child *c = c_;
    bool probed = c->state == PROBING;
    if (c->process) count_process(c, -1);
    c->process = NULL;
    c->stream = NULL;
    if (probed && !c->legacy_next) {
        stop_process(c);
        c->legacy_next = true;
        start(c);
        return;
    }
    link_child_broken(c, S("ended"), why ? why->text : (str){0});
}

/* Birth and death of a link */

static upstream_cap cap_of(const upstream *u)
{
    return u->spec.kind == UPSTREAM_SSE ? CAP_SESSIONS : CAP_CHILDREN;
}

static void destroy(link_child *c)
{
    stop_process(c);
    while (c->flights)
        link_child_land(c->flights); /* only when the worker ends: who asked ends with it */
    (void)map_del(c->t->children, c->key);
    handle_drop(link_table_handles(c->t), c->self);
    upstream_cap_give(c->u, cap_of(c->u));
    upstream_release(c->u);
    arena_free(c->scratch);
    arena_free(c->arena);
}

typedef struct {
    const link_flight *of_caller; /* NULL: of anybody */
    size_t n;                     /* how many there are */
} census;

static int64_t idle_since(const void *c_, void *ctx)
{
    const link_child *c = c_;
    census *all = ctx;
    const link_flight *his = all->of_caller;
    if (his && (c->u != his->u || !str_eq(c->caller_id, his->caller_id))) return INT64_MAX;
    all->n++;
    return is_idle(c) ? c->used_ms : INT64_MAX;
}

static bool has_room(link_table *t, const link_flight *f)
{
    census his = {.of_caller = f}, all = {0};
    link_child *old = map_least(t->children, idle_since, &his);
    if (his.n >= PER_CALLER && !old) return false;
    if (his.n >= PER_CALLER) destroy(old);
    if (upstream_cap_take(f->u, cap_of(f->u))) return true;
    old = map_least(t->children, idle_since, &all);
    if (old) destroy(old);
    return old && upstream_cap_take(f->u, cap_of(f->u));
}

static link_child *link_child_new(link_table *t, const link_flight *f, str key)
{
    arena *a = arena_new();
    link_child *c = NEW(a, link_child);
    c->t = t;
    c->arena = a;
    c->scratch = arena_new();
    c->u = upstream_hold(f->u);
    c->key = arena_dup(a, key);
    c->isolation = arena_dup(a, f->isolation);
    c->caller_id = arena_dup(a, f->caller_id);
    c->can_ask = f->can_ask;
    c->self = handle_add(link_table_handles(t), &child_type, c);
    map_put(t->children, c->key, c);
    (void)feed_session_opened(t->w, c->u, c->isolation); /* its pipe waits for nobody */
    link_table_sweep_soon(t);
    return c;
}

static void refuse(link_flight *f, err_kind kind, str text)
{
    const err why = {kind, text};
    link_flight_fail(f, &why);
    link_flight_free(f);
}

static void start_rested(void *c_)
{
    start(c_);
}

static void get_going(link_child *c)
{
    int64_t rest = c->rest_until_ms - now_ms(c);
    if (rest <= 0) {
        start(c);
    } else if (rest <= REST_MOST_MS) {
        if (!c->timer.heap_at) loop_timer_start(c->t->w->loop, &c->timer, rest, start_rested, c);
    } else {
        const err why = {ERR_UPSTREAM, S("the server keeps ending; it is started again later")};
        lose_all(c, &why);
    }
}

void link_child_board(link_flight *f)
{
    link_table *t = f->at->links;
    str key = arena_fmt(f->arena, STR_FMT "\n" STR_FMT, STR_ARG(f->u->key), STR_ARG(f->isolation));
    link_child *c = map_get(t->children, key);
    if (!c && t->w->draining) {
        refuse(f, ERR_CANCELLED, S("the gateway is stopping"));
        return;
    }
    if (!c && !has_room(t, f)) {
        refuse(f, ERR_QUOTA, S("too many processes or streams of this server"));
        return;
    }
    if (!c) c = link_child_new(t, f, key);
    if (c->count >= WAITING_MOST) {
        refuse(f, ERR_QUOTA, S("too many calls at this server"));
        return;
    }
    f->on = c;
    f->prev = c->last;
    if (c->last)
        c->last->next = f;
    else
        c->flights = f;
    c->last = f;
    c->count++;
    map_put(t->flights, link_child_id(&f->id), f);
    if (c->state == READY)
        board_from(c, f);
    else if (c->state == RESTING)
        get_going(c);
}

void link_child_leave(link_table *t, int64_t id)
{
    link_flight *f = map_get(t->flights, link_child_id(&id));
    if (!f) return;
    link_child *c = f->on;
    if (f->sent && is_told(c, f)) {
        buf b = buf_new(c->scratch, 4096);
        link_message_cancelled(&b, id);
        (void)link_child_say(c, &b);
        arena_reset(c->scratch);
    }
    link_child_land(f);
    link_child_next(c);
}

/* The id is the server's own, the answer checked: both are JSON. */
void link_child_hear(mcp_worker *w, handle to, str id, str said)
{
    link_child *c = handle_get(loop_handles(w->loop), &child_type, to);
    if (!c) return;
    buf b = buf_new(c->scratch, 2 * (size_t)LINK_MESSAGE_MOST);
    link_message_say(&b, id, said);
    (void)link_child_say(c, &b);
    arena_reset(c->scratch);
}

bool link_child_is_there(const link_table *t, str key)
{
    return map_get(t->children, key) != NULL;
}

void link_child_sweep(link_table *t)
{
    size_t at = 0;
    str key;
    void *each;
    while (map_each(t->children, &at, &key, &each)) {
        link_child *c = each;
        bool over = t->w->draining || upstream_retired(c->u) || now_ms(c) - c->used_ms > IDLE_MS;
        if (!c->flights && over) destroy(c);
    }
}

void link_child_free(link_table *t)
{
    size_t at = 0;
    str key;
    void *each;
    while (map_each(t->children, &at, &key, &each)) destroy(each);
}
