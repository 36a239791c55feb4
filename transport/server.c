/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - one libmicrohttpd daemon per listener and worker, driven by the worker's loop.
 *
 * The daemon's epoll descriptor stands in the loop's own; each turn ends with MHD_run when that was
 * readable, when a product did something (a resume wakes nothing by itself in this mode), or
 * when the daemon said it has work left. It says so, too, for each connection that is left
 * waiting unsuspended, and for each TLS handshake under way: when a run did nothing the loop
 * sleeps, a millisecond for the former, longer and longer for the latter.
 *
 * Known cost: libmicrohttpd walks all suspended connections on each resume. Hundreds of open
 * streams do not feel it; for thousands, another front belongs behind server.h. */
#include "server.h"
#include "exchange_private.h"
#include <assert.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* POOL_EXTRA: beside the longest head, 64 bytes for each of 40 headers and 1 KiB of reply head.
 * Each connection holds the whole pool, and libmicrohttpd writes over all of it after each request.
 */
enum { RUNS = 8, BACKLOG = 4096, POOL_EXTRA = 3584, DEFAULT_HEADER = 12 * 1024, QUIET_MS = 1000 };

/* The listening socket */

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

/* Turns */

static bool is_due(const server *s)
{
    return s->must_run || s->pending || loop_now_ms(server_loop(s)) >= s->due_ms;
}

static void run_once(server *s)
{
    unsigned long long wait = 0;
    s->must_run = s->progress = false;
    s->running = true;
    MHD_run(s->daemon);
    s->running = false;
    stream_relieve(s);
    bool waits = MHD_get_timeout(s->daemon, &wait) == MHD_YES;
    s->pending = waits && wait == 0;
    s->due_ms = !waits || wait > INT_MAX ? INT64_MAX : loop_now_ms(server_loop(s)) + (int64_t)wait;
}

/* It said that it has work left, and its last run did nothing: 0 once or twice, then longer. */
static void be_patient(server *s)
{
    enum { AT_ONCE = 4, DOUBLINGS = 8 }; /* to 256 ms */
    unsigned times = ++s->vain;
    if (times <= AT_ONCE) return;
    unsigned doublings = times - AT_ONCE - 1 < DOUBLINGS ? times - AT_ONCE - 1 : DOUBLINGS;
    s->pending = false;
    s->due_ms = loop_now_ms(server_loop(s)) + (1 << doublings);
}

static int64_t turn(void *ctx)
{
    server *s = ctx;
    for (int i = 0; i < RUNS && is_due(s); i++) {
        run_once(s);
        bool vain = s->pending && !s->progress && !s->must_run;
        if (vain && s->spinning) return 1;
        if (vain && s->tls)
            be_patient(s);
        else if (s->progress)
            s->vain = 0;
    }
    if (s->must_run || s->pending) return 0;
    if (s->due_ms == INT64_MAX) return -1;
    int64_t wait = s->due_ms - loop_now_ms(server_loop(s));
    return wait > 0 ? wait : 0;
}

static void readable(void *ctx, uint32_t events)
{
    server *s = ctx;
    (void)events;
    s->must_run = true;
}

/* What libmicrohttpd says. Most of it is about clients that left; what is about us is louder. */

static bool is_about_us(const char *text)
{
    static const str ours[] = {{"Call to", 7},      {"Error a", 7},         {"Server reached", 14},
                               {"Hit process", 11}, {"Failed to init", 14}, {"Not enough", 10}};
    str s = {text, strlen(text)};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (str_starts(s, ours[i])) return true;
    }
    return false;
}

__attribute__((format(printf, 2, 0))) static void complain(void *cls, const char *format,
                                                           va_list ap)
{
    server *s = cls;
    if (!s->o.log) return;
    int64_t now = loop_now_ms(server_loop(s));
    if (now < s->quiet_until_ms) {
        s->unlogged++;
        return;
    }
    s->quiet_until_ms = now + QUIET_MS;
    char text[256], more[16];
    (void)vsnprintf(text, sizeof text, format, ap);
    (void)snprintf(more, sizeof more, "%u", s->unlogged);
    s->unlogged = 0;
    size_t n = strcspn(text, "\n");
    log_fact facts[] = {{"text", {text, n}}, {"unlogged", {more, strlen(more)}}, {0}};
    log_say(s->o.log, is_about_us(text) ? LOG_WARN_LEVEL : LOG_DEBUG_LEVEL, "http front", facts);
}

/* The path stays as sent. */
static size_t keep_escapes(void *cls, struct MHD_Connection *mc, char *s)
{
    (void)cls, (void)mc;
    return strlen(s);
}

/* Opening */

static server *create(const server_options *o, const server_listener *l)
{
    server *s = calloc(1, sizeof *s);
    if (!s) abort();
    unsigned workers = o->workers ? o->workers : 1;
    s->o = *o;
    s->index = l->index;
    s->tls = l->tls;
    if (!s->o.limits.header_bytes) s->o.limits.header_bytes = DEFAULT_HEADER;
    s->limit = o->limits.connections ? o->limits.connections / workers : 10000;
    if (!s->limit) s->limit = 1;
    s->fresh.patience_ms = o->limits.header_timeout_ms;
    s->kept.patience_ms =
        o->limits.idle_timeout_ms ? o->limits.idle_timeout_ms + o->limits.header_timeout_ms : 0;
    return s;
}

/* The options of a TLS listener, in the order libmicrohttpd wants: any. */
static void tls_options(const server *s, struct MHD_OptionItem out[4])
{
    union {
        const char *text;
        gnutls_certificate_retrieve_function2 *fn;
        void *any;
    } give = {.fn = conn_give_certificate},
      versions = {.text = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"}, ca = {.text = NULL};
    ca.text = tls_server_client_ca(s->tls);
    *out++ = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, give.any};
    *out++ = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, versions.any};
    if (ca.text) *out++ = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, ca.any};
    *out = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static struct MHD_Daemon *start(server *s, int fd)
{
    int64_t idle_s = (s->o.limits.idle_timeout_ms + 999) / 1000;
    struct MHD_OptionItem tls[4] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (s->tls) {
        tls_options(s, tls);
        flags |= MHD_USE_TLS;
    }
    /* clang-format off */
    return MHD_start_daemon(flags, 0, NULL, NULL, front_handle, s,
        MHD_OPTION_EXTERNAL_LOGGER, complain, s, /* first: the others may complain */
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, s->limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->o.limits.header_bytes + POOL_EXTRA,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(idle_s < UINT_MAX / 1000 ? idle_s : 0),
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, front_target, s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, front_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, conn_notify, s,
        MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    /* clang-format on */
}

const err *server_open(arena *a, const server_options *o, const server_listener *l, int fd,
                       server **out)
{
    *out = NULL;
    server *s = create(o, l);
    s->daemon = start(s, fd);
    const union MHD_DaemonInfo *info =
        s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        if (s->daemon)
            MHD_stop_daemon(s->daemon);
        else
            close(fd);
        free(s);
        return err_new(a, ERR_BUG, "listener " STR_FMT " could not be started",
                       STR_ARG(l->address));
    }
    s->watch = loop_watch_fd(o->loop, info->epoll_fd, EPOLLIN, readable, s);
    s->must_run = true;
    loop_on_turn(o->loop, turn, s);
    conn_sweep_start(s);
    *out = s;
    return NULL;
}

/* Closing */

void server_stop_accepting(server *s)
{
    if (s->draining) return;
    if (!s->running) run_once(s); /* those that already connected are served */
    s->draining = true;
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd >= 0) close(fd);
    for (conn *next, *c = s->conns; c; c = next) {
        next = c->next;
        if (c->x && c->x->announced && c->x->streamed) exchange_wake(c->x, FLOW_STOP);
        if (!c->x) conn_stop_reading(c);
    }
}

size_t server_exchanges(const server *s)
{
    return s->exchanges;
}
size_t server_connections(const server *s)
{
    return s->connections;
}

void server_drop(server *s)
{
    if (s->live) return;
    exchange_pool_free(s);
    free(s);
}

void server_close(server *s)
{
    if (!s) return;
    loop *l = server_loop(s);
    assert(!s->running);
    s->closed = true;
    s->live++; /* ending the last exchange must not free what we still need */
    for (conn *c = s->conns; c; c = c->next) {
        if (c->x) exchange_resume(c->x); /* it must not stop with suspended connections */
    }
    loop_off_turn(l, turn, s);
    loop_timer_stop(l, &s->sweep);
    loop_unwatch(l, s->watch);
    MHD_stop_daemon(s->daemon);
    conn_linger_free(s);
    stream_relieve(s);
    s->live--;
    server_drop(s);
}
