/* SPDX-License-Identifier: Apache-2.0 */
#include "client_tunnel.h"
#include "../base/buf.h"
#include "h1_response.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUESTION_MOST = 4096, ANSWER_MOST = 16 << 10, READ_MOST = 2048 };

struct tunnel {
    buf question;
    size_t sent;
    h1_response answer;
    char why[96];
};

tunnel *tunnel_new(const origin *to)
{
    tunnel *t = calloc(1, sizeof *t);
    if (!t) abort();
    str host = origin_host(to);
    bool v6 = memchr(host.p, ':', host.n) != NULL;
    t->question = buf_new(NULL, QUESTION_MOST);
    buf_fmt(&t->question, v6 ? "CONNECT [" STR_FMT "]:%u" : "CONNECT " STR_FMT ":%u", STR_ARG(host),
            origin_port(to));
    buf_fmt(&t->question,
            v6 ? " HTTP/1.1\r\nHost: [" STR_FMT "]:%u\r\n"
               : " HTTP/1.1\r\nHost: " STR_FMT ":%u\r\n",
            STR_ARG(host), origin_port(to));
    str shown = origin_proxy(to)->authorization;
    if (shown.n) buf_fmt(&t->question, "Proxy-Authorization: " STR_FMT "\r\n", STR_ARG(shown));
    buf_put(&t->question, S("\r\n"));
    h1_begin(&t->answer, true, ANSWER_MOST);
    return t;
}

void tunnel_free(tunnel *t)
{
    if (!t) return;
    if (t->question.p) explicit_bzero(t->question.p, t->question.n);
    buf_free(&t->question);
    h1_free(&t->answer);
    free(t);
}

const char *tunnel_why(const tunnel *t)
{
    return t->why;
}

static tunnel_state refuse(tunnel *t, const char *why)
{
    (void)snprintf(t->why, sizeof t->why, "%s", why);
    return TUNNEL_REFUSED;
}

static tunnel_state judge(tunnel *t, str in)
{
    str none = {0};
    switch (h1_next(&t->answer, &in, &none)) {
    case H1_MORE: return TUNNEL_WAITS;
    case H1_HEAD: break;
    default: return refuse(t, "the proxy's answer is no HTTP");
    }
    if (t->answer.status / 100 != 2) {
        (void)snprintf(t->why, sizeof t->why, "the proxy opens no tunnel: it says %d",
                       t->answer.status);
        return TUNNEL_REFUSED;
    }
    return in.n ? refuse(t, "the proxy said more than its answer") : TUNNEL_OPEN;
}

/* What a system call that gave no bytes means. */
static tunnel_state stopped(tunnel *t)
{
    if (errno == EAGAIN) return TUNNEL_WAITS;
    return refuse(t, "the proxy's connection broke");
}

/* TUNNEL_OPEN: all of it is sent. */
static tunnel_state ask(tunnel *t, int fd)
{
    while (t->sent < t->question.n) {
        ssize_t n = send(fd, t->question.p + t->sent, t->question.n - t->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return stopped(t);
        t->sent += (size_t)n;
    }
    return TUNNEL_OPEN;
}

static tunnel_state listen_to(tunnel *t, int fd)
{
    char in[READ_MOST];
    tunnel_state state = TUNNEL_WAITS;
    while (state == TUNNEL_WAITS) {
        ssize_t n = recv(fd, in, sizeof in, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return stopped(t);
        if (n == 0) return refuse(t, "the proxy closed the connection");
        state = judge(t, (str){in, (size_t)n});
    }
    return state;
}

tunnel_state tunnel_advance(tunnel *t, int fd)
{
    if (!buf_ok(&t->question)) return refuse(t, "the origin's name is too long for a tunnel");
    tunnel_state state = ask(t, fd);
    return state == TUNNEL_OPEN ? listen_to(t, fd) : state;
}
