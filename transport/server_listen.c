/* SPDX-License-Identifier: Apache-2.0 */
/* server_listen.c - a listening socket, from the address as the configuration writes it. */
#include "server.h"
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static const err *resolve(arena *a, str address, struct addrinfo **out)
{
    size_t colon = address.n;
    while (colon && address.p[colon - 1] != ':') colon--;
    if (!colon) return err_new(a, ERR_MALFORMED, "address " STR_FMT ": no port", STR_ARG(address));
    str host = str_take(address, colon - 1);
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = str_drop(str_take(host, host.n - 1), 1);
    }
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    if (header_name_is(host, S("localhost"))) host = S("127.0.0.1");
    const char *name = host.n ? arena_dup(a, host).p : NULL;
    int rc = getaddrinfo(name, arena_dup(a, str_drop(address, colon)).p, &hints, out);
    if (rc)
        return err_new(a, ERR_MALFORMED, "address " STR_FMT ": %s", STR_ARG(address),
                       gai_strerror(rc));
    return NULL;
}

static const err *bound_name(arena *a, int fd, str *bound)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    char host[64], port[8];
    if (getsockname(fd, (struct sockaddr *)&at, &n) ||
        getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        return err_new(a, ERR_BUG, "a listening socket has no name");
    }
    *bound = at.ss_family == AF_INET6 ? arena_fmt(a, "[%s]:%s", host, port)
                                      : arena_fmt(a, "%s:%s", host, port);
    return NULL;
}

const err *server_listen_fd(arena *a, str address, int *fd, str *bound)
{
    static const int on = 1;
    struct addrinfo *at = NULL;
    *fd = -1;
    const err *e = resolve(a, address, &at);
    if (e) return e;
    if (!at) return err_new(a, ERR_MALFORMED, "address " STR_FMT ": none", STR_ARG(address));
    int s = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s >= 0 && at->ai_family == AF_INET6) {
        (void)setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) ||
        bind(s, at->ai_addr, at->ai_addrlen) || listen(s, BACKLOG)) {
        e = err_new(a, ERR_MALFORMED, "listen on " STR_FMT ": %m", STR_ARG(address));
    } else {
        e = bound_name(a, s, bound);
    }
    freeaddrinfo(at);
    if (e && s >= 0) close(s);
    if (!e) *fd = s;
    return e;
}
