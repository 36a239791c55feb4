/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_endpoint.c - any address for messages from a server over HTTP+SSE: what is taken is a target
 * of its own origin that cannot break a request line. The input's first line is the server's URL.
 */
#include "../../mcp/link_stream.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    str_pair cut = str_cut((str){(const char *)p, n}, '\n');
    str target = {0};
    if (!link_stream_target(a, cut.head, cut.tail, &target)) {
        assert(target.n && target.p[0] == '/');
        for (size_t i = 0; i < target.n; i++)
            assert(target.p[i] > 0x20 && target.p[i] < 0x7F && target.p[i] != '#');
    }
    arena_free(a);
    return 0;
}
