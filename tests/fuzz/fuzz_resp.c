/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a Redis: read from any beginning of the bytes, the verdict on the whole is the same,
 * and what is read stays within its bounds. */
#include <assert.h>

#include "../../server/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The recursion ends with the depth a reply may have. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static size_t weigh(const resp *r, unsigned depth)
{
    size_t n = 1;
    assert(depth <= RESP_DEPTH_MOST && r->text.n <= RESP_TEXT_MOST);
    for (size_t i = 0; i < r->text.n; i += 64) n += r->text.p[i] == 'x';
    for (size_t i = 0; i < r->n; i++) n += weigh(&r->items[i], depth + 1);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_new();
    str in = {(const char *)data, size};
    resp whole, part;
    size_t used = 0, some = 0;
    resp_state s = resp_read(a, in, &whole, &used);
    assert(used <= size);
    if (s == RESP_DONE) {
        (void)weigh(&whole, 0);
        for (size_t n = 0; n < used && n < 512; n++)
            assert(resp_read(a, str_take(in, n), &part, &some) == RESP_MORE);
        assert(resp_read(a, str_take(in, used), &part, &some) == RESP_DONE && some == used);
    }
    arena_free(a);
    return 0;
}
