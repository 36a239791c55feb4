/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request.c - checked while it is copied: what was not judged is not sent. */
#include "h1_request.h"
#include "h1_text.h"

static bool is_ours(str name)
{
    static const str ours[] = {S("host"),       S("content-length"),  S("connection"),
                               S("te"),         S("accept-encoding"), S("transfer-encoding"),
                               S("keep-alive"), S("expect"),          S("upgrade"),
                               S("trailer"),    S("proxy-connection")};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (name.n == ours[i].n && header_name_is(name, ours[i])) return true;
    return false;
}

static bool put_header(buf *b, const header *h)
{
    if (!h1_is_token(h->name) || !h1_is_value(h->value)) return false;
    if (is_ours(h->name)) return true;
    return buf_put(b, h->name) && buf_put(b, S(": ")) && buf_put(b, h->value) &&
           buf_put(b, S("\r\n"));
}

/* A method that means a body says how long it is, even when it is empty (RFC 9110 8.6). */
static bool expects_length(str method)
{
    return str_eq(method, S("POST")) || str_eq(method, S("PUT")) || str_eq(method, S("PATCH"));
}

bool h1_request_write(buf *b, const h1_request *rq)
{
    if (!h1_is_token(rq->method) || !h1_is_target(rq->target)) return false;
    (void)buf_put(b, rq->method);
    (void)buf_put(b, S(" "));
    (void)buf_put(b, rq->target);
    (void)buf_put(b, S(" HTTP/1.1\r\nHost: "));
    (void)buf_put(b, rq->authority);
    (void)buf_put(b, S("\r\nAccept-Encoding: identity\r\n"));
    for (const header *h = rq->headers; h && h->name.p; h++)
        if (!put_header(b, h)) return false;
    if (rq->body_n || expects_length(rq->method)) {
        (void)buf_put(b, S("Content-Length: "));
        (void)buf_int(b, (int64_t)rq->body_n);
        (void)buf_put(b, S("\r\n"));
    }
    return buf_put(b, S("\r\n"));
}
