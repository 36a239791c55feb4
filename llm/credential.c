/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"
#include "../base/buf.h"

static str whole_of(arena *a, const credential_request *rq)
{
    size_t n = 0;
    for (size_t i = 0; i < rq->parts; i++) n += rq->body[i].n;
    if (n == rq->body[0].n) return rq->body[0];
    buf b = buf_new(a, n);
    for (size_t i = 0; i < rq->parts; i++) buf_put(&b, rq->body[i]);
    return buf_str(&b);
}

const header *credential_headers(arena *a, const llm_backend *b, const credential_request *rq)
{
    static const header none[1];
    if (!b->aws) return b->auth ? b->auth : none;
    const sigv4_request sign = {.method = rq->method,
                                .path = rq->target,
                                .host = b->authority,
                                .content_type = rq->content_type,
                                .body = whole_of(a, rq),
                                .now_ms = rq->now_ms};
    return sigv4_sign(a, b->aws, &sign);
}
