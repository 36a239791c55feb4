/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a Redis: in whatever pieces the bytes come, the verdict is the same, and what is read
 * stays within its bounds. */
#include <assert.h>

#include "../../server/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The recursion ends with the depth a reply may have. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static size_t weigh(const resp *r, unsigned depth)
{
    size_t n = 1;
    assert(depth <= RESP_DEPTH_MOST && r->n <= RESP_ITEMS_MOST);
    for (size_t i = 0; i < r->text.n; i += 64) n += r->text.p[i] == 'x';
    for (size_t i = 0; i < r->n; i++) n += weigh(&r->items[i], depth + 1);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_new();
    str in = {(const char *)data, size};
    resp whole, part;
    if (resp_read(resp_reader_new(a), in, &whole) == RESP_DONE) {
        size_t weight = weigh(&whole, 0);
        resp_reader *slow = resp_reader_new(a);
        for (size_t n = 0; n + 1 < size; n++)
            assert(resp_read(slow, str_take(str_drop(in, n), 1), &part) == RESP_MORE);
        assert(resp_read(slow, str_drop(in, size - 1), &part) == RESP_DONE);
        assert(weigh(&part, 0) == weight);
    }
    arena_free(a);
    return 0;
}
