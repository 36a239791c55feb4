/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_head.c - what a request's headers mean together, and what is refused because two
 * readers could read it in two ways. The bytes are judged before, by h1_request_head.c. */
#include "exchange_private.h"
#include "h1_text.h"

#define REFUSAL(code, text)                                                                        \
    {                                                                                              \
        code,                                                                                      \
        {                                                                                          \
            "{\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}\n",                         \
                sizeof("{\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}\n") - 1          \
        }                                                                                          \
    }

/* clang-format off */
static const refusal accepted = {0, {NULL, 0}};
static const refusal bad_name = REFUSAL(400, "a header name is no token");
static const refusal bad_value = REFUSAL(400, "a header value has control characters");
static const refusal bad_target = REFUSAL(400, "malformed request target");
static const refusal bad_host = REFUSAL(400, "missing or malformed Host");
static const refusal bad_length = REFUSAL(400, "malformed Content-Length");
static const refusal bad_coding = REFUSAL(400, "unknown Transfer-Encoding");
static const refusal two_framings = REFUSAL(400, "both Transfer-Encoding and Content-Length");
static const refusal repeated = REFUSAL(400, "a header that must be single is repeated");
const refusal refusal_syntax = REFUSAL(400, "malformed request head");
const refusal refusal_chunks = REFUSAL(400, "malformed chunked body");
const refusal refusal_large = REFUSAL(431, "request head too large");
const refusal refusal_timeout = REFUSAL(408, "the request head did not come in time");
/* clang-format on */

/* What may be in a host (RFC 3986 3.2.2, loosely). */
/* clang-format off */
static const bool in_host[256] = {
    ['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true,
    ['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['!'] = true, ['$'] = true,
    ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true, ['%'] = true, [':'] = true,
    ['['] = true, [']'] = true, ['('] = true, [')'] = true, [','] = true, [';'] = true, ['='] = true,
};
/* clang-format on */

static bool is_host(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!in_host[(unsigned char)s.p[i]]) return false;
    return s.n > 0;
}

/* No control bytes, spaces, fragments, nor anything outside ASCII. */
static bool clean_target(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7f || c == '#') return false;
    }
    return s.n > 0;
}

static refusal read_parts(exchange *x, str head, size_t lines)
{
    h1_request_head parts = {0};
    switch (h1_head_read(x->memory, head, lines, &parts)) {
    case H1_READ_OK: break;
    case H1_READ_SYNTAX: return refusal_syntax;
    case H1_READ_NAME: return bad_name;
    case H1_READ_VALUE: return bad_value;
    case H1_READ_MANY: return refusal_large;
    }
    x->method = parts.method;
    x->target = parts.target;
    x->headers = parts.headers;
    x->old_http = parts.old;
    return accepted;
}

/* Headers of which a second one changes what the request means. */
/* clang-format off */
enum { HOST, LENGTH, CODING, TYPE, AUTHORIZATION, ORIGIN, SINGLE };
static const str single_names[SINGLE] = {
    [HOST] = {"host", 4},          [LENGTH] = {"content-length", 14},
    [CODING] = {"transfer-encoding", 17}, [TYPE] = {"content-type", 12},
    [AUTHORIZATION] = {"authorization", 13}, [ORIGIN] = {"origin", 6},
};
/* clang-format on */

static bool is_mcp(str name)
{
    return name.n > 4 && header_name_is(str_take(name, 4), S("mcp-"));
}

static bool repeats_mcp(const header *list, size_t at)
{
    if (!is_mcp(list[at].name)) return false;
    for (size_t i = 0; i < at; i++) {
        if (header_name_is(list[i].name, list[at].name)) return true;
    }
    return false;
}

static refusal check_headers(const header *list, const header *single[SINGLE])
{
    for (size_t i = 0; list[i].name.p; i++) {
        for (size_t k = 0; k < SINGLE; k++) {
            if (list[i].name.n != single_names[k].n ||
                !header_name_is(list[i].name, single_names[k]))
                continue;
            if (single[k]) return repeated;
            single[k] = &list[i];
        }
        if (repeats_mcp(list, i)) return repeated;
    }
    return accepted;
}

/* What no counter holds is still a number: the longest body there is, over any limit. */
static bool parse_length(str s, int64_t *out)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        n = n > (INT64_MAX - 9) / 10 ? INT64_MAX : n * 10 + (s.p[i] - '0');
    }
    *out = n;
    return s.n > 0;
}

/* How the body is delimited. */
static refusal check_framing(exchange *x, const header *length, const header *coding)
{
    if (length && coding) return two_framings;
    if (length && !parse_length(length->value, &x->length)) return bad_length;
    if (!coding) return accepted;
    if (x->old_http || !header_name_is(coding->value, S("chunked"))) return bad_coding;
    x->length = -1;
    return accepted;
}

/* RFC 9112 3.2: the path, or a URL whose authority is the Host itself. */
static refusal check_target(exchange *x)
{
    str t = x->target;
    if (!clean_target(t)) return bad_target;
    if (t.p[0] != '/' && !(t.n == 1 && t.p[0] == '*')) {
        str_pair cut = str_cut(t, ':');
        if (!header_name_is(cut.head, S("http")) && !header_name_is(cut.head, S("https")))
            return bad_target;
        if (!str_starts(cut.tail, S("//"))) return bad_target;
        str rest = str_drop(cut.tail, 2);
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?') n++;
        if (!n || !header_name_is(str_take(rest, n), x->host)) return bad_target;
        t = str_drop(rest, n);
    }
    str_pair cut = str_cut(t, '?');
    x->path = cut.head.n ? cut.head : S("/");
    if (cut.ok) x->query = cut.tail.n ? cut.tail : (str){"", 0};
    return accepted;
}

static bool is_coded(const header *list)
{
    str coding = header_get(list, S("content-encoding"));
    return coding.n && !header_name_is(coding, S("identity"));
}

/* RFC 9112 9.3: HTTP/1.1 is kept unless it says otherwise, 1.0 only if it asks for it. */
static bool persists(const exchange *x)
{
    bool keep = !x->old_http, close = false;
    for (const header *h = x->headers; h->name.p; h++) {
        if (h->name.n != 10 || !header_name_is(h->name, S("connection"))) continue;
        keep = keep || h1_list_has(h->value, S("keep-alive"));
        close = close || h1_list_has(h->value, S("close"));
    }
    return keep && !close;
}

refusal exchange_read_head(exchange *x, str head, size_t lines)
{
    const header *single[SINGLE] = {0};
    refusal r = read_parts(x, head, lines);
    if (!r.status) r = check_headers(x->headers, single);
    if (!r.status) r = check_framing(x, single[LENGTH], single[CODING]);
    if (r.status) return r;
    if (single[HOST]) x->host = single[HOST]->value;
    if (single[HOST] ? !is_host(x->host) : !x->old_http) return bad_host;
    str expect = header_get(x->headers, S("expect"));
    x->expects = !x->old_http && header_name_is(expect, S("100-continue"));
    x->coded = is_coded(x->headers);
    x->bodiless = str_eq(x->method, S("HEAD"));
    x->persists = persists(x);
    return check_target(x);
}
