/* SPDX-License-Identifier: Apache-2.0 */
/* link_post.c - the one place where HTTP answers of MCP servers are read.
 *
 * A post is in one of four moods. WAITING for a head; COLLECTING a JSON body; READING an event
 * stream; DRAINING what nobody needs: the body of a refusal without JSON, or the rest of a stream
 * after its answer. Servers answer most calls by a stream of one event, so ending those cleanly
 * decides whether connections are reused. Draining is bounded in bytes and time.
 *
 * The stream of a resumable post may end before its answer, on purpose or not. If it named its
 * last event, the rest is asked for by GET after as long as the server said, however often, until
 * the user has enough: the request was taken and must not be sent again. What the post says of
 * its answer's head stays that of the first.
 *
 * A callback may cancel the post it is called from. Then the post is marked and goes when the
 * callback has returned. */
#include "link_post.h"
#include "../transport/sse.h"
#include "link_table.h"

enum { DRAIN_MOST = 64 * 1024, REFUSAL_MOST = 64 * 1024, SESSION_ID_MOST = 1024 };
enum { EVENT_ID_MOST = 256 }; /* a longer one is as none */
static const int64_t DRAIN_MS = 1000;
static const int64_t RETRY_MS = 1000, RETRY_LEAST_MS = 100, RETRY_MOST_MS = 60000;

typedef enum { WAITING, COLLECTING, READING, DRAINING } mood;

struct link_post {
    link_table *t;
    link_post *prev, *next;
    arena *arena, *scratch; /* scratch: one message of a stream */
    upstream *u;
    handle self;
    link_post_request rq;
    link_post_events ev; /* zeroed once done was told */
    loop_timer timer;
    call *call;
    mood mood;
    link_post_end end;
    buf body; /* first what is sent, then what is collected */
    sse_reader *reader;
    size_t drained;
    char last_id[EVENT_ID_MOST]; /* of the last event that had one */
    size_t last_id_n;
    int64_t retry_ms;
    arena *later; /* of the stream that is read instead of the first; NULL: none is */
    bool in_event, dead;
};

static const char post_type;

static void destroy(link_post *p)
{
    loop_timer_stop(p->t->w->loop, &p->timer);
    if (p->call) call_cancel(p->call);
    handle_drop(link_table_handles(p->t), p->self);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->t->posts = p->next;
    if (p->next) p->next->prev = p->prev;
    arena_free(p->scratch);
    arena_free(p->later);
    upstream_release(p->u);
    arena_spares_give(&p->t->arenas, p->arena);
}

/* What reads on belongs to what was sent before. */
bool link_post_unsent(const link_post *p)
{
    return p->call && !p->later ? call_unsent(p->call) : p->end.unsent;
}

/* Tells the user the end. The post itself may go on draining. */
static void tell(link_post *p)
{
    void (*done)(void *, const link_post_end *) = p->ev.done;
    bool sent = !p->end.why || p->end.why->kind != ERR_TOO_LARGE;
    if (p->rq.id && sent) upstream_heard(p->u, p->end.status, loop_now_ms(p->t->w->loop));
    p->ev = (link_post_events){0};
    p->end.unsent = link_post_unsent(p);
    if (done) done(p->rq.ctx, &p->end);
}

static void fail(link_post *p, const err *why)
{
    p->end.why = why;
    p->end.answer = (link_message){0};
    tell(p);
    if (p->in_event)
        p->dead = true;
    else
        destroy(p);
}

static const err *about(link_post *p, err_kind kind, const char *what)
{
    return err_new(p->arena, kind, STR_FMT " %s", STR_ARG(p->u->spec.name), what);
}

static void out_of_time(void *p_)
{
    link_post *p = p_;
    fail(p, about(p, ERR_TIMEOUT, "did not answer in time"));
}

static void drain(link_post *p)
{
    p->mood = DRAINING;
    loop_timer_start(p->t->w->loop, &p->timer, DRAIN_MS, out_of_time, p);
}

/* Messages */

/* A refusal may leave the id out: it could not be read, or was not looked at. */
static bool is_for_us(const link_post *p, const link_message *m)
{
    if (link_message_answers(m, p->rq.id)) return true;
    bool refused = p->end.status >= 400 && m->kind == LINK_ANSWER && m->error.kind == JS_OBJECT;
    return refused && (m->id.kind == JS_ABSENT || m->id.kind == JS_NULL);
}

static bool is_visible(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x21 || s.p[i] > 0x7E) return false;
    }
    return s.n > 0;
}

static void note_place(link_post *p, const sse_event *ev)
{
    if (ev->retry_ms >= 0) p->retry_ms = ev->retry_ms;
    if (!ev->has_id) return;
    p->last_id_n = is_visible(ev->id) && ev->id.n <= EVENT_ID_MOST ? ev->id.n : 0;
    if (p->last_id_n) memcpy(p->last_id, ev->id.p, p->last_id_n);
}

static void on_event(void *p_, sse_event ev)
{
    link_post *p = p_;
    note_place(p, &ev);
    if (!ev.data.n || (ev.event.n && !str_eq(ev.event, S("message")))) return;
    if (!p->scratch) p->scratch = arena_new();
    link_message m;
    const err *e = link_message_read(p->scratch, ev.data, &m);
    if (e) {
        log_say(p->u->shared->log, LOG_DEBUG_LEVEL, "unreadable message from upstream",
                (log_fact[]){{"server", p->u->spec.name}, {"error", e->text}, {0}});
    } else if (is_for_us(p, &m)) {
        p->end.answer = m;
        sse_stop(p->reader);
        drain(p);
        tell(p);
    } else if (m.kind == LINK_NOTICE && p->ev.notice) {
        p->ev.notice(p->rq.ctx, p->scratch, &m);
    } else if (m.kind == LINK_QUESTION && p->ev.asked) {
        p->ev.asked(p->rq.ctx, &m);
    }
    if (p->dead) sse_stop(p->reader);
    arena_reset(p->scratch);
}

static void read_body(link_post *p)
{
    link_message m;
    const err *e = link_message_read(p->arena, buf_str(&p->body), &m);
    bool refused = p->end.status >= 300;
    if (e && !refused) {
        fail(p,
             err_wrap(p->arena, e, STR_FMT " sent an unreadable answer", STR_ARG(p->u->spec.name)));
        return;
    }
    if (!e && is_for_us(p, &m))
        p->end.answer = m;
    else if (!refused) {
        fail(p, about(p, ERR_UPSTREAM, "answered something that was not asked"));
        return;
    }
    tell(p);
}

/* What the HTTP client reports */

static bool is_media(str value, str type)
{
    str head = str_cut(value, ';').head;
    while (head.n && (head.p[head.n - 1] == ' ' || head.p[head.n - 1] == '\t')) head.n--;
    return header_name_is(head, type); /* types compare as header names do */
}

static const err *begin_collecting(link_post *p, int64_t length)
{
    size_t limit = p->end.status < 300 ? LINK_MESSAGE_MOST : REFUSAL_MOST;
    p->mood = COLLECTING;
    p->body = buf_new(p->arena, limit);
    if (length > (int64_t)limit) return about(p, ERR_UPSTREAM, "sent too large an answer");
    if (length > 0) (void)buf_need(&p->body, (size_t)length);
    return NULL;
}

static const err *read_head(link_post *p, const call_head *h)
{
    str type = call_head_get(h, S("content-type")),
        coding = call_head_get(h, S("content-encoding"));
    str session = call_head_get(h, S("mcp-session-id"));
    bool fine = h->status >= 200 && h->status < 300;
    if (session.p && (!is_visible(session) || session.n > SESSION_ID_MOST)) {
        return about(p, ERR_UPSTREAM, "sent an unusable session id");
    }
    if (session.p) p->end.session_id = arena_dup(p->arena, session);
    if (h->status == 401 || h->status == 403)
        p->end.challenge = arena_dup(p->arena, call_head_get(h, S("www-authenticate")));
    p->mood = DRAINING;
    if (!p->rq.id) return NULL;
    if (coding.n && !header_name_is(coding, S("identity"))) {
        return about(p, ERR_UPSTREAM, "sent a coded answer");
    }
    if (is_media(type, S("application/json"))) return begin_collecting(p, h->length);
    if (fine && is_media(type, S("text/event-stream"))) {
        p->mood = READING;
        p->reader = sse_reader_new(p->arena, LINK_MESSAGE_MOST, on_event, p);
    } else if (fine) {
        return about(p, ERR_UPSTREAM, "answered neither JSON nor an event stream");
    }
    return NULL;
}

/* Of a stream that goes on. Whatever else it is, the answer is lost. */
static const err *read_later_head(link_post *p, const call_head *h)
{
    str coding = call_head_get(h, S("content-encoding"));
    bool plain = !coding.n || header_name_is(coding, S("identity"));
    if (h->status != 200 || !plain ||
        !is_media(call_head_get(h, S("content-type")), S("text/event-stream")))
        return about(p, ERR_UPSTREAM, "ended its stream and did not go on with it");
    p->mood = READING;
    p->reader = sse_reader_new(p->later, LINK_MESSAGE_MOST, on_event, p);
    return NULL;
}

static void on_head(void *p_, const call_head *h)
{
    link_post *p = p_;
    if (!p->later) p->end.status = h->status;
    const err *e = p->later ? read_later_head(p, h) : read_head(p, h);
    if (e)
        fail(p, e);
    else if (!p->later && p->mood == READING && p->ev.began)
        p->ev.began(p->rq.ctx);
}

static const err *take(link_post *p, str bytes)
{
    if (p->mood == READING) return sse_feed(p->reader, bytes);
    if (p->mood == COLLECTING) {
        return buf_put(&p->body, bytes) ? NULL : about(p, ERR_UPSTREAM, "sent too large an answer");
    }
    p->drained += bytes.n;
    if (p->drained <= DRAIN_MOST) return NULL;
    return about(p, ERR_UPSTREAM, "sent more than anybody asked for");
}

static void on_data(void *p_, str bytes)
{
    link_post *p = p_;
    p->in_event = true;
    const err *e = take(p, bytes);
    p->in_event = false;
    if (p->dead)
        destroy(p);
    else if (e)
        fail(p, e);
}

/* Sending */

static size_t count(const header *list)
{
    size_t n = 0;
    while (list && list[n].name.p) n++;
    return n;
}

static const header *all_headers(const link_post *p, arena *a)
{
    const header *auth = p->u->spec.auth, *extra = p->rq.headers;
    header *out = NEW_N(a, header, 5 + count(extra) + count(auth));
    size_t n = 0;
    if (p->body.n) out[n++] = (header){S("Content-Type"), S("application/json")};
    out[n++] = (header){S("Accept"), S("application/json, text/event-stream")};
    for (; auth && auth->name.p; auth++) out[n++] = *auth;
    if (p->rq.authorization.p)
        out[n++] = (header){S("Authorization"), arena_dup(a, p->rq.authorization)};
    if (p->later) out[n++] = (header){S("Last-Event-ID"), {p->last_id, p->last_id_n}};
    for (; extra && extra->name.p; extra++) out[n++] = *extra;
    return out;
}

static void on_end(void *p_, const err *why);

static void go(link_post *p, str verb, arena *a)
{
    static const call_events events = {on_head, on_data, on_end};
    const call_request send = {.to = p->u->origin,
                               .method = verb,
                               .target = p->u->target,
                               .headers = all_headers(p, a),
                               .body = {buf_str(&p->body)},
                               .connect_ms = p->u->spec.connect_ms,
                               .no_retry = p->rq.no_retry};
    p->call = call_start(p->t->w->client, &send, &post_type, p->self, &events);
}

static void read_on(void *p_)
{
    link_post *p = p_;
    p->mood = WAITING;
    p->body = buf_new(p->arena, 0);
    if (p->later)
        arena_reset(p->later);
    else
        p->later = arena_new();
    go(p, S("GET"), p->later);
}

static void read_on_later(link_post *p)
{
    int64_t pause = p->retry_ms < RETRY_LEAST_MS ? RETRY_LEAST_MS : p->retry_ms;
    if (pause > RETRY_MOST_MS) pause = RETRY_MOST_MS;
    loop_timer_start(p->t->w->loop, &p->timer, pause, read_on, p);
}

static void on_end(void *p_, const err *why)
{
    link_post *p = p_;
    p->end.unsent = link_post_unsent(p);
    p->call = NULL;
    if (p->mood == READING && p->rq.resumable && p->last_id_n) {
        read_on_later(p);
        return;
    }
    p->in_event = true;
    if (why)
        fail(p, why);
    else if (p->mood == COLLECTING)
        read_body(p);
    else if (p->mood == READING)
        fail(p, about(p, ERR_UPSTREAM, "ended its stream without an answer"));
    else
        tell(p);
    p->in_event = false;
    destroy(p);
}

link_post *link_post_new(link_table *t, upstream *to)
{
    arena *a = arena_spares_take(&t->arenas);
    link_post *p = NEW(a, link_post);
    p->t = t;
    p->arena = a;
    p->u = upstream_hold(to);
    p->self = handle_add(link_table_handles(t), &post_type, p);
    p->body = buf_new(a, 2 * (size_t)LINK_MESSAGE_MOST);
    p->end.unsent = true;
    p->next = t->posts;
    if (p->next) p->next->prev = p;
    t->posts = p;
    return p;
}

arena *link_post_arena(link_post *p)
{
    return p->arena;
}
buf *link_post_body(link_post *p)
{
    return &p->body;
}

static void cannot_send(void *p_)
{
    link_post *p = p_;
    fail(p, about(p, ERR_TOO_LARGE, "would be sent too large a request"));
}

void link_post_send(link_post *p, const link_post_request *rq)
{
    loop *l = p->t->w->loop;
    p->rq = *rq;
    p->retry_ms = RETRY_MS;
    if (rq->events) p->ev = *rq->events;
    if (!buf_ok(&p->body) || !p->self) {
        loop_timer_start(l, &p->timer, 0, cannot_send, p);
        return;
    }
    if (rq->timeout_ms) loop_timer_start(l, &p->timer, rq->timeout_ms, out_of_time, p);
    go(p, rq->verb.p ? rq->verb : S("POST"), p->arena);
}

void link_post_cancel(link_post *p)
{
    p->ev = (link_post_events){0};
    if (p->in_event)
        p->dead = true;
    else
        destroy(p);
}

void link_post_free_all(link_table *t)
{
    while (t->posts) link_post_cancel(t->posts);
}
