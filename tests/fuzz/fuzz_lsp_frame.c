/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lsp_frame.c - any split of the stream gives the same messages; the first byte says where. */
#include "../../server/lsp/lsp_frame.h"
#include <stdint.h>
#include <stdlib.h>

/* Messages joined with NULs, and whether the stream ended in an error. */
static bool read_all(arena *a, str bytes, size_t cut, buf *out)
{
    lsp_frames f = lsp_frames_new();
    const err *e = NULL;
    for (int part = 0; part < 2 && !e; part++) {
        lsp_frames_feed(&f, part ? str_drop(bytes, cut) : str_take(bytes, cut));
        for (str body;;) {
            e = lsp_frames_next(&f, a, &body);
            if (e || !body.n) break;
            (void)buf_put(out, body);
            (void)buf_put(out, (str){"", 1});
        }
    }
    lsp_frames_free(&f);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (!n) return 0;
    arena *a = arena_new();
    str bytes = {(const char *)p + 1, n - 1};
    buf whole = buf_new(a, 2 * n + 64), split = buf_new(a, 2 * n + 64);
    bool bad = read_all(a, bytes, bytes.n, &whole), also = read_all(a, bytes, *p % n, &split);
    if (bad != also || !str_eq(buf_str(&whole), buf_str(&split))) abort();
    arena_free(a);
    return 0;
}
