/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sse.c - any bytes, cut anywhere: no fault, and the same events as without the cut. */
#include "../../transport/sse.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

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

/* Feeds pieces of `size` bytes, each an exact copy that is freed before the next. */
static bool run(arena *a, str in, size_t size, buf *log, bool *idle)
{
    sse_reader *r = sse_reader_new(a, LIMIT, note, log);
    const err *e = NULL;
    while (in.n && !e) {
        str piece = str_take(in, size);
        char *exact = malloc(piece.n);
        if (!exact) abort();
        for (size_t i = 0; i < piece.n; i++) exact[i] = piece.p[i];
        e = sse_feed(r, (str){exact, piece.n});
        free(exact);
        in = str_drop(in, piece.n);
    }
    *idle = sse_idle(r);
    return e == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0) return 0;
    arena *a = arena_new();
    str in = {(const char *)p + 1, n - 1};
    buf whole = buf_new(a, 16u << 20), cut = whole;
    bool idle_whole, idle_cut;
    bool ok_whole = run(a, in, SIZE_MAX, &whole, &idle_whole);
    bool ok_cut = run(a, in, 1u + p[0] % 64, &cut, &idle_cut);
    assert(ok_whole == ok_cut);
    assert(str_eq(buf_str(&whole), buf_str(&cut)));
    assert(!ok_whole || idle_whole == idle_cut);
    arena_free(a);
    return 0;
}
