/* SPDX-License-Identifier: Apache-2.0 */
/* aws_stream.c - whole frames are read where they lie, cut ones are collected first.
 *
 * A read of a busy stream holds several frames, and most reads end between two; so a frame that
 * is whole in a feed is handed on as views into it. Only what a read cut is copied: first the
 * prelude, which says how much more is wanted, then the rest.
 *
 * The CRC is that of zlib, by a table of 16: frames of a chat are some 200 bytes, for which a
 * table of 256 (1 KiB of cache) gains nothing. */
#include "aws_stream.h"
#include "../base/buf.h"
#include <assert.h>

enum { PRELUDE = 12, CRC = 4, FRAME_LEAST = PRELUDE + CRC };

struct aws_stream {
    arena *a;
    size_t limit;
    aws_stream_fn *fn;
    void *ctx;
    const err *failed;
    buf held;    /* a frame that is not whole yet */
    size_t want; /* its length as far as it is known: PRELUDE, or the frame's */
    bool stopped;
};

static void drop(void *s_)
{
    aws_stream *s = s_;
    buf_free(&s->held);
}

aws_stream *aws_stream_new(arena *a, size_t limit, aws_stream_fn *fn, void *ctx)
{
    assert(limit >= FRAME_LEAST);
    aws_stream *s = NEW(a, aws_stream);
    *s = (aws_stream){.a = a, .limit = limit, .fn = fn, .ctx = ctx, .want = PRELUDE};
    s->held = buf_new(NULL, limit);
    arena_own(a, drop, s);
    return s;
}

static uint32_t crc32_of(str s)
{
    static const uint32_t nibbles[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = ~(uint32_t)0;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

/* A big-endian number of n bytes, at most eight. */
static uint64_t number_at(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | (unsigned char)p[i];
    return v;
}

static uint32_t u32_at(const char *p)
{
    return (uint32_t)number_at(p, 4);
}

static int64_t signed_at(const char *p, size_t n)
{
    unsigned shift = 64 - 8 * (unsigned)n;
    return (int64_t)(number_at(p, n) << shift) >> shift;
}

/* Bytes of a value by its type; for the two with a length in front, of that length. */
static const unsigned char sizes[AWS_TYPES] = {
    [AWS_BYTE] = 1,  [AWS_SHORT] = 2,  [AWS_INT] = 4,       [AWS_LONG] = 8,
    [AWS_BYTES] = 2, [AWS_STRING] = 2, [AWS_TIMESTAMP] = 8, [AWS_UUID] = 16,
};

bool aws_header_next(str *rest, aws_header *out)
{
    str in = *rest;
    if (in.n < 2) return false;
    size_t name = (unsigned char)in.p[0];
    if (name == 0 || name > in.n - 2) return false;
    unsigned type = (unsigned char)in.p[1 + name];
    if (type >= AWS_TYPES) return false;
    *out = (aws_header){.name = {in.p + 1, name}, .type = (aws_type)type};
    in = str_drop(in, 2 + name);
    size_t size = sizes[type];
    if (size > in.n) return false;
    if (type == AWS_BYTES || type == AWS_STRING) {
        size_t length = (size_t)number_at(in.p, size);
        in = str_drop(in, size);
        size = length;
        if (size > in.n) return false;
    }
    if (type == AWS_BYTES || type == AWS_STRING || type == AWS_UUID)
        out->bytes = str_take(in, size);
    else if (size)
        out->number = signed_at(in.p, size);
    *rest = str_drop(in, size);
    return true;
}

enum { SAYS_KIND, SAYS_EVENT, SAYS_EXCEPTION, SAYS_CODE, SAYS_MESSAGE, SAYS };

/* The headers that say what the frame is; false when they are malformed or do not say it. */
static bool read_headers(aws_frame *f)
{
    static const str names[SAYS] = {{":message-type", 13},
                                    {":event-type", 11},
                                    {":exception-type", 15},
                                    {":error-code", 11},
                                    {":error-message", 14}};
    str rest = f->headers, said[SAYS] = {{0}};
    aws_header h;
    while (aws_header_next(&rest, &h))
        for (size_t i = 0; i < SAYS && h.type == AWS_STRING; i++)
            if (str_eq(h.name, names[i])) said[i] = h.bytes;
    bool is_event = !said[SAYS_KIND].p || str_eq(said[SAYS_KIND], S("event"));
    bool is_exception = str_eq(said[SAYS_KIND], S("exception"));
    f->kind = is_event ? AWS_EVENT : is_exception ? AWS_EXCEPTION : AWS_ERROR;
    f->name = said[is_event ? SAYS_EVENT : is_exception ? SAYS_EXCEPTION : SAYS_CODE];
    f->message = said[SAYS_MESSAGE];
    return rest.n == 0 && (is_event || is_exception || str_eq(said[SAYS_KIND], S("error")));
}

/* The length of the frame whose first PRELUDE bytes these are. */
static const err *read_prelude(const aws_stream *s, str in, size_t *whole)
{
    if (crc32_of(str_take(in, PRELUDE - CRC)) != u32_at(in.p + PRELUDE - CRC))
        return err_new(s->a, ERR_UPSTREAM, "the event stream's prelude has a bad checksum");
    size_t total = u32_at(in.p), headers = u32_at(in.p + 4);
    if (total > s->limit)
        return err_new(s->a, ERR_TOO_LARGE, "event stream frame over %zu bytes", s->limit);
    if (total < FRAME_LEAST || headers > total - FRAME_LEAST)
        return err_new(s->a, ERR_UPSTREAM, "the event stream's lengths contradict each other");
    *whole = total;
    return NULL;
}

static const err *deliver(aws_stream *s, str whole)
{
    str body = str_take(whole, whole.n - CRC);
    if (crc32_of(body) != u32_at(body.p + body.n))
        return err_new(s->a, ERR_UPSTREAM, "an event stream frame has a bad checksum");
    size_t headers = u32_at(whole.p + 4);
    aws_frame f = {.headers = {whole.p + PRELUDE, headers}};
    f.payload = (str){f.headers.p + headers, body.n - PRELUDE - headers};
    if (!read_headers(&f))
        return err_new(s->a, ERR_UPSTREAM, "an event stream frame has malformed headers");
    s->fn(s->ctx, f);
    return NULL;
}

/* Hands on the frames that are whole in *in; what is left begins with one that is not. */
static const err *read_whole(aws_stream *s, str *in)
{
    const err *e = NULL;
    while (!e && !s->stopped && in->n >= PRELUDE) {
        size_t whole = 0;
        e = read_prelude(s, *in, &whole);
        if (e || whole > in->n) return e;
        e = deliver(s, str_take(*in, whole));
        *in = str_drop(*in, whole);
    }
    return e;
}

/* Takes from *in what the held frame still wants; it was never whole in one feed. */
static const err *read_cut(aws_stream *s, str *in)
{
    str piece = str_take(*in, s->want - s->held.n);
    (void)buf_put(&s->held, piece); /* within the limit, as want is */
    *in = str_drop(*in, piece.n);
    if (s->held.n < s->want) return NULL;
    if (s->want == PRELUDE) return read_prelude(s, buf_str(&s->held), &s->want);
    const err *e = deliver(s, buf_str(&s->held));
    s->held.n = 0;
    s->want = PRELUDE;
    return e;
}

const err *aws_stream_feed(aws_stream *s, str bytes)
{
    while (bytes.n && !s->failed && !s->stopped) {
        if (s->held.n == 0) s->failed = read_whole(s, &bytes);
        if (bytes.n && !s->failed && !s->stopped) s->failed = read_cut(s, &bytes);
    }
    return s->failed;
}

void aws_stream_stop(aws_stream *s)
{
    s->stopped = true;
}

bool aws_stream_idle(const aws_stream *s)
{
    return s->held.n == 0;
}
