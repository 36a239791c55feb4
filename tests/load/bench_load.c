/* SPDX-License-Identifier: Apache-2.0 */
/* bench_load.c - a closed-loop load generator: N connections, each sends the same request again
 * as soon as its answer is whole.
 *
 *   bench_load PORT CONNECTIONS SECONDS REQUEST-FILE [events]
 *
 * The file holds the raw request, head and body. Prints one JSON line: requests, errors, seconds,
 * latency percentiles; with `events` each SSE event carries its send time ([t:NANOSECONDS]) and
 * the percentiles are those of the events' way. Answers must have Content-Length or be chunked. */
#include "head.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, MOST = 4096, SAMPLES = 1 << 22 };

typedef struct {
    int fd;
    uint64_t began;
    size_t have; /* bytes in buffer */
    bool has_head, chunked;
    size_t body_left; /* Content-Length still to come */
    char *buffer;
} conn;

static struct load {
    int epoll;
    unsigned short port;
    char *request;
    size_t request_bytes;
    bool events;
    uint32_t *samples; /* ns, capped at 4 s */
    size_t sample_count, done, errors;
    uint64_t until;
} load;

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sample(uint64_t ns)
{
    if (load.sample_count < SAMPLES)
        load.samples[load.sample_count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void open_conn(conn *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(load.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) die("epoll_ctl");
}

static void fire(conn *c)
{
    c->began = now_ns();
    c->have = 0;
    c->has_head = c->chunked = false;
    size_t sent = 0;
    while (sent < load.request_bytes) {
        ssize_t n = send(c->fd, load.request + sent, load.request_bytes - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            load.errors++;
            return;
        }
        sent += (size_t)n;
    }
}

static void restart(conn *c)
{
    (void)close(c->fd);
    load.errors++;
    open_conn(c);
    fire(c);
}

/* Reads the head when it is whole; false: not yet. */
static bool read_head(conn *c)
{
    load_head h = head_read(c->buffer, c->have);
    if (!h.size) return false;
    if (memcmp(c->buffer, "HTTP/1.1 200", 12) != 0) load.errors++;
    c->chunked = !h.sized;
    c->body_left = h.body;
    c->have -= h.size;
    if (c->chunked) memmove(c->buffer, c->buffer + h.size, c->have);
    c->has_head = true;
    return true;
}

static void take_events(conn *c, uint64_t at)
{
    c->buffer[c->have] = 0;
    char *from = c->buffer, *mark;
    while ((mark = strstr(from, "[t:"))) {
        char *end = strstr(mark, "\n\n");
        if (!end) break;
        uint64_t sent = strtoull(mark + 3, NULL, 10);
        if (sent && sent < at) sample(at - sent);
        from = end + 2;
    }
    size_t used = (size_t)(from - c->buffer);
    memmove(c->buffer, from, c->have - used);
    c->have -= used;
}

/* True when the answer is whole. */
static bool read_body(conn *c, uint64_t at)
{
    if (!c->chunked) {
        c->body_left -= c->have < c->body_left ? c->have : c->body_left;
        c->have = 0;
        return c->body_left == 0;
    }
    if (load.events) take_events(c, at);
    bool whole = c->have >= 5 && memcmp(c->buffer + c->have - 5, "0\r\n\r\n", 5) == 0;
    if (!load.events && !whole && c->have > 4) { /* keep only what may hold the end */
        memmove(c->buffer, c->buffer + c->have - 4, 4);
        c->have = 4;
    }
    return whole;
}

static void on_bytes(conn *c, size_t n)
{
    uint64_t at = now_ns();
    c->have += n;
    if (!c->has_head && !read_head(c)) return;
    if (!read_body(c, at)) return;
    load.done++;
    if (!load.events) sample(at - c->began);
    if (at < load.until) fire(c);
}

/* The socket calls once: what it has is read until it gives less than there is room for, and to
 * its end if that has come. */
static void on_readable(conn *c, uint32_t events)
{
    for (bool more = true; more;) {
        size_t room = BUFFER - 1 - c->have;
        ssize_t n = recv(c->fd, c->buffer + c->have, room, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            restart(c);
            return;
        }
        more = (size_t)n == room || events & EPOLLRDHUP;
        on_bytes(c, (size_t)n);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double p)
{
    if (load.sample_count == 0) return 0;
    return load.samples[(size_t)((double)(load.sample_count - 1) * p)] / 1000.0;
}

static void read_request(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    load.request = malloc(BUFFER);
    if (!load.request) die("malloc");
    load.request_bytes = fread(load.request, 1, BUFFER, f);
    (void)fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        (void)fprintf(stderr, "usage: bench_load PORT CONNECTIONS SECONDS REQUEST-FILE [events]\n");
        return 2;
    }
    (void)prctl(PR_SET_TIMERSLACK, 1);
    load.port = (unsigned short)strtoul(argv[1], NULL, 10);
    size_t count = strtoul(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL);
    read_request(argv[4]);
    load.events = argc > 5;
    load.samples = malloc(SAMPLES * sizeof *load.samples);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    conn *conns = calloc(MOST, sizeof *conns);
    if (count == 0 || count > MOST || !load.samples || !conns) return 2;
    uint64_t began = now_ns();
    load.until = began + (uint64_t)(seconds * 1e9);
    for (size_t i = 0; i < count; i++) {
        conns[i].buffer = malloc(BUFFER);
        if (!conns[i].buffer) die("malloc");
        open_conn(&conns[i]);
        fire(&conns[i]);
        /* streams begin apart from each other: their events must not come in one burst */
        if (load.events) (void)usleep((useconds_t)(20000 / count));
    }
    struct epoll_event ready[256];
    while (now_ns() < load.until) {
        int n = epoll_wait(load.epoll, ready, 256, 50);
        for (int i = 0; i < n; i++) on_readable(ready[i].data.ptr, ready[i].events);
    }
    double took = (double)(now_ns() - began) / 1e9;
    qsort(load.samples, load.sample_count, sizeof *load.samples, by_size);
    (void)printf("{\"requests\":%zu,\"errors\":%zu,\"seconds\":%.3f,\"samples\":%zu,"
                 "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
                 load.done, load.errors, took, load.sample_count, percentile(.5), percentile(.99));
    return 0;
}
