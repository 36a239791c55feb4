/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_authority.c - metadata and challenges of strangers: what is accepted names what was asked
 * for. The first byte picks the reader. */
#include "../../mcp/authority.h"
#include <stdlib.h>

#define WHO S("https://login.example.com/t")

static void demand(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (!n) return 0;
    arena *a = arena_new();
    authority found = {0};
    str text = {(const char *)p + 1, n - 1};
    if (p[0] % 3 == 0) {
        const err *e = authority_read(a, WHO, text, &found);
        demand(e || (str_eq(found.issuer, WHO) && found.token.n));
    } else if (p[0] % 3 == 1) {
        const err *e = authority_read_resource(a, WHO, text, &found);
        demand(e || (found.issuer.n && str_starts(found.resource, S("https://"))));
    } else {
        str value = authority_challenge(a, text, S("scope"));
        demand(value.n <= text.n);
    }
    arena_free(a);
    return 0;
}
