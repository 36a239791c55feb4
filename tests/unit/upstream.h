/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.h - a server that says exactly what a test wants.
 *
 * The server is a thread; each connection it accepts is handed to the test's own function, one
 * after the other. */
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
#include <arpa/inet.h>
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
#endif
