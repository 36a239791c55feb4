/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_front.c - whatever a client sends, however it is cut: no fault, nothing left behind, and
 * the same answers.
 *
 * The front runs on a loop of its own, behind it a product that answers at once; the client's end
 * of a socket pair sends one piece a turn and reads what has come. The first byte says how large
 * the pieces are, and how the client leaves. */
#include "../../transport/server_private.h"
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { LIMIT = 1000, QUIET = 4, HEARD_MOST = 1 << 22 };

typedef struct {
    exchange *x;
    flow_run run;
    sink *out;
    size_t pieces, bytes;
    int turns;
} page;

static bool take_piece(void *ctx, str bytes)
{
    page *p = ctx;
    p->pieces++;
    p->bytes += bytes.n;
    flow_wake(p->run.queue, p->run.self, FLOW_WOKEN);
    return p->pieces % 2; /* every other one makes the client wait */
}

static flow_go upload(page *p)
{
    if (!p->turns++) {
        if (!exchange_upload(p->x, LIMIT, take_piece, p)) return FLOW_WAIT;
        exchange_reply(p->x, 413, NULL, S("too large"));
        return FLOW_DONE;
    }
    exchange_upload_go_on(p->x);
    if (exchange_upload_state(p->x) == UPLOAD_COMES) return FLOW_WAIT;
    bool over = exchange_upload_state(p->x) == UPLOAD_OVER;
    exchange_reply(p->x, over ? 413 : 200, NULL,
                   over ? S("over") : arena_fmt(exchange_arena(p->x), "%zu", p->bytes));
    return FLOW_DONE;
}

static flow_go echo(page *p)
{
    bool whole = false;
    str body = {0};
    if (exchange_body(p->x, LIMIT, &whole, &body)) {
        exchange_reply(p->x, 413, NULL, S("refused"));
        return FLOW_DONE;
    }
    if (!whole) return FLOW_WAIT;
    exchange_reply(p->x, 200, NULL, body);
    return FLOW_DONE;
}

static flow_go streamed(page *p)
{
    p->out = exchange_stream(p->x, 200, NULL);
    for (int i = 0; i < 3; i++) sink_write(p->out, S("data: x\n\n"));
    bool fails = str_eq(exchange_query(p->x), S("fail"));
    sink_end(p->out, fails ? err_new(exchange_arena(p->x), ERR_UPSTREAM, "cut") : NULL);
    return FLOW_DONE;
}

static flow_go answer(void *ctx, flow_why why)
{
    page *p = ctx;
    str path = exchange_path(p->x);
    assert(path.n && exchange_method(p->x).n);
    if (why == FLOW_GONE) return FLOW_DONE;
    if (str_eq(path, S("/e"))) return echo(p);
    if (str_eq(path, S("/u"))) return upload(p);
    if (str_eq(path, S("/s"))) return streamed(p);
    if (str_eq(path, S("/w"))) return FLOW_WAIT;
    if (str_eq(path, S("/n"))) return FLOW_DONE;
    exchange_reply(p->x, 401, NULL, S("denied"));
    return FLOW_DONE;
}

static void settle(void *ctx)
{
    (void)ctx;
}

static void release(void *ctx)
{
    exchange_release(((page *)ctx)->x);
}

static const flow_step steps[] = {{.name = "answer", .run = answer}, {0}};
static const flow pages = {.name = "page", .steps = steps, .settle = settle, .release = release};

static void on_exchange(exchange *x, void *ctx)
{
    if (str_eq(exchange_path(x), S("/"))) {
        exchange_reply(x, 200, NULL, S("hello"));
        return;
    }
    page *p = NEW(exchange_arena(x), page);
    p->x = x;
    flow_start(&p->run, loop_flows(ctx), &pages, p);
    exchange_attach(x, &p->run);
}

typedef struct {
    loop *l;
    server *s;
    loop_timer tick;
    str in;
    size_t piece;
    int fd, quiet;
    bool half; /* closes its sending side first */
    buf heard;
} client;

static bool hear(client *c)
{
    char some[4096];
    ssize_t n = recv(c->fd, some, sizeof some, MSG_DONTWAIT);
    if (n > 0) buf_put(&c->heard, (str){some, (size_t)n});
    return n > 0;
}

static void leave(client *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static void tick(void *ctx)
{
    client *c = ctx;
    bool moved = false;
    if (c->fd >= 0) {
        str piece = str_take(c->in, c->piece);
        ssize_t n = piece.n ? send(c->fd, piece.p, piece.n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
        moved = n > 0;
        c->in = n < 0 ? (str){0} : str_drop(c->in, (size_t)n);
        while (hear(c)) moved = true;
    }
    c->quiet = moved ? 0 : c->quiet + 1;
    if (c->quiet == QUIET && c->half) shutdown(c->fd, SHUT_WR);
    if (c->quiet == 2 * QUIET) leave(c);
    if (c->fd < 0 && server_connections(c->s) == 0 && server_exchanges(c->s) == 0) {
        loop_stop(c->l);
        return;
    }
    assert(c->quiet < 1000); /* everybody must be gone by now */
    loop_timer_start(c->l, &c->tick, 0, tick, c);
}

/* What the client hears, the dates left out. */
static buf visit(str in, size_t piece, bool half)
{
    arena *a = arena_new();
    loop *l = loop_new(0);
    str bound;
    int listener, pair[2];
    if (server_listen_fd(a, S("127.0.0.1:0"), &listener, &bound)) abort();
    server_options o = {.loop = l,
                        .limits = {.header_bytes = 2048},
                        .on_exchange = on_exchange,
                        .ctx = l,
                        .workers = 1};
    server_listener at = {.address = bound};
    client c = {.l = l, .in = in, .piece = piece, .half = half, .heard = buf_new(NULL, HEARD_MOST)};
    if (server_open(a, &o, &at, listener, &c.s)) abort();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) abort();
    c.fd = pair[0];
    guest_begin(c.s, pair[1], &(struct sockaddr){.sa_family = AF_UNIX});
    loop_timer_start(l, &c.tick, 0, tick, &c);
    loop_run(l);
    server_close(c.s);
    loop_free(l);
    arena_free(a);
    for (str rest = buf_str(&c.heard); rest.n;) {
        char *date = memmem(rest.p, rest.n, "\r\nDate: ", 8);
        size_t left = date ? rest.n - (size_t)(date - rest.p) : 0;
        if (left < 37) break;
        for (size_t i = 8; i < 37; i++) date[i] = '-';
        rest = str_drop((str){date, left}, 37);
    }
    return c.heard;
}

static bool told_to_go_on(const buf *b)
{
    return b->n && memmem(b->p, b->n, "100 Continue", 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0 || n > 16384) return 0;
    str in = {(const char *)p + 1, n - 1};
    buf whole = visit(in, SIZE_MAX, p[0] & 128), cut = visit(in, 1u + p[0] % 64, p[0] & 128);
    /* whether a client is told to go on depends on whether it had gone on already */
    bool same = str_eq(buf_str(&whole), buf_str(&cut));
    assert(same || told_to_go_on(&whole) || told_to_go_on(&cut));
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
