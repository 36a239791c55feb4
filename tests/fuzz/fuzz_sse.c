/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sse.c - any bytes, cut anywhere: no fault, and the same events as without the cut. */
#include "../../transport/sse.h"
#include "cut.h"

enum { LIMIT = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void put_part(buf *log, bool has, str s)
{
    buf_fmt(log, "%d%zu:", has, s.n);
    buf_put(log, s);
}

static void note(void *ctx, sse_event ev)
{
    buf *log = ctx;
    put_part(log, true, ev.event);
    put_part(log, ev.has_data, ev.data);
    put_part(log, ev.has_id, ev.id);
    buf_fmt(log, "%lld", (long long)ev.retry_ms);
}

static const err *feed(void *reader, str piece)
{
    return sse_feed(reader, piece);
}

static bool run(arena *a, str in, size_t size, buf *log, bool *idle)
{
    sse_reader *r = sse_reader_new(a, LIMIT, note, log);
    const err *e = feed_cut(feed, r, in, size);
    *idle = sse_idle(r);
    return e == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0) return 0;
    arena *a = arena_new();
    str in = {(const char *)p + 1, n - 1};
    same_when_cut(a, in, 1u + p[0] % 64, run);
    arena_free(a);
    return 0;
}
