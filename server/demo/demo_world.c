/* SPDX-License-Identifier: Apache-2.0 */
/* demo_world.c - the demo's upstreams as one small HTTP server. */
#include "demo_world.h"

#include "../../transport/server.h"
#include <pthread.h>
#include <stdlib.h>

enum { BODY_MOST = 1 << 20, BETWEEN_WORDS_MS = 40 };

struct demo_world {
    arena *a;
    loop *loop;
    server *front;
    pthread_t thread;
    demo_notes *notes;
    str address;
};

typedef struct {
    flow_run run;
    demo_world *w;
    exchange *x;
    sink *out;
    const str *events;
    loop_timer pace;
} visit;

static const header json_headers[] = {{S("content-type"), S("application/json")}, {{0}, {0}}};

static bool ends(str path, str with)
{
    return path.n >= with.n && str_eq(str_drop(path, path.n - with.n), with);
}

static void answer(visit *v, int status, str body)
{
    static const header none[] = {{{0}, {0}}};
    exchange_reply(v->x, status, body.n ? json_headers : none, body);
}

static void answer_body(visit *v, str body)
{
    static const header event_stream[] = {{S("content-type"), S("text/event-stream")},
                                          {S("cache-control"), S("no-store")},
                                          {{0}, {0}}};
    arena *a = exchange_arena(v->x);
    str path = exchange_path(v->x), reply = {0};
    int status = 404;
    if (ends(path, S("/weather/mcp")))
        status = demo_tools_answer(NULL, true, a, body, &reply);
    else if (ends(path, S("/notes/mcp")))
        status = demo_tools_answer(v->w->notes, false, a, body, &reply);
    else if (ends(path, S("/v1/chat/completions")) &&
             demo_model_answer(a, body, &status, &reply, &v->events)) {
        v->out = exchange_stream(v->x, 200, event_stream);
        return;
    }
    answer(v, status, reply);
}

static flow_go read_body(void *ctx, flow_why why)
{
    visit *v = ctx;
    bool whole = false;
    str body;
    (void)why;
    if (!str_eq(exchange_method(v->x), S("POST"))) {
        answer(v, 405, S("{}"));
        return FLOW_DONE;
    }
    const err *e = exchange_body(v->x, BODY_MOST, &whole, &body);
    if (e) {
        answer(v, 413, S("{}"));
        return FLOW_DONE;
    }
    if (!whole) return FLOW_WAIT;
    answer_body(v, body);
    return v->events ? FLOW_NEXT : FLOW_DONE;
}

/* One word at a time, so that a person sees it stream. */
static flow_go speak(void *ctx, flow_why why)
{
    visit *v = ctx;
    (void)why;
    if (v->events->p) {
        (void)sink_write(v->out, *v->events++);
        loop_wake_late(exchange_loop(v->x), &v->pace, BETWEEN_WORDS_MS, &v->run);
        return FLOW_WAIT;
    }
    sink_end(v->out, NULL);
    return FLOW_DONE;
}

static void settle(void *ctx)
{
    visit *v = ctx;
    loop_timer_stop(exchange_loop(v->x), &v->pace);
}

static void release(void *ctx)
{
    exchange_release(((visit *)ctx)->x);
}

static const flow_step steps[] = {{.name = "read", .run = read_body},
                                  {.name = "speak", .run = speak},
                                  {0}};
static const flow visit_flow = {.name = "demo",
                                .steps = steps,
                                .settle = settle,
                                .release = release};

static void on_exchange(exchange *x, void *ctx)
{
    visit *v = NEW(exchange_arena(x), visit);
    v->w = ctx;
    v->x = x;
    flow_start(&v->run, loop_flows(exchange_loop(x)), &visit_flow, v);
    exchange_attach(x, &v->run);
}

static void *run(void *ctx)
{
    loop_run(((demo_world *)ctx)->loop);
    return NULL;
}

static const err *open_front(demo_world *w, arena *a, logger *log)
{
    static const server_limits limits = {.header_bytes = 16 << 10,
                                         .connections = 256,
                                         .header_timeout_ms = 10000,
                                         .idle_timeout_ms = 300000};
    server_options o = {.loop = w->loop,
                        .log = log,
                        .limits = limits,
                        .on_exchange = on_exchange,
                        .ctx = w,
                        .workers = 1};
    int fd = -1;
    const err *e = server_listen_fd(a, S("127.0.0.1:0"), &fd, &w->address);
    if (e) return e;
    w->address = arena_dup(w->a, w->address);
    server_listener at = {.address = w->address};
    e = server_open(a, &o, &at, fd, &w->front);
    if (!e && pthread_create(&w->thread, NULL, run, w) != 0)
        e = err_new(a, ERR_BUG, "no thread left");
    return e;
}

static void unmake(demo_world *w)
{
    arena *own = w->a;
    if (w->front) server_close(w->front);
    if (w->loop) loop_free(w->loop);
    demo_notes_free(w->notes);
    arena_free(own);
}

const err *demo_world_new(arena *a, logger *log, demo_world **out)
{
    arena *own = arena_new();
    demo_world *w = NEW(own, demo_world);
    w->a = own;
    w->notes = demo_notes_new();
    w->loop = loop_new(255); /* no worker has this number */
    const err *e = w->loop ? open_front(w, a, log) : err_new(a, ERR_BUG, "no descriptor left");
    if (e)
        unmake(w);
    else
        *out = w;
    return e;
}

str demo_world_address(const demo_world *w)
{
    return w->address;
}

void demo_world_free(demo_world *w)
{
    if (!w) return;
    loop_stop(w->loop);
    pthread_join(w->thread, NULL);
    unmake(w);
}
