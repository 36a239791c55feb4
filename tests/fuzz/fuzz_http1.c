/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http1.c - any answer, cut anywhere: no fault, and the same reading as without the cut.
 *
 * The first byte says how it is cut and
 * its top bit whether the request was HEAD. */
#include "../../transport/h1_response.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { HEAD_LIMIT = 2048 };

typedef struct {
    buf log;
    size_t left_over;
    bool ended;
} reading;

static void note_head(buf *log, const h1_response *r)
{
    assert(r->status >= 200 && r->status <= 599);
    buf_fmt(log, "H%d,%lld,%d,%lld", r->status, (long long)r->length, r->keep,
            (long long)r->keep_ms);
    for (const header *h = r->headers; h->name.p; h++) {
        assert(h->name.n && !memchr(h->name.p, '\n', h->name.n));
        buf_put(log, h->name);
        buf_put(log, S("="));
        assert(!h->value.n ||
               (!memchr(h->value.p, '\n', h->value.n) && !memchr(h->value.p, '\r', h->value.n) &&
                !memchr(h->value.p, 0, h->value.n)));
        buf_put(log, h->value);
    }
}

/* True: the message is over, one way or the other. */
static bool take(h1_response *r, str *in, reading *out)
{
    for (;;) {
        str data = {0};
        switch (h1_next(r, in, &data)) {
        case H1_MORE: return false;
        case H1_HEAD: note_head(&out->log, r); break;
        case H1_DATA:
            assert(data.n);
            buf_put(&out->log, data);
            break;
        case H1_DONE: buf_put(&out->log, S("D")); return true;
        case H1_BAD: buf_fmt(&out->log, "B%s", r->why); return true;
        }
    }
}

static void run(arena *a, str in, size_t size, bool head, reading *out)
{
    h1_response r = {0};
    out->log = buf_new(a, 64u << 20);
    h1_begin(&r, head, HEAD_LIMIT);
    bool over = false;
    while (in.n && !over) {
        size_t n = size < in.n ? size : in.n;
        char *exact = malloc(n);
        if (!exact) abort();
        for (size_t i = 0; i < n; i++) exact[i] = in.p[i];
        str piece = {exact, n};
        over = take(&r, &piece, out);
        in = str_drop(in, n - piece.n);
        free(exact);
    }
    out->left_over = in.n;
    if (!over) buf_fmt(&out->log, "E%d", h1_eof(&r));
    h1_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0) return 0;
    arena *a = arena_new();
    str in = {(const char *)p + 1, n - 1};
    reading whole = {0}, cut = {0};
    run(a, in, SIZE_MAX, p[0] & 128, &whole);
    run(a, in, 1u + p[0] % 32, p[0] & 128, &cut);
    assert(str_eq(buf_str(&whole.log), buf_str(&cut.log)));
    assert(whole.log.n && (whole.log.p[0] == 'B' || whole.left_over == cut.left_over ||
                           memchr(whole.log.p, 'B', whole.log.n)));
    arena_free(a);
    return 0;
}
