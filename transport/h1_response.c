/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response.c - a state, and what is left of the present part.
 *
 * Heads are read line by line: each line goes to `head` as it comes and is judged when its LF is
 * there, so a server that ends lines in bare LF is refused at its first line and not after a
 * timeout. Where a header lies is kept as offsets until the head is whole, because `head` moves
 * when it grows.
 *
 * Everything two readers could frame differently is refused: this is where response splitting
 * and desync of kept connections come from. RFC 9112 6.3 lets a recipient take several equal
 * Content-Lengths for one; nothing we call sends them, so they are refused as well. */
#include "h1_response.h"
#include "h1_text.h"
#include <stdlib.h>

enum {
    AT_HEAD,
    AT_LENGTH, /* a body of known length */
    AT_REST,   /* a body until the connection closes */
    AT_CHUNKS,
    AT_END,
    AT_BAD
};

enum { KEPT_MOST = 16 * 1024 };

typedef struct h1_span {
    size_t name_at, name_n, value_at, value_n;
} span;

void h1_begin(h1_response *r, bool to_head, size_t head_limit)
{
    r->status = 0;
    r->length = r->keep_ms = -1;
    r->keep = r->http10 = r->chunked = false;
    r->why = NULL;
    r->state = AT_HEAD;
    r->to_head = to_head;
    r->interim = 0;
    r->line_at = r->count = 0;
    r->left = 0;
    r->head.n = 0;
    r->head.limit = head_limit;
    r->head.over = false;
}

void h1_shrink(h1_response *r)
{
    if (r->head.cap > KEPT_MOST) buf_free(&r->head);
}

void h1_free(h1_response *r)
{
    buf_free(&r->head);
    free(r->spans);
    free(r->headers);
    *r = (h1_response){0};
}

static h1_event bad(h1_response *r, const char *why)
{
    r->state = AT_BAD;
    r->why = why;
    return H1_BAD;
}

static void *grown(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return p;
    size_t to = *cap ? *cap : 16;
    while (to < need) to *= 2;
    p = reallocarray(p, to, size);
    if (!p) abort();
    *cap = to;
    return p;
}

/* H1_DONE: *line is the next line without its CRLF. H1_MORE: it is not whole yet. */
static h1_event take_line(h1_response *r, str *in, str *line)
{
    const char *lf = in->n ? memchr(in->p, '\n', in->n) : NULL;
    size_t n = lf ? (size_t)(lf - in->p) + 1 : in->n;
    if (n == 0) return H1_MORE;
    if (!buf_put(&r->head, str_take(*in, n))) return bad(r, "head over its limit");
    *in = str_drop(*in, n);
    if (!lf) return H1_MORE;
    *line = str_drop(buf_str(&r->head), r->line_at);
    r->line_at = r->head.n;
    if (line->n < 2 || line->p[line->n - 2] != '\r') return bad(r, "line that ends in a bare LF");
    line->n -= 2;
    return H1_DONE;
}

/* "HTTP/1.1 200 OK"; some leave out the space before an empty reason. */
static bool status_line(h1_response *r, str line)
{
    if (line.n < 12 || !str_starts(line, S("HTTP/1.")) || line.p[8] != ' ') return false;
    if (line.p[7] != '1' && line.p[7] != '0') return false;
    long long status = 0;
    if (!h1_decimal((str){line.p + 9, 3}, &status) || status < 100 || status > 599) return false;
    str reason = str_drop(line, 12);
    if (reason.n && (reason.p[0] != ' ' || !h1_is_value(reason))) return false;
    r->http10 = line.p[7] == '0';
    r->status = (int)status;
    return true;
}

static bool field_line(str line, str *name, str *value)
{
    str_pair cut = str_cut(line, ':');
    *name = cut.head;
    *value = h1_trim(cut.tail);
    return cut.ok && h1_is_token(cut.head) && h1_is_value(*value);
}

static const char *header_line(h1_response *r, str line)
{
    str name, value;
    if (line.p[0] == ' ' || line.p[0] == '\t') return "folded header";
    if (!field_line(line, &name, &value)) return "malformed header";
    if (r->count == H1_HEADERS_MOST) return "too many headers";
    r->spans = grown(r->spans, &r->spans_cap, r->count + 1, sizeof *r->spans);
    r->spans[r->count++] = (span){.name_at = (size_t)(name.p - r->head.p),
                                  .name_n = name.n,
                                  .value_at = value.n ? (size_t)(value.p - r->head.p) : 0,
                                  .value_n = value.n};
    return NULL;
}

static void build_headers(h1_response *r)
{
    r->headers = grown(r->headers, &r->headers_cap, r->count + 1, sizeof *r->headers);
    for (size_t i = 0; i < r->count; i++) {
        const span *s = &r->spans[i];
        r->headers[i] =
            (header){{r->head.p + s->name_at, s->name_n}, {r->head.p + s->value_at, s->value_n}};
    }
    r->headers[r->count] = (header){0};
}

static int64_t keep_alive_ms(str list)
{
    while (list.n) {
        str_pair cut = str_cut(list, ',');
        str item = h1_trim(cut.head);
        long long seconds = 0;
        if (str_starts(item, S("timeout=")) && h1_decimal(str_drop(item, 8), &seconds))
            return seconds < 86400 ? seconds * 1000 : -1;
        list = cut.tail;
    }
    return -1;
}

static const char *coding_header(h1_response *r, str value)
{
    if (r->chunked) return "two transfer codings";
    if (r->http10) return "transfer coding in HTTP/1.0";
    if (!header_name_is(value, S("chunked"))) return "transfer coding other than chunked";
    r->chunked = true;
    return NULL;
}

static const char *length_header(h1_response *r, str value)
{
    long long n = 0;
    if (r->length >= 0) return "two content lengths";
    if (!h1_decimal(value, &n)) return "malformed content length";
    r->length = n;
    return NULL;
}

/* What the framing and the connection hang on. NULL: fine. */
static const char *judge_headers(h1_response *r)
{
    const char *why = NULL;
    bool close = false, keep = false;
    for (const header *h = r->headers; h->name.p && !why; h++) {
        if (h->name.n == 14 && header_name_is(h->name, S("content-length"))) {
            why = length_header(r, h->value);
        } else if (h->name.n == 17 && header_name_is(h->name, S("transfer-encoding"))) {
            why = coding_header(r, h->value);
        } else if (h->name.n == 10 && header_name_is(h->name, S("connection"))) {
            close = close || h1_list_has(h->value, S("close"));
            keep = keep || h1_list_has(h->value, S("keep-alive"));
        } else if (h->name.n == 10 && header_name_is(h->name, S("keep-alive"))) {
            r->keep_ms = keep_alive_ms(h->value);
        }
    }
    if (!why && r->chunked && r->length >= 0) why = "content length beside chunks";
    r->keep = !close && (keep || !r->http10);
    return why;
}

static void forget_head(h1_response *r)
{
    r->head.n = r->line_at = r->count = 0;
}

/* The empty line was read. H1_MORE: it was a 1xx, the head is still to come. */
static h1_event end_of_head(h1_response *r)
{
    if (r->status == 101) return bad(r, "switch of protocols that nobody asked for");
    if (r->status < 200) {
        if (++r->interim > H1_INTERIM_MOST) return bad(r, "too many interim answers");
        forget_head(r);
        r->status = 0;
        return H1_MORE;
    }
    build_headers(r);
    const char *why = judge_headers(r);
    if (why) return bad(r, why);
    bool no_body = r->to_head || r->status == 204 || r->status == 304 || r->length == 0;
    r->left = r->length > 0 && !no_body ? (uint64_t)r->length : 0;
    if (r->chunked) r->chunks = h1_chunks_new((uint32_t)r->head.limit);
    if (no_body)
        r->state = AT_END;
    else if (r->chunked)
        r->state = AT_CHUNKS;
    else
        r->state = r->length > 0 ? AT_LENGTH : AT_REST;
    if (r->state == AT_REST) r->keep = false;
    return H1_HEAD;
}

static h1_event read_head(h1_response *r, str *in)
{
    for (;;) {
        str line;
        h1_event e = take_line(r, in, &line);
        if (e != H1_DONE) return e;
        if (r->status == 0) {
            if (!status_line(r, line)) return bad(r, "malformed status line");
        } else if (line.n == 0) {
            e = end_of_head(r);
            if (e != H1_MORE) return e;
        } else {
            const char *why = header_line(r, line);
            if (why) return bad(r, why);
        }
    }
}

static h1_event read_chunks(h1_response *r, str *in, str *data)
{
    switch (h1_chunks_next(&r->chunks, in, data)) {
    case CHUNKS_MORE: return H1_MORE;
    case CHUNKS_DATA: return H1_DATA;
    case CHUNKS_BAD: return bad(r, "malformed chunk");
    case CHUNKS_DONE: break;
    }
    r->state = AT_END;
    return H1_DONE;
}

/* Up to `left` bytes of `in`. */
static h1_event take_data(h1_response *r, str *in, str *data, unsigned then)
{
    if (in->n == 0) return H1_MORE;
    size_t n = in->n < r->left ? in->n : (size_t)r->left;
    *data = str_take(*in, n);
    *in = str_drop(*in, n);
    r->left -= n;
    if (r->left == 0) r->state = then;
    return H1_DATA;
}

static h1_event take_rest(str *in, str *data)
{
    if (in->n == 0) return H1_MORE;
    *data = *in;
    *in = (str){0};
    return H1_DATA;
}

h1_event h1_next(h1_response *r, str *in, str *data)
{
    switch (r->state) {
    case AT_HEAD: return read_head(r, in);
    case AT_LENGTH: return take_data(r, in, data, AT_END);
    case AT_REST: return take_rest(in, data);
    case AT_CHUNKS: return read_chunks(r, in, data);
    case AT_END: return H1_DONE;
    default: return H1_BAD;
    }
}

bool h1_eof(h1_response *r)
{
    if (r->state == AT_REST) r->state = AT_END;
    if (r->state == AT_END) return true;
    if (r->state == AT_BAD) return false;
    bool nothing = r->state == AT_HEAD && r->head.n == 0;
    r->why = nothing               ? "connection closed before an answer"
             : r->state == AT_HEAD ? "connection closed within the head of the answer"
                                   : "connection closed before the end of the answer";
    r->state = AT_BAD;
    return false;
}
