/* SPDX-License-Identifier: Apache-2.0 */
/* door_client.h - clients of both eras, one request a connection, and what they heard. */
#ifndef SP_TEST_DOOR_CLIENT_H
#define SP_TEST_DOOR_CLIENT_H
#include "door_front.h"

DOOR str door_token(arena *a, str kid, const char *sub, const char *scope)
{
    str claims = arena_fmt(a,
                           "{\"iss\":\"https://"
                           "login.example\",\"sub\":\"%s\",\"exp\":%lld,\"scope\":\"%s\"}",
                           sub, (long long)(clock_wall_ms() / 1000 + 600), scope);
    return jwt_mint(a, door_seed, kid, claims);
}

/* One request on a connection of its own; the whole answer, ended by the peer. */
typedef struct {
    int status;
    char all[1 << 18];
    const char *body;
} heard;

DOOR int door_dial(const door *d)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)d->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

DOOR void door_hear(int fd, heard *h)
{
    size_t n = 0;
    ssize_t got;
    while ((got = recv(fd, h->all + n, sizeof h->all - 1 - n, 0)) > 0) n += (size_t)got;
    h->all[n] = 0;
    h->status = n > 12 ? (int)strtol(h->all + 9, NULL, 10) : 0;
    const char *end = strstr(h->all, "\r\n\r\n");
    h->body = end ? end + 4 : h->all + n;
    close(fd);
}

/* `more`: further header lines, each with its CRLF. */
DOOR heard *door_ask(door *d, const char *verb, const char *path, const char *more,
                     const char *body)
{
    heard *h = NEW(d->a, heard);
    int fd = door_dial(d);
    const char *host = strstr(more, "Host:") ? "" : "Host: 127.0.0.1\r\n";
    str rq = arena_fmt(d->a,
                       "%s %s HTTP/1.1\r\n%sConnection: close\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                       verb, path, host,
                       strstr(more, "Content-Type") ? "" : "Content-Type: application/json\r\n",
                       more, strlen(body), body);
    send_text(fd, rq.p);
    door_hear(fd, h);
    return h;
}

#define MODERN_META                                                                                \
    "\"_meta\":{\"io.modelcontextprotocol/"                                                        \
    "protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}"

DOOR const char *modern_head(door *d, const char *method, const char *name, const char *more)
{
    str n = name ? arena_fmt(d->a, "Mcp-Name: %s\r\n", name) : S("");
    return arena_fmt(d->a,
                     "MCP-Protocol-Version: 2026-07-28\r\nAccept: application/json, "
                     "text/event-stream\r\nMcp-Method: %s\r\n%.*s%s",
                     method, STR_ARG(n), more)
        .p;
}

DOOR heard *modern_call(door *d, const char *path, const char *tool, const char *args,
                        const char *more)
{
    str body = arena_fmt(d->a,
                         "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/"
                         "call\",\"params\":{\"name\":\"%s\",\"arguments\":%s," MODERN_META "}}",
                         tool, args);
    return door_ask(d, "POST", path, modern_head(d, "tools/call", tool, more), body.p);
}

DOOR heard *modern_list(door *d, const char *path, const char *more)
{
    return door_ask(d, "POST", path, modern_head(d, "tools/list", NULL, more),
                    "{\"jsonrpc\":\"2.0\",\"id\":\"L\",\"method\":\"tools/"
                    "list\",\"params\":{" MODERN_META "}}");
}

DOOR const char *as(door *d, const char *sub, const char *scope)
{
    return arena_fmt(d->a, "Authorization: Bearer %.*s\r\n",
                     STR_ARG(door_token(d->a, S("k1"), sub, scope)))
        .p;
}

DOOR void must_have(const heard *h, const char *text)
{
    if (strstr(h->all, text)) return;
    print_error("missed: %s\nheard: %s\n", text, h->all);
    fail_msg("not heard");
}

DOOR void must_not_have(const heard *h, const char *text)
{
    if (!strstr(h->all, text)) return;
    print_error("unwanted: %s\nheard: %s\n", text, h->all);
    fail_msg("heard");
}

DOOR void must_status(const heard *h, int status)
{
    if (h->status == status) return;
    print_error("heard: %s\n", h->all);
    assert_int_equal(h->status, status);
}

/* An old client's handshake: the header line with its session. */
DOOR const char *legacy_session(door *d, const char *path, const char *version, const char *more)
{
    str body = arena_fmt(d->a,
                         "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                         "\"protocolVersion\":\"%s\",\"capabilities\":{},"
                         "\"clientInfo\":{\"name\":\"old\",\"version\":\"1\"}}}",
                         version);
    heard *h = door_ask(d, "POST", path, more, body.p);
    char id[400];
    must_status(h, 200);
    head_value(h->all, "Mcp-Session-Id", id, sizeof id);
    assert_true(id[0]);
    return arena_fmt(d->a,
                     "Mcp-Session-Id: %s\r\nAccept: application/json, text/event-stream\r\n%s", id,
                     more)
        .p;
}
#endif
