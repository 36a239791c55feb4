/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c - one blocking fetch through libcurl, for documents whose URL may come from outside.
 *
 * A discovered URL may name our own metadata service, or a host that resolves to a public address
 * when we look and to a private one when libcurl does. So we resolve once, judge every address,
 * and pin libcurl to them; and because that is worth saying twice, each socket's address is
 * judged again as it is opened. Redirects are followed by hand, since each is a URL from outside.
 *
 * A redirect to another host takes no headers along (they hold credentials), none leads from
 * https to http, and a POST is not redirected at all. Environment proxies would resolve for us:
 * they are switched off. */
#include "../base/buf.h"
#include "../base/clock.h"
#include "client.h"
#include "fetch_guard.h"
#include "h1_text.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

enum {
    BODY_LIMIT = 1 << 20,
    TIMEOUT_MS = 10000,
    REDIRECTS = 3,
    ADDRESSES = 8,
    HEADERS_LIMIT = 64 * 1024
};

typedef struct {
    arena *a;
    const fetch_request *rq;
    int64_t deadline_ms;
    bool bare; /* redirected to another host: no headers */
    bool refused, too_large;
    buf body;
    size_t head_n;
    char error[CURL_ERROR_SIZE];
} job;

/* Callbacks of libcurl */

static size_t on_body(const char *p, size_t size, size_t n, void *ctx)
{
    job *j = ctx;
    j->too_large = !buf_put(&j->body, (str){p, size * n});
    return j->too_large ? 0 : size * n;
}

static size_t on_header(const char *p, size_t size, size_t n, void *ctx)
{
    job *j = ctx;
    str_pair cut = str_cut((str){p, size * n}, ':');
    j->head_n += size * n;
    j->too_large = j->head_n > HEADERS_LIMIT;
    if (j->rq->challenge && cut.ok && header_name_is(cut.head, S("www-authenticate")))
        *j->rq->challenge = arena_dup(j->a, cut.tail);
    if (j->rq->date && cut.ok && header_name_is(cut.head, S("date")))
        *j->rq->date = arena_dup(j->a, cut.tail);
    return j->too_large ? 0 : size * n;
}

static int on_progress(void *ctx, curl_off_t down, curl_off_t so_far, curl_off_t up,
                       curl_off_t sent)
{
    const job *j = ctx;
    (void)down, (void)so_far, (void)up, (void)sent;
    return atomic_load(j->rq->stop);
}

static curl_socket_t on_socket(void *ctx, curlsocktype why, struct curl_sockaddr *to)
{
    job *j = ctx;
    (void)why;
    if (!j->rq->allow_private && !fetch_may_reach(&to->addr)) {
        j->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Where the host may be reached: "host:port:address,address" for CURLOPT_RESOLVE. */

static bool put_address(buf *out, const struct addrinfo *i)
{
    char text[INET6_ADDRSTRLEN];
    const void *any = i->ai_addr;
    const void *binary = i->ai_family == AF_INET
                             ? (const void *)&((const struct sockaddr_in *)any)->sin_addr
                             : (const void *)&((const struct sockaddr_in6 *)any)->sin6_addr;
    if (!inet_ntop(i->ai_family, binary, text, sizeof text)) return false;
    return buf_fmt(out, i->ai_family == AF_INET6 ? "[%s]" : "%s", text);
}

static const err *judge(job *j, const url_parts *u, const struct addrinfo *found, str *pin)
{
    bool v6 = memchr(u->host.p, ':', u->host.n) != NULL;
    buf out = buf_new(j->a, 1024);
    buf_fmt(&out, v6 ? "[" STR_FMT "]:%u:" : STR_FMT ":%u:", STR_ARG(u->host), u->port);
    int count = 0;
    for (const struct addrinfo *i = found; i && count < ADDRESSES; i = i->ai_next) {
        if (i->ai_family != AF_INET && i->ai_family != AF_INET6) continue;
        if (!j->rq->allow_private && !fetch_may_reach(i->ai_addr))
            return err_new(j->a, ERR_FORBIDDEN, STR_FMT " has an address that is not public",
                           STR_ARG(u->host));
        if (count++) buf_put(&out, S(","));
        if (!put_address(&out, i)) return err_new(j->a, ERR_BUG, "address");
    }
    buf_put(&out, (str){"", 1});
    if (!count || !buf_ok(&out))
        return err_new(j->a, ERR_UPSTREAM, STR_FMT " has no usable address", STR_ARG(u->host));
    *pin = buf_str(&out);
    return NULL;
}

static const err *resolve(job *j, const url_parts *u, str *pin)
{
    struct addrinfo want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(u->host.p, NULL, &want, &found))
        return err_new(j->a, ERR_UPSTREAM, STR_FMT " does not resolve", STR_ARG(u->host));
    const err *e = judge(j, u, found, pin);
    freeaddrinfo(found);
    return e;
}

/* One exchange */

static void drop_list(void *list)
{
    curl_slist_free_all(list);
}

static struct curl_slist *append(struct curl_slist *list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(list, text);
    if (!longer) curl_slist_free_all(list);
    return longer;
}

/* NULL when a header would split, or there is no memory for it. "Expect:" is switched off. */
static struct curl_slist *header_list(const job *j)
{
    struct curl_slist *list = append(NULL, "Expect:");
    for (const header *h = j->bare ? NULL : j->rq->headers; list && h && h->name.p; h++) {
        if (!h1_is_token(h->name) || !h1_is_value(h->value)) {
            curl_slist_free_all(list);
            return NULL;
        }
        /* curl takes "Name;" for a header without a value */
        str line = h->value.n
                       ? arena_fmt(j->a, STR_FMT ": " STR_FMT, STR_ARG(h->name), STR_ARG(h->value))
                       : arena_fmt(j->a, STR_FMT ";", STR_ARG(h->name));
        list = append(list, line.p);
    }
    return list;
}

/* NULL: it is shown nothing. */
static struct curl_slist *proxy_headers(const job *j)
{
    str value = j->rq->proxy.authorization;
    if (!value.n || !h1_is_value(value)) return NULL;
    return append(NULL, arena_fmt(j->a, "Proxy-Authorization: " STR_FMT, STR_ARG(value)).p);
}

/* Always a tunnel, so that a proxy sees no more of http than of https. `shown` is what it is shown.
 */
static bool set_proxy(CURL *c, const job *j, struct curl_slist *shown)
{
    const proxy_at *via = &j->rq->proxy;
    if (!via->host.p) return curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
    bool v6 = memchr(via->host.p, ':', via->host.n) != NULL;
    str at = arena_fmt(j->a, v6 ? "http://[" STR_FMT "]" : "http://" STR_FMT, STR_ARG(via->host));
    return curl_easy_setopt(c, CURLOPT_PROXY, at.p) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXYPORT, (long)via->port) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXYHEADER, shown) == CURLE_OK;
}

static bool set_limits(CURL *c, job *j)
{
    int64_t left = j->deadline_ms - clock_mono_ms();
    return curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
                            j->rq->allow_private ? "http,https" : "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1)) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)j->body.limit) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "sallyport") == CURLE_OK;
}

static bool set_callbacks(CURL *c, job *j)
{
    bool ends =
        !j->rq->stop || (curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
                         curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
                         curl_easy_setopt(c, CURLOPT_XFERINFODATA, j) == CURLE_OK);
    return ends && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, j) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERDATA, j) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, j) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, j->error) == CURLE_OK;
}

static bool set_request(CURL *c, const job *j, str url, struct curl_slist *headers,
                        struct curl_slist *pins)
{
    const fetch_request *rq = j->rq;
    bool ok = curl_easy_setopt(c, CURLOPT_URL, url.p) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_RESOLVE, pins) == CURLE_OK;
    if (ok && rq->method.p)
        ok = curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, arena_dup(j->a, rq->method).p) == CURLE_OK;
    if (!rq->post_body.p) return ok;
    return ok && curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->post_body.n) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->post_body.p) == CURLE_OK;
}

static const err *trouble(const job *j, CURLcode code, const url_parts *u)
{
    const char *text = j->error[0] ? j->error : curl_easy_strerror(code);
    err_kind kind = j->refused                                        ? ERR_FORBIDDEN
                    : j->too_large || code == CURLE_FILESIZE_EXCEEDED ? ERR_TOO_LARGE
                    : code == CURLE_OPERATION_TIMEDOUT                ? ERR_TIMEOUT
                                                                      : ERR_UPSTREAM;
    return err_new(j->a, kind, STR_FMT ": %s", STR_ARG(u->authority), text);
}

/* *next is where a redirect leads, {0} when the answer is none. */
static const err *perform(job *j, CURL *c, const url_parts *u, int *status, str *next)
{
    long code = 0;
    char *to = NULL;
    CURLcode done = curl_easy_perform(c);
    if (done != CURLE_OK) return trouble(j, done, u);
    (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
    (void)curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &to);
    *status = (int)code;
    bool moved = code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
    *next = moved && to ? arena_dup(j->a, (str){to, strlen(to)}) : (str){0};
    return NULL;
}

static void drop_easy(void *c)
{
    curl_easy_cleanup(c);
}

static const err *exchange_once(job *j, const url_parts *u, str url, int *status, str *next)
{
    str pin = {0};
    bool direct = !j->rq->proxy.host.p; /* else the proxy looks the name up */
    const err *e = direct ? resolve(j, u, &pin) : NULL;
    if (e) return e;
    arena *once = arena_new(); /* frees libcurl's things, last in first out */
    struct curl_slist *headers = header_list(j), *pins = direct ? append(NULL, pin.p) : NULL;
    struct curl_slist *shown = proxy_headers(j);
    if (shown) arena_own(once, drop_list, shown);
    if (headers) arena_own(once, drop_list, headers);
    if (pins) arena_own(once, drop_list, pins);
    CURL *c = curl_easy_init();
    if (c) arena_own(once, drop_easy, c);
    j->body.n = j->head_n = 0;
    j->error[0] = 0;
    bool ready = headers && (pins || !direct) && c && set_limits(c, j) && set_proxy(c, j, shown) &&
                 set_callbacks(c, j) && set_request(c, j, url, headers, pins);
    if (ready)
        e = perform(j, c, u, status, next);
    else
        e = err_new(j->a, ERR_BUG, "a fetch that cannot be set up");
    arena_free(once);
    return e;
}

static const err *check(const job *j, const url_parts *u, const url_parts *before)
{
    if (j->rq->proxy.host.p && !j->rq->allow_private) /* it would find addresses for us to judge */
        return err_new(j->a, ERR_BUG, "a fetch by a proxy, of an address that may not be private");
    if (!u->secure && !j->rq->allow_private)
        return err_new(j->a, ERR_FORBIDDEN, STR_FMT " is not https", STR_ARG(u->authority));
    if (before && before->secure && !u->secure)
        return err_new(j->a, ERR_FORBIDDEN, "redirect from https to http");
    if (before && j->rq->post_body.p) return err_new(j->a, ERR_UPSTREAM, "a POST was redirected");
    return NULL;
}

const err *fetch(arena *a, const fetch_request *rq, int *status, str *body)
{
    job j = {.a = a, .rq = rq};
    j.deadline_ms = clock_mono_ms() + (rq->timeout_ms ? rq->timeout_ms : TIMEOUT_MS);
    j.body = buf_new(a, rq->limit ? rq->limit : BODY_LIMIT);
    url_parts u, before;
    str url = arena_dup(a, rq->url), next = {0};
    for (int hop = 0; hop <= REDIRECTS; hop++) {
        const err *e = url_parse(a, url, &u);
        if (!e) e = check(&j, &u, hop ? &before : NULL);
        if (hop && !str_eq(u.authority, before.authority)) j.bare = true;
        if (!e) e = exchange_once(&j, &u, url, status, &next);
        if (e) return e;
        if (!next.p) {
            *body = buf_str(&j.body);
            return NULL;
        }
        url = next;
        before = u;
    }
    return err_new(a, ERR_UPSTREAM, "more than %d redirects", REDIRECTS);
}
