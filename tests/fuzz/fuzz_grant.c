/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_grant.c - what a token endpoint answers either is an error or may stand in a header. The
 * first byte picks the status. */
#include "../../mcp/grant.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const int statuses[] = {200, 400, 302, 500};
    if (!n) return 0;
    arena *a = arena_new();
    grant_token got = {0};
    str body = {(const char *)p + 1, n - 1};
    const err *e = grant_read(a, statuses[p[0] % 4], body, &got);
    demand(e || (got.token.n && got.token.n <= GRANT_TOKEN_MOST && got.lives_s >= 5));
    for (size_t i = 0; !e && i < got.token.n; i++)
        demand(got.token.p[i] > ' ' && got.token.p[i] < 0x7F);
    for (size_t i = 0; e && i < e->text.n; i++) demand(e->text.p[i] >= ' ' && e->text.p[i] < 0x7F);
    arena_free(a);
    return 0;
}
