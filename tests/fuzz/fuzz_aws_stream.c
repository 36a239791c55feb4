/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_aws_stream.c - any bytes, cut anywhere: no fault, and the same frames as without the cut.
 * Chance never hits a checksum, so an odd first byte has the input framed: its second byte says
 * how much of it are headers. */
#include "../../transport/aws_stream.h"
#include "../unit/aws_frame.h"
#include "cut.h"
#include <assert.h>

enum { LIMIT = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void put_part(buf *log, str s)
{
    buf_fmt(log, "%zu:", s.n);
    buf_put(log, s);
}

static void note(void *ctx, aws_frame f)
{
    buf *log = ctx;
    buf_fmt(log, "%d", (int)f.kind);
    put_part(log, f.name);
    put_part(log, f.message);
    put_part(log, f.payload);
    aws_header h;
    while (aws_header_next(&f.headers, &h)) {
        put_part(log, h.name);
        put_part(log, h.bytes);
        buf_fmt(log, "%d %lld", (int)h.type, (long long)h.number);
    }
    assert(f.headers.n == 0);
}

static const err *feed(void *reader, str piece)
{
    return aws_stream_feed(reader, piece);
}

static bool run(arena *a, str in, size_t size, buf *log, bool *idle)
{
    aws_stream *s = aws_stream_new(a, LIMIT, note, log);
    const err *e = feed_cut(feed, s, in, size);
    *idle = aws_stream_idle(s);
    return e == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 2) return 0;
    arena *a = arena_new();
    str in = {(const char *)p + 2, n - 2};
    buf framed = buf_new(a, 1u << 20);
    if (p[0] & 1) {
        str headers = str_take(in, p[1]);
        frame_put(&framed, headers, str_drop(in, headers.n));
        frame_put(&framed, headers, S("again"));
        in = buf_str(&framed);
    }
    same_when_cut(a, in, 1u + p[0] / 2 % 64, run);
    arena_free(a);
    return 0;
}
