/* SPDX-License-Identifier: Apache-2.0 */
/* h1_reply.c - a status line, our headers, then the caller's. */
#include "h1_reply.h"
#include "h1_text.h"

typedef struct {
    int status;
    str reason;
} reason_row;

/* clang-format off */
static const reason_row reasons[] = {
    {200, {"OK", 2}}, {201, {"Created", 7}}, {202, {"Accepted", 8}}, {204, {"No Content", 10}},
    {206, {"Partial Content", 15}}, {301, {"Moved Permanently", 17}}, {302, {"Found", 5}},
    {303, {"See Other", 9}}, {304, {"Not Modified", 12}}, {307, {"Temporary Redirect", 18}},
    {308, {"Permanent Redirect", 18}}, {400, {"Bad Request", 11}}, {401, {"Unauthorized", 12}},
    {402, {"Payment Required", 16}}, {403, {"Forbidden", 9}}, {404, {"Not Found", 9}},
    {405, {"Method Not Allowed", 18}}, {406, {"Not Acceptable", 14}}, {408, {"Request Timeout", 15}},
    {409, {"Conflict", 8}}, {410, {"Gone", 4}}, {411, {"Length Required", 15}},
    {412, {"Precondition Failed", 19}}, {413, {"Content Too Large", 17}}, {414, {"URI Too Long", 12}},
    {415, {"Unsupported Media Type", 22}}, {422, {"Unprocessable Content", 21}},
    {424, {"Failed Dependency", 17}}, {425, {"Too Early", 9}}, {426, {"Upgrade Required", 16}},
    {428, {"Precondition Required", 21}}, {429, {"Too Many Requests", 17}},
    {431, {"Request Header Fields Too Large", 31}}, {500, {"Internal Server Error", 21}},
    {501, {"Not Implemented", 15}}, {502, {"Bad Gateway", 11}}, {503, {"Service Unavailable", 19}},
    {504, {"Gateway Timeout", 15}},
};
/* clang-format on */

/* RFC 9112 4: the reason may be empty, the space before it may not. */
static str reason_of(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return S("");
}

static bool is_ours(str name)
{
    switch (name.n) {
    case 4: return header_name_is(name, S("date"));
    case 10: return header_name_is(name, S("connection"));
    case 14: return header_name_is(name, S("content-length"));
    case 17: return header_name_is(name, S("transfer-encoding"));
    default: return false;
    }
}

static void put_line(buf *b, str name, str value)
{
    (void)buf_put(b, name);
    (void)buf_put(b, S(": "));
    (void)buf_put(b, value);
    (void)buf_put(b, S("\r\n"));
}

static bool put_headers(buf *b, const header *h)
{
    bool all = true;
    for (; h && h->name.p; h++) {
        if (!h->value.n || is_ours(h->name)) continue;
        if (h1_is_token(h->name) && h1_is_value(h->value))
            put_line(b, h->name, h->value);
        else
            all = false;
    }
    return all;
}

/* RFC 9110 8.6: neither of these has a body, nor says how long it would be. */
static void put_framing(buf *b, const h1_reply *r)
{
    if (r->status == 204 || r->status == 304 || r->length == H1_REPLY_UNFRAMED) return;
    if (r->length == H1_REPLY_CHUNKED) {
        (void)buf_put(b, S("Transfer-Encoding: chunked\r\n"));
        return;
    }
    (void)buf_put(b, S("Content-Length: "));
    (void)buf_int(b, r->length);
    (void)buf_put(b, S("\r\n"));
}

bool h1_reply_write(buf *b, const h1_reply *r)
{
    (void)buf_put(b, S("HTTP/1.1 "));
    (void)buf_int(b, r->status);
    (void)buf_put(b, S(" "));
    (void)buf_put(b, reason_of(r->status));
    (void)buf_put(b, S("\r\n"));
    put_line(b, S("Date"), r->date);
    if (r->connection.n) put_line(b, S("Connection"), r->connection);
    bool all = put_headers(b, r->headers);
    all = put_headers(b, r->added) && all;
    put_framing(b, r);
    (void)buf_put(b, S("\r\n"));
    return all;
}
