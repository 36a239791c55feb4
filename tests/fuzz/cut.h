/* SPDX-License-Identifier: Apache-2.0 */
/* cut.h - readers of streams must say the same of bytes that come whole and of bytes cut anywhere.
 */
#ifndef SP_FUZZ_CUT_H
#define SP_FUZZ_CUT_H
#include "../../base/buf.h"
#include "../../base/err.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

/* Feeds pieces of `size` bytes, each an exact copy that is freed before the next. */
static inline const err *feed_cut(const err *(*feed)(void *reader, str piece), void *reader, str in,
                                  size_t size)
{
    const err *e = NULL;
    assert(size > 0);
    while (in.n && !e) {
        str piece = str_take(in, size);
        char *exact = malloc(piece.n);
        if (!exact) abort();
        for (size_t i = 0; i < piece.n; i++) exact[i] = piece.p[i];
        e = feed(reader, (str){exact, piece.n});
        free(exact);
        in = str_drop(in, piece.n);
    }
    return e;
}

/* One reading of `in` in pieces of `size`: what was read in the log; false when it was refused. */
typedef bool reading(arena *a, str in, size_t size, buf *log, bool *idle);

static inline void same_when_cut(arena *a, str in, size_t size, reading *run)
{
    buf whole = buf_new(a, 16u << 20), cut = whole;
    bool idle_whole, idle_cut;
    bool ok_whole = run(a, in, SIZE_MAX, &whole, &idle_whole);
    bool ok_cut = run(a, in, size, &cut, &idle_cut);
    assert(ok_whole == ok_cut);
    assert(str_eq(buf_str(&whole), buf_str(&cut)));
    assert(!ok_whole || idle_whole == idle_cut);
}
#endif
