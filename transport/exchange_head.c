/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_head.c - reads the request head, and refuses what two readers could read in two ways.
 *
 * libmicrohttpd, strict mode too, accepts two Content-Lengths, both framings at once, bare LF,
 * "Name :", and joins folded lines into names that nobody sent. It also cuts names and values
 * at a NUL. But it leaves the head where it was received, puts a NUL for each colon and for each
 * byte of a line's end, and hands out pointers into it. So the head is checked again by walking
 * those pointers: each part must begin exactly where the part before it ends if the head was
 * written as RFC 9112 says. Everything looser leaves a gap, and a gap is refused. The same walk
 * lets us keep the head with one copy. */
#include "exchange_private.h"
#include "mhd_version.h"
#include <stdint.h>

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
static const refusal bad_syntax = REFUSAL(400, "malformed request head");
static const refusal bad_name = REFUSAL(400, "a header name is no token");
static const refusal bad_value = REFUSAL(400, "a header value has control characters");
static const refusal bad_target = REFUSAL(400, "malformed request target");
static const refusal bad_host = REFUSAL(400, "missing or malformed Host");
static const refusal bad_length = REFUSAL(400, "malformed Content-Length");
static const refusal bad_coding = REFUSAL(400, "unknown Transfer-Encoding");
static const refusal two_framings = REFUSAL(400, "both Transfer-Encoding and Content-Length");
static const refusal repeated = REFUSAL(400, "a header that must be single is repeated");
static const refusal too_large = REFUSAL(431, "request head too large");
const refusal refusal_timeout = REFUSAL(408, "the request head did not come in time");
/* clang-format on */

enum { METHOD_MOST = 32 };

/* RFC 9110 5.6.2; IN_TOKEN is a token character, IN_HOST one of a host (RFC 3986 3.2.2, loosely).
 */
enum { IN_TOKEN = 1, IN_HOST = 2, IN_BOTH = 3 };
/* clang-format off */
static const uint8_t char_class[256] = {
    ['0' ... '9'] = IN_BOTH, ['a' ... 'z'] = IN_BOTH, ['A' ... 'Z'] = IN_BOTH,
    ['-'] = IN_BOTH, ['.'] = IN_BOTH, ['_'] = IN_BOTH, ['~'] = IN_BOTH, ['!'] = IN_BOTH, ['$'] = IN_BOTH,
    ['&'] = IN_BOTH, ['\''] = IN_BOTH, ['*'] = IN_BOTH, ['+'] = IN_BOTH, ['%'] = IN_BOTH,
    ['#'] = IN_TOKEN, ['^'] = IN_TOKEN, ['`'] = IN_TOKEN, ['|'] = IN_TOKEN,
    [':'] = IN_HOST, ['['] = IN_HOST, [']'] = IN_HOST, ['('] = IN_HOST, [')'] = IN_HOST,
    [','] = IN_HOST, [';'] = IN_HOST, ['='] = IN_HOST,
};
/* clang-format on */

static bool all_of(str s, uint8_t class)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(char_class[(unsigned char)s.p[i]] & class)) return false;
    return s.n > 0;
}

/* Is some of these eight bytes a control? Exact for the lowest such lane, which is all it takes. */
static bool has_control(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t del = eight ^ (ones * 0x7f);
    return (((eight - ones * ' ') & ~eight) | ((del - ones) & ~del)) & (ones * 0x80);
}

static bool clean_value(str s)
{
    for (uint64_t eight; s.n >= sizeof eight; s = str_drop(s, sizeof eight)) {
        memcpy(&eight, s.p, sizeof eight); /* a token has hundreds of bytes: a word at a time */
        if (has_control(eight)) break;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return true;
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

static str trim_end(str s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* The walk. `from` is libmicrohttpd's head, `kept` our copy of it, byte for byte. */
typedef struct {
    const char *from;
    size_t size, at; /* at: where the next part must begin */
    str kept;
    header *list;
    size_t count, most;
    bool broken;
} walk;

/* The offset of p in the head; SIZE_MAX when it lies outside. */
static size_t offset(const walk *w, const char *p)
{
    uintptr_t base = (uintptr_t)w->from, at = (uintptr_t)p;
    return at < base || at - base > w->size ? SIZE_MAX : (size_t)(at - base);
}

/* Takes a part of n bytes that must begin at p, and what ends it. */
static str take(walk *w, const char *p, size_t n, size_t end)
{
    size_t at = offset(w, p);
    if (w->broken || at != w->at || n > w->size - at || end > w->size - at - n) {
        w->broken = true;
        return (str){0};
    }
    w->at = at + n + end;
    return (str){w->kept.p + at, n};
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                   size_t key_n, const char *value, size_t value_n)
{
    walk *w = cls;
    (void)kind;
    if (!key || !value || w->count == w->most) {
        w->broken = true;
        return MHD_NO;
    }
    str name = take(w, key, key_n, 1); /* 1: the colon */
    while (!w->broken && w->at < offset(w, value) &&
           (w->kept.p[w->at] == ' ' || w->kept.p[w->at] == '\t')) {
        w->at++;
    }
    size_t end = mhd_line_end(w->kept, w->at + value_n);
    str text = take(w, value, value_n, end);
    if (!end) w->broken = true;
    w->list[w->count++] = (header){name, text};
    return w->broken ? MHD_NO : MHD_YES;
}

static refusal walk_head(exchange *x, const char *method, const char *version)
{
    struct MHD_Connection *mc = x->c->mc;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mc, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t limit = x->s->o.limits.header_bytes;
    int count = MHD_get_connection_values_n(mc, MHD_HEADER_KIND, NULL, NULL);
    if (!info || count < 0) return bad_syntax;
    if (info->header_size > limit) return too_large;

    walk w = {.from = method, .size = info->header_size, .most = (size_t)count};
    w.kept = arena_dup(x->memory, (str){method, w.size});
    w.list = NEW_N(x->memory, header, w.most + 1);
    x->method = take(&w, method, strnlen(method, METHOD_MOST + 1), 1);
    take(&w, x->target_at, x->target.n, 1);
    str protocol = take(&w, version, strnlen(version, 9), 2);
    MHD_get_connection_values_n(mc, MHD_HEADER_KIND, take_header, &w);
    if (w.broken || w.count != w.most || w.size - w.at != 2)
        return bad_syntax; /* 2: the empty line */
    if (x->method.n > METHOD_MOST || !all_of(x->method, IN_TOKEN)) return bad_syntax;
    x->old_http = str_eq(protocol, S("HTTP/1.0"));
    x->headers = w.list;
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

static refusal check_headers(header *list, const header *single[SINGLE])
{
    for (size_t i = 0; list[i].name.p; i++) {
        if (!all_of(list[i].name, IN_TOKEN)) return bad_name;
        if (!clean_value(list[i].value)) return bad_value;
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

/* How the body is delimited. The values are compared as libmicrohttpd saw them, trailing spaces
 * and all: what it does not take for "chunked" it would read until the connection closes. */
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

refusal exchange_read_head(exchange *x, const char *method, const char *version)
{
    const header *single[SINGLE] = {0};
    refusal r = walk_head(x, method, version);
    if (!r.status) r = check_headers(x->headers, single);
    if (!r.status) r = check_framing(x, single[LENGTH], single[CODING]);
    if (r.status) return r;
    for (header *h = x->headers; h->name.p; h++) h->value = trim_end(h->value);
    if (single[HOST]) x->host = single[HOST]->value;
    if (single[HOST] ? !all_of(x->host, IN_HOST) : !x->old_http) return bad_host;
    x->expects = header_name_is(header_get(x->headers, S("expect")), S("100-continue"));
    x->coded = is_coded(x->headers);
    return check_target(x);
}
