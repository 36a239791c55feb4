/* SPDX-License-Identifier: Apache-2.0 */
/* bench_upstream.c - what stands behind nginx and the gateway in a benchmark: fast, dumb, one
 * thread.
 *
 *   bench_upstream PORT
 *
 * POST with `"stream":true`: 40 SSE events, one every 20 ms, each with its send time ([t:NS]), and
 * [DONE]; with "hold" in the body only the first, and then nothing. POST to .../converse-stream:
 * the same as Bedrock says it. An MCP request: server/discover, tools/list (100 tools) or a
 * tools/call result, with the request's id. Anything else: a chat completion of about 1 KB.
 * Requests must have a Content-Length. */
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

enum { BUFFER = 1 << 17, EVENTS = 40, PACE_NS = 20000000, MOST = 8192 };

typedef struct conn {
    int fd;
    size_t have;
    int events_left;
    bool mcp, converse; /* what is asked for; converse: in Bedrock's frames */
    uint64_t next_event;
    struct conn *next_streaming;
    char buffer[BUFFER];
} conn;

static struct upstream {
    int epoll;
    conn *streaming;
    char chat[2048], tools[65536];
    char whole_chat[3072]; /* with its head */
    size_t chat_bytes, whole_bytes;
} up;

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(conn *c, const char *p, size_t n)
{
    while (n) {
        ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EAGAIN)
            continue; /* answers are small: a busy wait is rare and short */
        if (k <= 0) return;
        p += k;
        n -= (size_t)k;
    }
}

static size_t write_reply(char *out, size_t room, const char *body, size_t n)
{
    int head_bytes =
        snprintf(out, room,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 n);
    memcpy(out + head_bytes, body, n);
    return (size_t)head_bytes + n;
}

static void reply(conn *c, const char *body, size_t n)
{
    static char out[BUFFER];
    put(c, out, write_reply(out, sizeof out, body, n));
}

static void make_bodies(void)
{
    char filler[801];
    memset(filler, 'y', 800);
    filler[800] = 0;
    up.chat_bytes = (size_t)
        snprintf(up.chat, sizeof up.chat,
                 "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":"
                 "\"gpt-4o\",\"choices\":[{"
                 "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_"
                 "reason\":\"stop\"}],"
                 "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":3,\"total_tokens\":14}}",
                 filler);
    up.whole_bytes = write_reply(up.whole_chat, sizeof up.whole_chat, up.chat, up.chat_bytes);
    size_t n = 0;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(up.tools + n, sizeof up.tools - n,
                              "%s{\"name\":\"tool_%d\",\"description\":\"The tool number %d does "
                              "what tools do, and says so at "
                              "some "
                              "length\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"
                              "\"path\":{\"type\":\"string\"},"
                              "\"size\":{\"type\":\"integer\"}},\"required\":[\"path\"]}}",
                              i ? "," : "", i, i);
}

static void put_chunk(conn *c, const void *bytes, size_t n)
{
    char chunk[1024];
    int head = snprintf(chunk, sizeof chunk, "%zx\r\n", n);
    memcpy(chunk + head, bytes, n);
    memcpy(chunk + head + n, "\r\n", 2);
    put(c, chunk, (size_t)head + n + 2);
}

/* Frames of application/vnd.amazon.eventstream */

static uint32_t crc32_of(const unsigned char *p, size_t n)
{
    uint32_t crc = ~0U;
    while (n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    return ~crc;
}

static void put_u32(unsigned char *to, size_t v)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* Both lengths are below 128. */
static size_t put_header(unsigned char *to, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);
    to[0] = (unsigned char)n;
    memcpy(to + 1, name, n);
    to[n + 1] = 7; /* a string */
    to[n + 2] = 0;
    to[n + 3] = (unsigned char)v;
    memcpy(to + n + 4, value, v);
    return n + 4 + v;
}

static void put_frame(conn *c, const char *type, const char *json)
{
    enum { PRELUDE = 12, CRC = 4 };
    unsigned char f[900];
    size_t n = put_header(f + PRELUDE, ":event-type", type), body = strlen(json);
    n += put_header(f + PRELUDE + n, ":message-type", "event");
    size_t whole = PRELUDE + n + body + CRC;
    put_u32(f, whole);
    put_u32(f + 4, n);
    put_u32(f + 8, crc32_of(f, 8));
    memcpy(f + PRELUDE + n, json, body);
    put_u32(f + whole - CRC, crc32_of(f, whole - CRC));
    put_chunk(c, f, whole);
}

static void put_event(conn *c)
{
    char event[512];
    unsigned long long now = now_ns();
    if (c->converse) {
        (void)snprintf(event, sizeof event,
                       "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"[t:%llu] %.120s\"}}", now,
                       up.chat + 200);
        put_frame(c, "contentBlockDelta", event);
        return;
    }
    int n = snprintf(event, sizeof event,
                     "data: {\"choices\":[{\"delta\":{\"content\":\"[t:%llu] %.120s\"}}]}\n\n", now,
                     up.chat + 200);
    put_chunk(c, event, (size_t)n);
}

/* A chat without [DONE] was cut, and the gateway says so. */
static void end_stream(conn *c)
{
    static const char done[] = "data: [DONE]\n\n";
    if (c->converse) {
        put_frame(c, "contentBlockStop", "{\"contentBlockIndex\":0}");
        put_frame(c, "messageStop", "{\"stopReason\":\"end_turn\"}");
        put_frame(c, "metadata",
                  "{\"usage\":{\"inputTokens\":11,\"outputTokens\":40,\"totalTokens\":51}}");
    } else {
        put_chunk(c, done, sizeof done - 1);
    }
    put(c, "0\r\n\r\n", 5);
}

static void begin_stream(conn *c, bool holds)
{
    char head[256];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
                     c->converse ? "application/vnd.amazon.eventstream" : "text/event-stream");
    put(c, head, (size_t)n);
    if (c->converse) put_frame(c, "messageStart", "{\"role\":\"assistant\"}");
    if (holds) {
        put_event(c);
        return;
    }
    c->events_left = EVENTS;
    c->next_event = now_ns() + PACE_NS;
    c->next_streaming = up.streaming;
    up.streaming = c;
}

static void answer_mcp(conn *c, const char *body, const char *id)
{
    static char out[BUFFER];
    int id_bytes = (int)strcspn(id, ",}");
    const char *common =
        "\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"
        "{\"name\":\"bench\",\"version\":\"1\"}}";
    int n;
    if (strstr(body, "\"server/discover\""))
        n = snprintf(out, sizeof out,
                     "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{%s,\"supportedVersions\":["
                     "\"2026-07-28\"],"
                     "\"capabilities\":{\"tools\":{}},\"ttlMs\":600000,\"cacheScope\":\"public\"}}",
                     id_bytes, id, common);
    else if (strstr(body, "\"tools/list\""))
        n = snprintf(out, sizeof out,
                     "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{%s,\"tools\":[%s],\"ttlMs\":"
                     "600000,"
                     "\"cacheScope\":\"public\"}}",
                     id_bytes, id, common, up.tools);
    else
        n = snprintf(out, sizeof out,
                     "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{%s,\"content\":[{\"type\":"
                     "\"text\",\"text\":"
                     "\"%.200s\"}]}}",
                     id_bytes, id, common, up.chat + 200);
    reply(c, out, (size_t)n);
}

static void answer(conn *c, const char *body)
{
    const char *id = c->mcp ? strstr(body, "\"id\":") : NULL;
    if (id)
        answer_mcp(c, body, id + 5);
    else if (c->converse || strstr(body, "\"stream\":true"))
        begin_stream(c, strstr(body, "\"hold\"") != NULL);
    else
        put(c, up.whole_chat, up.whole_bytes);
}

static void drop(conn *c)
{
    for (conn **p = &up.streaming; *p; p = &(*p)->next_streaming)
        if (*p == c) {
            *p = c->next_streaming;
            break;
        }
    (void)close(c->fd);
    free(c);
}

static bool target_ends(const conn *c, const char *end)
{
    const char *line_end = memchr(c->buffer, '\n', c->have);
    return line_end && memmem(c->buffer, (size_t)(line_end - c->buffer), end, strlen(end));
}

static void take_requests(conn *c)
{
    for (;;) {
        load_head h = head_read(c->buffer, c->have);
        if (!h.size || c->have - h.size < h.body) return;
        size_t whole = h.size + h.body;
        c->converse = target_ends(c, "/converse-stream ");
        c->mcp = target_ends(c, "/mcp ");
        char after = c->buffer[whole];
        c->buffer[whole] = 0;
        answer(c, c->buffer + h.size);
        c->buffer[whole] = after;
        c->have -= whole;
        if (c->have) memmove(c->buffer, c->buffer + whole, c->have);
    }
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
            drop(c);
            return;
        }
        more = (size_t)n == room || events & EPOLLRDHUP;
        c->have += (size_t)n;
        take_requests(c);
    }
}

/* Sends what is due; returns how long nothing is, in ms. */
static int run_streams(void)
{
    uint64_t now = now_ns(), soonest = UINT64_MAX;
    for (conn *c = up.streaming, *next; c; c = next) {
        next = c->next_streaming;
        if (c->next_event <= now) {
            put_event(c);
            c->next_event += PACE_NS;
            if (--c->events_left == 0) {
                end_stream(c);
                for (conn **p = &up.streaming; *p; p = &(*p)->next_streaming)
                    if (*p == c) {
                        *p = c->next_streaming;
                        break;
                    }
                continue;
            }
        }
        if (c->next_event < soonest) soonest = c->next_event;
    }
    if (soonest == UINT64_MAX) return 100;
    now = now_ns();
    return soonest <= now ? 0 : (int)((soonest - now) / 1000000);
}

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        conn *c = calloc(1, sizeof *c);
        if (!c) exit(1);
        c->fd = fd;
        struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        (void)epoll_ctl(up.epoll, EPOLL_CTL_ADD, fd, &ev);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    (void)prctl(PR_SET_TIMERSLACK, 1);
    make_bodies();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, MOST) != 0) {
        perror("bind");
        return 1;
    }
    up.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    (void)epoll_ctl(up.epoll, EPOLL_CTL_ADD, listener, &ev);
    for (struct epoll_event ready[256];;) {
        int n = epoll_wait(up.epoll, ready, 256, run_streams());
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr)
                on_readable(ready[i].data.ptr, ready[i].events);
            else
                accept_all(listener);
        }
    }
}
