/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_multipart.c - any bytes, cut anywhere: no fault, the same parts as without the cut, and what
 * is passed on is what came, as far as it was read. */
#include "../../transport/multipart.h"
#include "cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

typedef struct {
    buf *log, passed;
    bool in_value;
} witness;

static void on_part(void *ctx, const multipart_part *p)
{
    witness *w = ctx;
    buf_fmt(w->log, "[%zu:", p->name.n);
    buf_put(w->log, p->name);
    buf_fmt(w->log, "%d|", (int)p->is_file);
    assert(!w->in_value && p->name.n > 0);
    w->in_value = true;
}

static void on_bytes(void *ctx, str bytes, bool value)
{
    witness *w = ctx;
    assert(bytes.n > 0 && value == w->in_value);
    if (value) buf_put(w->log, bytes);
    buf_put(&w->passed, bytes);
}

static void on_part_end(void *ctx)
{
    witness *w = ctx;
    assert(w->in_value);
    w->in_value = false;
    buf_put(w->log, S("]"));
}

static const err *feed(void *reader, str piece)
{
    return multipart_feed(reader, piece);
}

static bool run(arena *a, str in, size_t size, buf *log, bool *idle)
{
    static const multipart_events events = {on_part, on_bytes, on_part_end};
    static const char type[] = "multipart/form-data; boundary=B";
    witness w = {.log = log, .passed = buf_new(a, 16u << 20)};
    multipart *m = NULL;
    const err *e = multipart_new(a, (str){type, sizeof type - 1}, &events, &w, &m);
    assert(!e);
    e = feed_cut(feed, m, in, size);
    assert(str_starts(in, buf_str(&w.passed)));
    *idle = !e && !multipart_end(m);
    assert(!*idle || str_eq(in, buf_str(&w.passed)));
    return e == NULL;
}

/* An odd first byte: the bytes are a Content-Type. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 1) return 0;
    arena *a = arena_new();
    str in = {(const char *)p + 1, n - 1};
    multipart *m = NULL;
    if (p[0] & 1) {
        const err *e = multipart_new(a, in, NULL, NULL, &m);
        assert(!e == !!m);
    } else {
        same_when_cut(a, in, 1u + p[0] / 2, run);
    }
    arena_free(a);
    return 0;
}
