/* SPDX-License-Identifier: Apache-2.0 */
/* raw_client.h - a client that sends bytes as they are and looks at what comes back. */
#ifndef SP_RAW_CLIENT_H
#define SP_RAW_CLIENT_H
#include "front_rig.h"

RIG int dial(const rig *g)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)g->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

RIG void say(int fd, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* Reads until `until` was seen, the peer closed, or 5 s passed. */
RIG buf hear(int fd, const char *until)
{
    buf b = buf_new(NULL, 64 << 20);
    char some[16384];
    size_t len = until ? strlen(until) : 0;
    for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) > 0;) {
        size_t from = b.n < len ? 0 : b.n - len; /* only what is new, and what it may complete */
        buf_put(&b, (str){some, (size_t)n});
        if (until && memmem(b.p + from, b.n - from, until, len)) break;
    }
    buf_put(&b, (str){"", 1});
    b.n--;
    return b;
}

RIG bool has(const buf *b, const char *text)
{
    return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

/* The peer's end: 0 a clean close, -1 a reset, 1 still open after `ms`. */
RIG int ending(int fd, int ms)
{
    char some[4096];
    struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t n;
    while ((n = recv(fd, some, sizeof some, 0)) > 0) continue;
    if (n == 0) return 0;
    return errno == EAGAIN ? 1 : -1;
}

/* One request on one connection; expects `want` in what comes back until the close or `until`. */
RIG void talk(const rig *g, const char *request, const char *until, const char *want)
{
    int fd = dial(g);
    say(fd, request);
    buf b = hear(fd, until);
    if (!has(&b, want)) print_message("asked: %s\nheard: %s\nmissed: %s\n", request, b.p, want);
    assert_true(has(&b, want));
    buf_free(&b);
    close(fd);
}
#endif
