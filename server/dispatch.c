/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch.h"

#include "admit.h"
#include "direct.h"
#include "worker.h"

static const char well_known[] = "/.well-known/oauth-protected-resource";

static void finished(void *ctx, exchange *x)
{
    export_request(((worker *)ctx)->out, x);
}

static void note(exchange *x, const snapshot *s)
{
    record *r = exchange_record(x);
    str forwarded = s->proxy_count ? exchange_header(x, S("x-forwarded-for")) : (str){0};
    str peer = net_client_address(s->proxies, s->proxy_count, exchange_peer(x), forwarded);
    record_text(r, FACT_HTTP_METHOD, exchange_method(x));
    record_text(r, FACT_PATH, exchange_path(x));
    record_text(r, FACT_HOST, exchange_host(x));
    record_text(r, FACT_PEER, peer);
}

static void refuse(worker *w, exchange *x, int status, const char *message)
{
    direct_refuse(x, status, message, finished, w);
}

static void wrong_method(worker *w, exchange *x, str allow)
{
    const header headers[] = {{S("content-type"), S("application/json")},
                              {S("allow"), allow},
                              {{0}, {0}}};
    direct_reply(x, 405, headers,
                 S("{\"error\":{\"message\":\"this path takes another "
                   "method\",\"type\":\"invalid_request_error\"}}\n"),
                 finished, w);
}

static bool is_read(exchange *x)
{
    return str_eq(exchange_method(x), S("GET")) || str_eq(exchange_method(x), S("HEAD"));
}

static bool is_loopback(const worker *w, exchange *x)
{
    unsigned at = exchange_listener(x);
    return at < w->server_count && w->doors[at].loopback;
}

static void serve_metadata(worker *w, const snapshot *s, exchange *x)
{
    const header headers[] = {{S("content-type"), S("application/json")},
                              {S("cache-control"), S("max-age=300")},
                              {{0}, {0}}};
    str json;
    record_text(exchange_record(x), FACT_DOOR, S("wellknown"));
    if (!is_read(x))
        wrong_method(w, x, S("GET, HEAD"));
    else if (!mcp_resource_metadata(&s->mcp, x, &json))
        direct_refuse(x, 404, "no such resource", finished, w);
    else
        direct_reply(x, 200, headers, json, finished, w);
}

static void serve_root(worker *w, exchange *x)
{
    static const char hello[] =
        "This is Sallyport, a gateway for MCP servers and language models.\n";
    const header headers[] = {{S("content-type"), S("text/plain; charset=utf-8")}, {{0}, {0}}};
    if (is_read(x))
        direct_reply(x, 200, headers, (str){hello, sizeof hello - 1}, finished, w);
    else
        wrong_method(w, x, S("GET, HEAD"));
}

void dispatch_exchange(exchange *x, void *ctx)
{
    worker *w = ctx;
    const snapshot *s = w->now;
    str path = exchange_path(x);
    snapshot_hold *hold = snapshot_own(exchange_arena(x), s);
    note(x, s);
    admittance door = {.rules = &s->front,
                       .loopback = is_loopback(w, x),
                       .finished = finished,
                       .ctx = w};
    if (!admit(&door, x)) return;
    if (str_starts(path, (str){well_known, sizeof well_known - 1})) {
        serve_metadata(w, s, x);
        return;
    }
    if (mcp_connects(&s->mcp, path)) {
        const mcp_request rq = {.config = &s->mcp, .finished = finished, .ctx = w};
        mcp_connect(w->mcp, x, &rq);
        return;
    }
    const mcp_endpoint *endpoint = mcp_endpoint_find(&s->mcp, exchange_host(x), path);
    if (endpoint) {
        mcp_request rq = {.config = &s->mcp,
                          .endpoint = endpoint,
                          .finished = finished,
                          .ctx = w,
                          .let_go = snapshot_let_go,
                          .hold = hold};
        mcp_serve(w->mcp, x, &rq);
    } else if (s->llm.route_count && llm_path(exchange_arena(x), &s->llm.prefixes, path)) {
        llm_request rq = {.config = &s->llm, .finished = finished, .ctx = w};
        llm_serve(w->llm, x, &rq);
    } else if (str_eq(path, S("/")))
        serve_root(w, x);
    else
        refuse(w, x, 404, "nothing is served at this path");
}
