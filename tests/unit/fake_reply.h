/* SPDX-License-Identifier: Apache-2.0 */
/* fake_reply.h - what a scripted MCP server writes. */
#ifndef SP_TEST_FAKE_REPLY_H
#define SP_TEST_FAKE_REPLY_H
#include "fake_http.h"

static inline upstream_spec fake_spec(const fake *f)
{
    return (upstream_spec){.kind = UPSTREAM_HTTP,
                           .url = {f->url, strlen(f->url)},
                           .timeout_ms = 5000,
                           .list_timeout_ms = 1000,
                           .connect_ms = 1000,
                           .ttl_ms = 60000};
}

static inline void send_text(int fd, const char *text)
{
    size_t n = strlen(text);
    while (n) {
        ssize_t put = send(fd, text, n, MSG_NOSIGNAL);
        if (put <= 0) return;
        text += put;
        n -= (size_t)put;
    }
}

__attribute__((format(printf, 4, 5))) static inline void
fake_json(int fd, int status, const char *more, const char *fmt, ...)
{
    char *body = NULL, *all = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&body, fmt, ap) < 0) abort();
    va_end(ap);
    if (asprintf(&all,
                 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: "
                 "%zu\r\n%s\r\n%s",
                 status, strlen(body), more, body) < 0)
        abort();
    send_text(fd, all);
    free(body);
    free(all);
}

static inline void fake_empty(int fd, int status)
{
    char all[128];
    (void)snprintf(all, sizeof all, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
    send_text(fd, all);
}

static inline void fake_stream(int fd)
{
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n");
}

__attribute__((format(printf, 2, 3))) static inline void fake_event(int fd, const char *fmt, ...)
{
    char *data = NULL, *all = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&data, fmt, ap) < 0) abort();
    va_end(ap);
    if (asprintf(&all, "%zx\r\nevent: message\ndata: %s\n\n\r\n", strlen(data) + 23, data) < 0)
        abort();
    send_text(fd, all);
    free(data);
    free(all);
}

static inline void fake_stream_end(int fd)
{
    send_text(fd, "0\r\n\r\n");
}

static inline void fake_discover(int fd, const fake_request *rq)
{
    fake_json(fd, 200, "",
              "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\","
              "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{}}}",
              rq->id);
}
#endif
