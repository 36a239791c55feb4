/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_authority.c - metadata and challenges of strangers: what is accepted names what was asked
 * for. The first byte picks the reader. */
#include "../../mcp/authority.h"
#include "../../transport/client.h"
#include <stdlib.h>

#define WHO S("https://login.example.com/t")

static void demand(bool right)
{
    if (!right) abort();
}

/* A scheme and a host may be written in capitals, so they are compared as read. */
static bool is_of_who(arena *a, str resource)
{
    url_parts u;
    return !url_parse(a, resource, &u) && u.secure && u.port == 443 &&
           str_eq(u.host, S("login.example.com"));
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
        demand(e || (found.issuer.n && is_of_who(a, found.resource)));
    } else {
        str value = authority_challenge(a, text, S("scope"));
        demand(value.n <= text.n);
    }
    arena_free(a);
    return 0;
}
