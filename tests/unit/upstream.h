/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.h - a server that says exactly what a test wants, and a client that notes what it heard.
 *
 * The server is a thread; each connection it accepts is handed to the test's own function, one
 * after the other. What the call reported is a text: "200[data]ok", "200[da!upstream why". */
#ifndef SP_TEST_UPSTREAM_H
#define SP_TEST_UPSTREAM_H
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../base/buf.h"
#include "../../base/clock.h"
#include "../../transport/client.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* The server */

typedef struct server_fake server_fake;
typedef void serve_fn(int fd, int nth, server_fake *s);
struct server_fake {
    int fd;
    unsigned port;
    serve_fn *fn;
    void *ctx;
    const char *text;
    pthread_t thread;
    atomic_int accepted;
};

static inline void *server_main(void *arg)
{
    server_fake *s = arg;
    for (;;) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) return NULL;
        s->fn(fd, atomic_fetch_add(&s->accepted, 1), s);
        close(fd);
    }
}

static inline void server_listen(server_fake *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

static inline void server_start(server_fake *s, serve_fn *fn, void *ctx)
{
    *s = (server_fake){.fn = fn, .ctx = ctx};
    server_listen(s);
}

static inline void server_text(server_fake *s, serve_fn *fn, const char *text)
{
    *s = (server_fake){.fn = fn, .text = text};
    server_listen(s);
}

static inline void server_end(server_fake *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static inline bool say(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static inline bool say_text(int fd, const char *text)
{
    return say(fd, text, strlen(text));
}

/* Reads one request into `in` (NUL-terminated): its size, 0 when the client has gone. */
static inline size_t hear(int fd, char *in, size_t cap)
{
    size_t n = 0;
    for (;;) {
        ssize_t k = recv(fd, in + n, cap - 1 - n, 0);
        if (k <= 0) return 0;
        n += (size_t)k;
        in[n] = 0;
        const char *end = strstr(in, "\r\n\r\n");
        if (!end) continue;
        const char *length = strstr(in, "Content-Length: ");
        size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
        size_t whole = (size_t)(end - in) + 4 + body;
        if (n >= whole) return n;
    }
}

/* True when the client closes within three seconds. */
static inline bool sees_close(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&p, 1, 3000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static inline void nap(int ms)
{
    (void)usleep((useconds_t)ms * 1000);
}

/* The client's side */

typedef struct trial {
    arena *a;
    loop *l;
    client *c;
    origin *to;
    logger *log;
    handle self;
    call *k;
    call_request rq;
    buf said;
    int ends, want_ends; /* the loop stops after so many */
    err_kind kind;       /* of the last error */
    bool quiet;          /* count, do not note the data */
    size_t bytes, mark;
    int resume_next_turn;
    void (*on_data)(struct trial *t);
    void (*on_bytes)(struct trial *t, str bytes);
    void (*on_head)(struct trial *t, const call_head *h);
    void (*on_end)(struct trial *t);
    loop_timer start, watchdog, other;
} trial;

static const char trial_type;

static inline void head_event(void *owner, const call_head *h)
{
    trial *t = owner;
    if (!t->quiet) buf_fmt(&t->said, "%d[", h->status);
    if (t->on_head) t->on_head(t, h);
}

static inline void data_event(void *owner, str bytes)
{
    trial *t = owner;
    assert_true(bytes.n > 0);
    t->bytes += bytes.n;
    if (!t->quiet) buf_put(&t->said, bytes);
    if (t->on_data) t->on_data(t);
    if (t->on_bytes) t->on_bytes(t, bytes);
}

static inline void end_event(void *owner, const err *why)
{
    trial *t = owner;
    t->k = NULL;
    if (why) t->kind = why->kind;
    if (why)
        buf_fmt(&t->said, "!%s " STR_FMT, err_kind_name(why->kind), STR_ARG(why->text));
    else if (!t->quiet)
        buf_put(&t->said, S("]ok"));
    if (t->on_end) t->on_end(t);
    if (++t->ends == t->want_ends) loop_stop(t->l);
}

static const call_events events = {head_event, data_event, end_event};

static inline void go(void *ctx)
{
    trial *t = ctx;
    size_t before = t->said.n;
    int ends = t->ends;
    t->k = call_start(t->c, &t->rq, &trial_type, t->self, &events);
    assert_non_null(t->k);
    assert_int_equal(t->said.n, before); /* no event from inside call_start */
    assert_int_equal(t->ends, ends);
}

static inline void too_long(void *ctx)
{
    trial *t = ctx;
    buf_put(&t->said, S("<hangs>"));
    loop_stop(t->l);
}

static inline void stop_soon(void *ctx)
{
    loop_stop(((trial *)ctx)->l);
}

static inline void trial_url(trial *t, const char *url, const tls_client *tls)
{
    url_parts u;
    t->a = arena_new();
    t->l = loop_new(0);
    t->log = log_new(2, LOG_ERROR_LEVEL);
    t->c = client_new(t->l, t->log, 8);
    assert_null(url_parse(t->a, (str){url, strlen(url)}, &u));
    assert_null(origin_new(t->a, &u, tls, &t->to));
    t->self = handle_add(loop_handles(t->l), &trial_type, t);
    t->said = buf_new(t->a, 16u << 20);
    t->want_ends = 1;
    t->rq = (call_request){.to = t->to,
                           .method = S("GET"),
                           .target = S("/"),
                           .connect_ms = 3000,
                           .answer_ms = 3000,
                           .idle_ms = 3000};
}

static inline void trial_new(trial *t, unsigned port)
{
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    *t = (trial){0};
    trial_url(t, url, NULL);
}

static inline void trial_run(trial *t)
{
    loop_timer_start(t->l, &t->start, 0, go, t);
    loop_timer_start(t->l, &t->watchdog, 20000, too_long, t);
    loop_run(t->l);
}

static inline void trial_free(trial *t)
{
    handle_drop(loop_handles(t->l), t->self);
    client_free(t->c);
    origin_free(t->to);
    loop_free(t->l);
    log_free(t->log);
    arena_free(t->a);
}

static inline void assert_said(const trial *t, const char *want)
{
    if (!str_eq(buf_str(&t->said), (str){want, strlen(want)}))
        fail_msg("said  " STR_FMT "\nwanted %s", STR_ARG(buf_str(&t->said)), want);
}

static inline void assert_said_part(const trial *t, const char *want)
{
    if (!memmem(t->said.p, t->said.n, want, strlen(want)))
        fail_msg("said  " STR_FMT "\nwanted %s in it", STR_ARG(buf_str(&t->said)), want);
}

#define OK "HTTP/1.1 200 OK\r\n"

/* Answers every request on a connection with the same bytes. */
static inline void always(int fd, int nth, server_fake *s)
{
    char in[65536];
    (void)nth;
    while (hear(fd, in, sizeof in))
        if (!say_text(fd, s->text)) return;
}

static inline size_t descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static inline void again(trial *t)
{
    if (t->ends + 1 < t->want_ends) go(t);
}

static inline void close_each(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth;
    if (hear(fd, in, sizeof in)) (void)say_text(fd, s->text);
}

static inline void silent(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth;
    if (!hear(fd, in, sizeof in)) return;
    if (s->text) (void)say_text(fd, s->text);
    assert_true(sees_close(fd));
}

static inline void resume_after(void *ctx)
{
    trial *t = ctx;
    call_resume(t->k);
}

static inline void pause_briefly(trial *t)
{
    call_pause(t->k);
    loop_timer_start(t->l, &t->other, 10, resume_after, t);
}
#endif
