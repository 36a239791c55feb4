/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_endpoint.c - any address for messages from a server over HTTP+SSE: what is taken is a target
 * of its own origin that cannot break a request line. The input's first line is the server's URL.
 */
#include "../../mcp/link_stream.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool is_plain(char c)
{
    return c > 0x20 && c < 0x7F && c != '#';
}

static void must_be_plain(str target)
{
    assert(target.n && target.p[0] == '/');
    for (size_t i = 0; i < target.n; i++) assert(is_plain(target.p[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    str_pair cut = str_cut((str){(const char *)p, n}, '\n');
    str target = {0};
    if (!link_stream_target(a, cut.head, cut.tail, &target)) must_be_plain(target);
    arena_free(a);
    return 0;
}
