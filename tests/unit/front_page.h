/* SPDX-License-Identifier: Apache-2.0 */
/* front_page.h - a small product for the tests of the front. What it does is in the path:
 *   /hello        answers at once, without a flow      /echo   asks for the body (1 MiB) and sends
 * it back /limit        the same with 1000 bytes             /lazy   asks for the body after 30 ms
 *   /late?MS      answers after MS milliseconds        /wait   never answers
 *   /deny         401 without looking at the body      /facts  tells what it was asked
 *   /stream       10 events, 5 ms apart                /flood  8 MiB as fast as the sink takes it
 *   /abort        some bytes, then an error            /quiet  one event, then silence
 *   /big          a reply of 4 MiB                     /big1k  a reply of 1 KiB */
#ifndef SP_FRONT_PAGE_H
#define SP_FRONT_PAGE_H
#include "../../base/buf.h"
#include "../../base/clock.h"
#include "../../transport/server.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define RIG static __attribute__((unused))
enum { FLOOD = 8 << 20, BIG = 4 << 20 };

typedef struct {
    loop *l;
    server *s;
    logger *log;
    arena *a;
    pthread_t thread;
    unsigned port;
    atomic_int begun, gone, stops, settled, released, bodies_refused, sink_full, drained;
    atomic_llong gone_at_ms, flood_written;
    char big[BIG];
} rig;

typedef struct {
    rig *g;
    exchange *x;
    flow_run run;
    loop_timer timer;
    sink *out;
    size_t sent;
    int count;
    bool answered, ended;
} page;

RIG void page_text(page *p, int status, str body)
{
    static const header text[] = {{{"Content-Type", 12}, {"text/plain", 10}}, {{0}, {0}}};
    p->answered = true;
    exchange_reply(p->x, status, text, body);
}

RIG bool path_is(const page *p, const char *path)
{
    return str_eq(exchange_path(p->x), (str){path, strlen(path)});
}

RIG int number(str s)
{
    int n = 0;
    for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) n = n * 10 + (s.p[i] - '0');
    return n;
}

RIG flow_go page_echo(page *p, size_t limit)
{
    bool whole = false;
    str body;
    const err *e = exchange_body(p->x, limit, &whole, &body);
    if (e) {
        atomic_fetch_add(&p->g->bodies_refused, 1);
        page_text(p, e->kind == ERR_UNSUPPORTED ? 415 : 413, S("refused"));
        return FLOW_DONE;
    }
    if (!whole) return FLOW_WAIT;
    page_text(p, 200, body);
    return FLOW_DONE;
}

RIG void page_drained(void *ctx)
{
    page *p = ctx;
    atomic_fetch_add(&p->g->drained, 1);
    flow_wake(p->run.queue, p->run.self, FLOW_WOKEN);
}

RIG flow_go page_flood(page *p)
{
    if (!p->out) {
        p->out = exchange_stream(p->x, 200, NULL);
        sink_source(p->out, page_drained, p);
    }
    while (p->sent < FLOOD) {
        size_t n = FLOOD - p->sent < 65536 ? FLOOD - p->sent : 65536;
        bool more = sink_write(p->out, (str){p->g->big, n});
        p->sent += n;
        atomic_fetch_add(&p->g->flood_written, (long long)n);
        if (more) continue;
        atomic_fetch_add(&p->g->sink_full, 1);
        return FLOW_WAIT;
    }
    sink_end(p->out, NULL);
    return FLOW_DONE;
}

RIG flow_go page_stream(page *p, flow_why why)
{
    char text[64];
    if (why == FLOW_WOKEN) return FLOW_WAIT;
    if (!p->out)
        p->out =
            exchange_stream(p->x, 200,
                            (header[]){{S("Content-Type"), S("text/event-stream")}, {{0}, {0}}});
    int n = snprintf(text, sizeof text, "data: %d\n\n", p->count++);
    sink_write(p->out, (str){text, (size_t)n});
    if (path_is(p, "/quiet")) return FLOW_WAIT;
    if (p->count == 10) {
        sink_end(p->out, NULL);
        return FLOW_DONE;
    }
    loop_wake_late(p->g->l, &p->timer, 5, &p->run);
    return FLOW_WAIT;
}

RIG flow_go page_abort(page *p, flow_why why)
{
    if (why == FLOW_LATE) {
        sink_end(p->out, err_new(exchange_arena(p->x), ERR_UPSTREAM, "cut"));
        return FLOW_DONE;
    }
    p->out = exchange_stream(p->x, 200, NULL);
    sink_write(p->out, S("some bytes"));
    loop_wake_late(p->g->l, &p->timer, 30, &p->run);
    return FLOW_WAIT;
}

#endif
