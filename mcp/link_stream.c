/* SPDX-License-Identifier: Apache-2.0 */
/* link_stream.c - one GET that brings everything, and a POST for each thing to say.
 *
 * Posts are on connections of their own and could overtake each other, so the first two (initialize
 * and what announces that it is over) go one after the other; later ones need no order.
 * A callback may end the stream it is called from: then it is marked, and goes when the
 * callback has returned. (MCP 2024-11-05 basic/transports, "HTTP with SSE".) */
#include "link_stream.h"
#include "../transport/sse.h"
#include "link_token.h"

enum {
    TARGET_MOST = 4096,
    QUEUE_BYTES = 16 << 20,
    QUEUE_MOST = 1000,
    IN_ORDER = 2,
    SHOWN_ROOM = 1024,
    DRAIN_MOST = 64 * 1024
};
static const int64_t TAKEN_MS = 30000;

typedef struct post {
    struct post *next;
    link_stream *of;
    arena *arena;
    str body;
    handle self;
    call *call; /* NULL: it waits for its turn */
    loop_timer late;
    size_t drained;
    bool taken; /* its head said so; the rest is read so that the connection is kept */
} post;

struct link_stream {
    link_table *t;
    upstream *u; /* held */
    arena *arena;
    handle self, owner;
    const void *type;
    child_events ev;
    call *get;
    sse_reader *reader;
    str target;   /* {0}: not known yet */
    arena *shown; /* of the next; NULL: there is none */
    str authorization;
    post *posts;
    size_t queued, bytes, taken;
    bool in_event, dead;
};

static const char stream_type, post_type;

/* The address */

static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7E || s.p[i] == '#' || s.p[i] == '\\') return false;
    return s.n > 0 && s.n <= TARGET_MOST;
}

static bool same_origin(const url_parts *a, const url_parts *b)
{
    return a->secure == b->secure && a->port == b->port && header_name_is(a->host, b->host);
}

static str beside(arena *a, str path, str said)
{
    path = str_cut(path, '?').head;
    while (said.p[0] != '?' && path.n && path.p[path.n - 1] != '/') path.n--;
    return arena_fmt(a, STR_FMT STR_FMT, STR_ARG(path), STR_ARG(said));
}

const err *link_stream_target(arena *a, str base, str said, str *target)
{
    url_parts at, other;
    const err *e = url_parse(a, base, &at);
    if (e) return e;
    bool absolute = str_starts(said, S("http://")) || str_starts(said, S("https://"));
    if (!is_plain(said) || str_starts(said, S("//")))
        return err_new(a, ERR_UPSTREAM, "named no usable address for messages");
    if (absolute) e = url_parse(a, said, &other);
    if (e) return e;
    if (absolute && !same_origin(&at, &other))
        return err_new(a, ERR_UPSTREAM, "named another origin for messages");
    if (absolute)
        *target = other.path;
    else
        *target = said.p[0] == '/' ? said : beside(a, at.path, said);
    return NULL;
}

/* The end */

static void post_free(post *p)
{
    link_stream *s = p->of;
    for (post **at = &s->posts; *at; at = &(*at)->next) {
        if (*at != p) continue;
        *at = p->next;
        break;
    }
    s->queued--;
    s->bytes -= p->body.n;
    loop_timer_stop(s->t->w->loop, &p->late);
    if (p->call) call_cancel(p->call);
    handle_drop(link_table_handles(s->t), p->self);
    arena_free(p->arena);
}

static void destroy(link_stream *s)
{
    while (s->posts) post_free(s->posts);
    if (s->get) call_cancel(s->get);
    handle_drop(link_table_handles(s->t), s->self);
    upstream_release(s->u);
    arena_free(s->shown);
    arena_free(s->arena);
}

void link_stream_end(link_stream *s)
{
    s->dead = true;
    if (s->reader) sse_stop(s->reader);
    if (!s->in_event) destroy(s);
}

static void *owner_of(const link_stream *s)
{
    return s->dead ? NULL : handle_get(link_table_handles(s->t), s->type, s->owner);
}

/* Tells its owner, and is no more after it. */
static void broken(link_stream *s, const err *why)
{
    void *owner = owner_of(s);
    bool inside = s->in_event;
    s->in_event = true;
    if (owner) s->ev.exited(owner, why);
    s->in_event = inside;
    link_stream_end(s);
}

static const err *about(const link_stream *s, const char *what, int status)
{
    if (status == 401 && s->authorization.p) link_token_spoilt(s->u, s->authorization);
    return err_new(s->arena, ERR_UPSTREAM, "%s (HTTP %d)", what, status);
}

/* What we say */

static void send_next(link_stream *s);

static void post_head(void *p_, const call_head *h)
{
    post *p = p_;
    link_stream *s = p->of;
    if (h->status >= 300) {
        broken(s, about(s, "did not take a message", h->status));
        return;
    }
    p->taken = true;
    s->taken++;
    send_next(s);
}

/* Whatever it answers beside its status is nobody's. */
static void post_data(void *p_, str bytes)
{
    post *p = p_;
    p->drained += bytes.n;
    if (p->drained > DRAIN_MOST) post_free(p);
}

static void post_end(void *p_, const err *why)
{
    post *p = p_;
    link_stream *s = p->of;
    p->call = NULL;
    if (why && !p->taken)
        broken(s, why);
    else
        post_free(p);
}

static void not_taken(void *p_)
{
    post *p = p_;
    link_stream *s = p->of;
    if (p->taken)
        post_free(p);
    else
        broken(s, err_new(s->arena, ERR_TIMEOUT, "did not take a message in time"));
}

static const header *headers(const link_stream *s, arena *a, bool posts)
{
    const header *auth = s->u->spec.auth;
    size_t n = 0;
    while (auth && auth[n].name.p) n++;
    header *out = NEW_N(a, header, n + 3);
    for (size_t i = 0; i < n; i++) out[i] = auth[i];
    if (s->authorization.p) out[n++] = (header){S("Authorization"), arena_dup(a, s->authorization)};
    out[n] = posts ? (header){S("Content-Type"), S("application/json")}
                   : (header){S("Accept"), S("text/event-stream")};
    return out;
}

static void send(link_stream *s, post *p)
{
    static const call_events events = {post_head, post_data, post_end};
    const call_request rq = {.to = s->u->origin,
                             .method = S("POST"),
                             .target = s->target,
                             .headers = headers(s, p->arena, true),
                             .body = {p->body},
                             .connect_ms = s->u->spec.connect_ms,
                             .no_retry = true};
    loop_timer_start(s->t->w->loop, &p->late, TAKEN_MS, not_taken, p);
    p->call = call_start(s->t->w->client, &rq, &post_type, p->self, &events);
}

/* The list is newest first; what waits is sent oldest first. */
static post *oldest_waiting(const link_stream *s, bool *under_way)
{
    post *found = NULL;
    *under_way = false;
    for (post *p = s->posts; p; p = p->next) {
        if (!p->call && !p->taken) found = p;
        *under_way = *under_way || (p->call && !p->taken);
    }
    return found;
}

static void send_next(link_stream *s)
{
    bool under_way;
    post *p;
    while ((p = oldest_waiting(s, &under_way)) && (s->taken >= IN_ORDER || !under_way)) send(s, p);
}

bool link_stream_send(link_stream *s, str message)
{
    if (s->dead || !s->target.p || s->queued >= QUEUE_MOST || message.n > QUEUE_BYTES - s->bytes)
        return false;
    arena *a = arena_new();
    post *p = NEW(a, post);
    p->arena = a;
    p->of = s;
    p->self = handle_add(link_table_handles(s->t), &post_type, p);
    p->body = arena_dup(a, message);
    p->next = s->posts;
    s->posts = p;
    s->queued++;
    s->bytes += message.n;
    send_next(s);
    return true;
}

/* What it says */

static void take_endpoint(link_stream *s, str said)
{
    str target = {0};
    const err *e = link_stream_target(s->arena, s->u->spec.url, said, &target);
    if (e)
        broken(s, e);
    else
        s->target = arena_dup(s->arena, target);
}

static void on_event(void *s_, sse_event ev)
{
    link_stream *s = s_;
    void *owner = owner_of(s);
    if (!owner || !ev.has_data) return;
    if (str_eq(ev.event, S("endpoint"))) {
        if (s->target.p) return; /* it was named once */
        take_endpoint(s, ev.data);
        if (!s->dead) s->ev.started(owner);
    } else if (ev.data.n && (!ev.event.n || str_eq(ev.event, S("message")))) {
        s->ev.line(owner, ev.data);
    }
}

static bool is_stream(const call_head *h)
{
    str coding = call_head_get(h, S("content-encoding"));
    str type = str_cut(call_head_get(h, S("content-type")), ';').head;
    while (type.n && type.p[type.n - 1] == ' ') type.n--;
    return h->status == 200 && header_name_is(type, S("text/event-stream")) &&
           (!coding.n || header_name_is(coding, S("identity")));
}

static void on_head(void *s_, const call_head *h)
{
    link_stream *s = s_;
    if (is_stream(h))
        s->reader = sse_reader_new(s->arena, LINK_MESSAGE_MOST, on_event, s);
    else
        broken(s, about(s, "gave no event stream", h->status));
}

static void on_data(void *s_, str bytes)
{
    link_stream *s = s_;
    s->in_event = true;
    const err *e = s->dead ? NULL : sse_feed(s->reader, bytes);
    if (e && !s->dead) broken(s, e);
    s->in_event = false;
    if (s->dead) destroy(s);
}

static void on_end(void *s_, const err *why)
{
    link_stream *s = s_;
    s->get = NULL;
    broken(s, why ? why : err_new(s->arena, ERR_UPSTREAM, "its stream has ended"));
}

void link_stream_authorize(link_stream *s, str authorization)
{
    if (str_eq(s->authorization, authorization)) return;
    arena_free(s->shown);
    s->shown = arena_new_of(SHOWN_ROOM);
    s->authorization = authorization.p ? arena_dup(s->shown, authorization) : authorization;
}

link_stream *link_stream_open(link_table *t, upstream *u, str authorization, const void *type,
                              handle owner, const child_events *ev)
{
    static const call_events events = {on_head, on_data, on_end};
    arena *a = arena_new();
    link_stream *s = NEW(a, link_stream);
    s->arena = a;
    s->t = t;
    s->u = upstream_hold(u);
    s->type = type;
    s->owner = owner;
    s->ev = *ev;
    link_stream_authorize(s, authorization);
    s->self = handle_add(link_table_handles(t), &stream_type, s);
    const call_request rq = {.to = u->origin,
                             .method = S("GET"),
                             .target = u->target,
                             .headers = headers(s, a, false),
                             .connect_ms = u->spec.connect_ms};
    s->get = call_start(t->w->client, &rq, &stream_type, s->self, &events);
    return s;
}

void link_stream_pause(link_stream *s)
{
    if (s->get) call_pause(s->get);
}

void link_stream_resume(link_stream *s)
{
    if (s->get) call_resume(s->get);
}
