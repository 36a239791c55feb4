/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - answers that go on until one side has enough: subscriptions/listen, and GET.
 *
 * Of the new era: the first thing said is what will be told of what was asked for, each notice
 * carries the request's own id, and there is nothing to resume: what a client missed it sees in
 * its next list. Of the old era: a session has one GET stream, on which everything is told that
 * belongs to no request; it is kept on a tape, and goes on for a while when its client is gone.
 * (MCP 2026-07-28 server/utilities/subscriptions; 2025-11-25 basic/transports, "listening for
 * messages from the server".) */
#include "../transport/sse.h"
#include "capability.h"
#include "channel.h"
#include "following.h"
#include "listener.h"
#include "reply.h"
#include "session_end.h"
#include "session_state.h"
#include "tape_sink.h"
#include "task_follow.h"
#include "watching.h"

enum { NOTICE = 512, CHUNK = 16 << 10, OWED_MOST = 32 << 20 };
static const int64_t PATIENCE_MS = 400, LOOK_MS = 5, GREETING_MS = 30000;
#define SUBSCRIPTION "\"_meta\":{\"" DIALECT_PREFIX "subscriptionId\":"

struct listening {
    listener l; /* first: the table's view of it */
    sink *out;
    bool full;
    loop_timer look;
    int64_t until_ms;
    buf unsent; /* of a channel: heap, from `sent` on */
    size_t sent;
};

/* clang-format off */
static const struct { str name; unsigned list; } wishes[] = {
    {{"toolsListChanged", 16},     LIST_TOOLS},
    {{"promptsListChanged", 18},   LIST_PROMPTS},
    {{"resourcesListChanged", 20}, LIST_RESOURCES},
};
/* clang-format on */

static void drained(void *v_)
{
    visit *v = v_;
    v->listen->full = false;
    corridor_wake(v, FLOW_WOKEN);
}

/* What is said on a channel is written by its GET alone, in pieces, one event after another. */
static bool pump(visit *v)
{
    struct listening *k = v->listen;
    if (!channel_take(v->channel, &k->unsent)) return false;
    while (k->sent < k->unsent.n && !k->full) {
        str part = str_take(str_drop(buf_str(&k->unsent), k->sent), CHUNK);
        k->sent += part.n;
        k->full = !sink_write(k->out, part);
    }
    if (k->sent) buf_drop(&k->unsent, k->sent);
    k->sent = 0;
    return true;
}

static void say(visit *v, str message)
{
    struct listening *k = v->listen;
    buf b = buf_new(NULL, message.n + NOTICE);
    sse_write(&b, S("message"), (str){0}, message);
    if (v->channel) {
        channel_say(v->channel, buf_str(&b));
        buf_free(&b);
        return;
    }
    k->l.said_ms = loop_now_ms(v->w->loop);
    k->l.quiet = false;
    k->full = !sink_write(k->out, buf_str(&b));
    buf_free(&b);
}

/* `more`: further members of params; {0}: none. */
static void notify(visit *v, str method, str more)
{
    buf b = buf_new(NULL, v->msg.id.n + more.n + NOTICE);
    rpc_open_notice(&b, method);
    buf_put(&b, S("{"));
    if (!v->q.has_session) {
        buf_put(&b, S(SUBSCRIPTION));
        buf_put(&b, v->msg.id);
        buf_put(&b, more.n ? S("},") : S("}"));
    }
    buf_put(&b, more);
    buf_put(&b, S("}"));
    rpc_close_result(&b);
    say(v, buf_str(&b));
    buf_free(&b);
}

/* Those honoured, as the client called them. */
static void put_watches(buf *b, const watching *k, bool *any)
{
    if (!k) return;
    dialect_put_member(b, S("resourceSubscriptions"), S("["), any);
    for (; k; k = k->next) {
        buf_json(b, k->public_uri);
        if (k->next) buf_put(b, S(","));
    }
    buf_put(b, S("]"));
}

static void put_tasks(buf *b, listener *l, bool *any)
{
    bool first = true;
    following_acknowledge(l);
    for (const following *k = l->follows; k; k = k->next) {
        if (!k->acknowledged) continue;
        if (first)
            dialect_put_member(b, S("taskIds"), S("["), any);
        else
            buf_put(b, S(","));
        buf_json(b, k->id);
        first = false;
    }
    if (!first) buf_put(b, S("]"));
}

static void acknowledge(visit *v)
{
    buf b = buf_new(NULL, SIZE_MAX / 2);
    bool any = false;
    buf_put(&b, S("\"notifications\":{"));
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (v->listen->l.wants & wishes[i].list)
            dialect_put_member(&b, wishes[i].name, S("true"), &any);
    put_watches(&b, v->listen->l.watches, &any);
    put_tasks(&b, &v->listen->l, &any);
    buf_put(&b, S("}"));
    notify(v, S("notifications/subscriptions/acknowledged"), buf_str(&b));
    buf_free(&b);
}

static void begin_stream(visit *v, unsigned wants, sink *out)
{
    struct listening *k = v->listen = NEW(v->a, struct listening);
    k->l.v = v;
    k->l.wants = wants;
    k->out = out;
    sink_source(out, drained, v);
    listener_open(&k->l);
}

/* What is no text, or too much, is not honoured; the acknowledgement says so. */
static void watch_asked(visit *v, js_value uris)
{
    str row[WATCHING_MOST];
    size_t n = 0;
    for (js_iter it = js_iterate(uris); n < WATCHING_MOST && js_next(&it);)
        if (it.value.kind == JS_STRING) row[n++] = js_text(v->a, it.value);
    if (uris.kind == JS_ARRAY && v->listen->l.listed) watching_set(&v->listen->l, row, n);
}

static flow_go begin(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    js_value asked = js_get(v->msg.params, S("notifications"));
    if (asked.kind != JS_OBJECT)
        return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS,
                                    S("params.notifications must be an object"));
    js_value tasks = js_get(asked, S("taskIds"));
    js_iter first = js_iterate(tasks);
    bool follows = capability_bits(v->q.meta.capabilities, MCP_2026_07_28) & CAN_FOLLOW_TASKS;
    if (tasks.kind == JS_ARRAY && js_next(&first) && !follows) return task_follow_undeclared(v);
    if (!reply_may_stream(v)) return reply_no_stream(v);
    unsigned wants = 0;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (js_bool(js_get(asked, wishes[i].name), false)) wants |= wishes[i].list;
    begin_stream(v, wants, reply_stream(v));
    watch_asked(v, js_get(asked, S("resourceSubscriptions")));
    if (tasks.kind == JS_ARRAY) following_begin(&v->listen->l, tasks);
    v->listen->until_ms = loop_now_ms(v->w->loop) + PATIENCE_MS;
    return FLOW_NEXT;
}

static void look_again(void *v)
{
    corridor_wake(v, FLOW_WOKEN);
}

/* Who has the acknowledgement may cause at once what he wants to hear of: so the servers must have
 * been told by then, if they can be told soon. */
static flow_go stand(void *x, flow_why why)
{
    visit *v = x;
    struct listening *k = v->listen;
    bool on = why != FLOW_STOP && !k->l.over && loop_now_ms(v->w->loop) < k->until_ms;
    if (on && !(listener_stands(&k->l) && following_is_decided(&k->l))) {
        loop_timer_start(v->w->loop, &k->look, LOOK_MS, look_again, v);
        return FLOW_WAIT;
    }
    loop_timer_stop(v->w->loop, &k->look);
    acknowledge(v);
    return FLOW_NEXT;
}

static flow_go no_room(visit *v, get_taking why)
{
    if (why == GET_OCCUPIED)
        return corridor_refuse_with(v, 409, RPC_INVALID_REQUEST,
                                    S("the session has a stream already"));
    v->stream = STREAM_REFUSED;
    return reply_no_stream(v);
}

/* The tape comes first: by it the session knows its stream. */
static flow_go begin_get(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    session_states *states = v->w->shared->sessions;
    if (!reply_may_stream(v)) return reply_no_stream(v);
    str share = caller_share(v->a, v->who, v->rec->v[FACT_PEER].text);
    tape *t = tape_new(v->w, &v->q.session, share, v->run.self, v->x);
    if (!t) return no_room(v, GET_TOO_MANY);
    get_taking took = session_take_get(states, &v->q.session, share, t);
    if (took != GET_TAKEN) {
        tape_abandon(t);
        tape_drop(t);
        return no_room(v, took);
    }
    begin_stream(v, LIST_TOOLS | LIST_PROMPTS | LIST_RESOURCES, reply_stream_on(v, t));
    session_watch(&v->listen->l);
    return FLOW_NEXT;
}

/* The last word: the answer to the request, after which the stream is over. */
static flow_go end(visit *v)
{
    if (!v->q.has_session && !v->channel) {
        buf b = buf_new(NULL, 2 * v->msg.id.n + NOTICE);
        rpc_open_result(&b, v->msg.id);
        buf_put(&b, S("{\"resultType\":\"complete\"," SUBSCRIPTION));
        buf_put(&b, v->msg.id);
        buf_put(&b, S("}}"));
        rpc_close_result(&b);
        say(v, buf_str(&b));
        buf_free(&b);
    }
    sink_end(v->listen->out, NULL);
    return FLOW_DONE;
}

static void tell_updates(visit *v)
{
    struct listening *k = v->listen;
    for (watching *w = k->l.watches; w && !k->full; w = w->next) {
        if (!w->owed) continue;
        w->owed = false;
        buf b = buf_new(NULL, SIZE_MAX / 2);
        buf_put(&b, S("\"uri\":"));
        buf_json(&b, w->public_uri);
        notify(v, S("notifications/resources/updated"), buf_str(&b));
        buf_free(&b);
    }
}

static void tell_tasks(visit *v)
{
    struct listening *k = v->listen;
    for (following *t = k->l.follows; t && !k->full; t = t->next) {
        if (!t->owed.n) continue;
        notify(v, S("notifications/tasks"), t->owed);
        following_told(t);
    }
}

static flow_go deliver(void *x, flow_why why)
{
    visit *v = x;
    struct listening *k = v->listen;
    if (why == FLOW_STOP || k->l.over) return end(v);
    for (unsigned i = 0; i < LISTS && !k->full; i++) {
        if (!(k->l.owed & 1u << i)) continue;
        k->l.owed &= ~(1u << i);
        notify(v, listener_notices[i], (str){0});
    }
    tell_updates(v);
    tell_tasks(v);
    listener_breathe(&k->l, k->out, &k->full);
    return FLOW_WAIT;
}

/* The channel's client has initialized: from now on it is told of changes, too. */
static void adopt(visit *v)
{
    struct listening *k = v->listen;
    if (v->q.has_session || !channel_session(v->channel, v->a, &v->q.session)) return;
    v->q.has_session = true;
    v->q.version = v->q.session.version;
    v->q.client_name = v->q.session.client_name;
    v->q.client_version = v->q.session.client_version;
    loop_timer_stop(v->w->loop, &k->look);
    k->l.wants = LIST_TOOLS | LIST_PROMPTS | LIST_RESOURCES;
    listener_open(&k->l);
    session_watch(&k->l);
}

static flow_go begin_channel(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    if (!reply_may_stream(v)) return reply_no_stream(v);
    struct listening *k = v->listen = NEW(v->a, struct listening);
    k->l.v = v;
    k->unsent = buf_new(NULL, OWED_MOST);
    v->channel = channel_open(v);
    k->out = reply_stream_raw(v);
    sink_source(k->out, drained, v);
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, exchange_path(v->x));
    buf_put(&b, S("?channel="));
    buf_put(&b, channel_name(v->channel));
    buf event = buf_new(v->a, SIZE_MAX / 2);
    sse_write(&event, S("endpoint"), (str){0}, buf_str(&b));
    channel_say(v->channel, buf_str(&event));
    k->until_ms = loop_now_ms(v->w->loop) + GREETING_MS;
    loop_timer_start(v->w->loop, &k->look, GREETING_MS, look_again, v);
    return FLOW_NEXT;
}

static flow_go carry(void *x, flow_why why)
{
    visit *v = x;
    adopt(v);
    bool silent = !v->q.has_session && loop_now_ms(v->w->loop) >= v->listen->until_ms;
    if (!pump(v) || silent) return end(v);
    if (v->listen->unsent.n) return why == FLOW_STOP || v->listen->l.over ? end(v) : FLOW_WAIT;
    return deliver(v, why);
}

bool listen_lets_go(visit *v)
{
    return following_lets_go(&v->listen->l);
}

void listen_end(visit *v)
{
    loop_timer_stop(v->w->loop, &v->listen->look);
    listener_close(&v->listen->l);
    if (v->channel) {
        if (v->q.has_session) session_close(v->w, &v->q.session, v->now_ms);
        channel_end(v->channel);
        v->channel = NULL;
        buf_free(&v->listen->unsent);
        return;
    }
    if (v->q.has_session)
        session_leave_get(v->w->shared->sessions, &v->q.session, tape_of_visit(v));
}

static const flow_step listen_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "begin", .run = begin},    /* what is asked for */
    {.name = "stand", .run = stand},    /* servers are told; what will be told */
    {.name = "filter", .run = deliver}, /* what is owed by the rules of then, until the end */
    {0},
};
const flow corridor_listen = {.name = "subscriptions/listen", .steps = listen_steps, CORRIDOR_ENDS};

static const flow_step channel_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "begin", .run = begin_channel}, /* says where messages are to be posted */
    {.name = "carry", .run = carry},         /* their answers, and what is owed beside */
    {0},
};
const flow corridor_channel = {.name = "channel", .steps = channel_steps, CORRIDOR_ENDS};

static const flow_step get_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "begin", .run = begin_get},
    {.name = "filter", .run = deliver},
    {0},
};
const flow corridor_get = {.name = "GET", .steps = get_steps, CORRIDOR_ENDS};
const flow corridor_get_kept = {.name = "GET",
                                .steps = get_steps,
                                .on_gone = FLOW_DETACH,
                                CORRIDOR_ENDS};
