/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c - heads and bodies of answers.
 *
 * Headers are few and put together on the stack; the exchange copies them. */
#include "reply.h"
#include "../transport/sse.h"
#include "channel.h"
#include "tape_sink.h"

enum { HEADERS_MOST = 8 };

typedef struct {
    header list[HEADERS_MOST];
    size_t n;
} head;

static void put(head *h, str name, str value)
{
    if (h->n < HEADERS_MOST - 1) h->list[h->n++] = (header){name, value};
}

static head head_of(str type)
{
    head h = {0};
    if (type.n) put(&h, S("Content-Type"), type);
    return h;
}

void reply_accept(visit *v)
{
    static const header plain[] = {{S("Content-Type"), S("text/plain")}, {{0}, {0}}};
    if (!v->channel || v->accepted || v->parent) return;
    v->accepted = true;
    exchange_reply(v->x, 202, plain, S("Accepted"));
}

static void say(visit *v, str body)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    sse_write(&b, S("message"), (str){0}, body);
    if (body.n) channel_say(v->channel, buf_str(&b));
}

static void send(visit *v, int status, const head *h, str body)
{
    if (v->status) return;
    v->status = status;
    if (v->channel && !v->parent && (v->accepted || status == 200)) {
        say(v, body);
        reply_accept(v);
        return;
    }
    if (v->parent) {
        v->answer = body;
        return;
    }
    exchange_reply(v->x, status, h->list, body);
}

void reply_json(visit *v, int status, str body)
{
    head h = head_of(S("application/json"));
    send(v, status, &h, body);
}

void reply_empty(visit *v, int status)
{
    head h = head_of((str){0});
    send(v, status, &h, (str){0});
}

void reply_with(visit *v, int status, header extra, str body)
{
    head h = head_of(body.n ? S("application/json") : (str){0});
    put(&h, extra.name, extra.value);
    send(v, status, &h, body);
}

static str seconds(arena *a, int64_t n)
{
    return arena_fmt(a, "%lld", (long long)n);
}

void reply_refusal(visit *v)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    rpc_write_error(&b, v->msg.id, &v->no);
    if (v->challenge.n)
        reply_with(v, v->no.status, (header){S("WWW-Authenticate"), v->challenge}, buf_str(&b));
    else if (v->no.retry_s)
        reply_with(v, v->no.status, (header){S("Retry-After"), seconds(v->a, v->no.retry_s)},
                   buf_str(&b));
    else if (v->no.status == 405)
        reply_with(v, 405, (header){S("Allow"), S("GET, POST, DELETE, OPTIONS")}, buf_str(&b));
    else
        reply_json(v, v->no.status, buf_str(&b));
}

static str made(visit *v, str members, const dialect_hints *hints)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    (void)buf_need(&b, members.n + v->msg.id.n + 256);
    rpc_open_result(&b, v->msg.id);
    v->q.speaks->write_made(&b, &v->q, members, hints);
    rpc_close_result(&b);
    return buf_str(&b);
}

void reply_made(visit *v, str members, const dialect_hints *hints)
{
    reply_json(v, 200, made(v, members, hints));
}

void reply_made_with(visit *v, header extra, str members)
{
    reply_with(v, 200, extra, made(v, members, NULL));
}

str reply_tool_error(visit *v, str text)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("\"content\":[{\"type\":\"text\",\"text\":"));
    buf_json(&b, text);
    buf_put(&b, S("}],\"isError\":true"));
    return made(v, buf_str(&b), NULL);
}

sink *reply_stream_raw(visit *v)
{
    if (v->accepted) {
        v->status = 200;
        return channel_sink(v);
    }
    head h = head_of(S("text/event-stream"));
    put(&h, S("Cache-Control"), S("no-cache"));
    put(&h, S("X-Accel-Buffering"), S("no"));
    v->status = 200;
    return exchange_stream(v->x, 200, h.list);
}

sink *reply_stream_on(visit *v, tape *t)
{
    corridor_keep(v);
    return tape_sink_new(v, t, reply_stream_raw(v), v->q.version >= MCP_2025_11_25);
}

sink *reply_stream(visit *v)
{
    if (v->accepted || !v->q.has_session || v->q.version < MCP_2025_03_26 ||
        !corridor_is_keepable(v))
        return reply_stream_raw(v);
    str share = caller_share(v->a, v->who, v->rec->v[FACT_PEER].text);
    tape *t = tape_new(v->w, &v->q.session, share, v->run.self, v->x);
    return t ? reply_stream_on(v, t) : reply_stream_raw(v);
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
    return c;
}

static bool contains(str s, str word)
{
    for (; s.n >= word.n; s = str_drop(s, 1)) {
        size_t i = 0;
        while (i < word.n && lower(s.p[i]) == word.p[i]) i++;
        if (i == word.n) return true;
    }
    return false;
}

/* Lenient: a client that accepts anything takes a stream when there is something to stream. */
bool reply_takes_stream(const visit *v)
{
    if (v->parent) return false;
    if (v->accepted) return true;
    str accept = exchange_header(v->x, S("accept"));
    return contains(accept, S("text/event-stream")) || contains(accept, S("*/*")) ||
           contains(accept, S("text/*"));
}

bool reply_may_stream(visit *v)
{
    if (v->accepted) v->stream = STREAM_HELD; /* its channel has the place */
    if (v->stream == STREAM_UNASKED && reply_takes_stream(v)) {
        str share = caller_share(v->a, v->who, v->rec->v[FACT_PEER].text);
        unsigned most = v->rq.config->streams_per_caller;
        bool room = tally_take(v->w->shared->streams, share, most, v->a);
        v->stream = room ? STREAM_HELD : STREAM_REFUSED;
        if (!room) record_text(v->rec, FACT_LIMITED, S("streams_per_caller"));
    }
    return v->stream == STREAM_HELD;
}

flow_go reply_no_stream(visit *v)
{
    if (v->stream == STREAM_UNASKED)
        return corridor_refuse_with(v, 406, RPC_INVALID_REQUEST,
                                    S("the client must accept text/event-stream"));
    v->no = rpc_limited(v->a, S("too many streams are open"), 1000);
    return FLOW_FAIL;
}
