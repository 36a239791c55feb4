/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_introspection.c - an answer either is an error, or claims for our audience that end in time.
 */
#include "../../authz/introspection.h"
#include <stdlib.h>

enum { NOW = 1800000000 };

static void demand(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const str audiences[] = {S("gw"), {0}};
    static const introspection about = {.url = S("https://idp/introspect"), .keep_s = 60};
    static const jwt_issuer idp = {.issuer = S("https://idp"),
                                   .audiences = audiences,
                                   .introspection = &about};
    arena *a = arena_new();
    json_t *claims = NULL;
    int64_t until_s = 0;
    const err *e = introspection_read(a, &idp, (str){(const char *)p, n}, NOW, &claims, &until_s);
    demand(e ? !claims : claims && until_s > NOW && until_s <= NOW + 60);
    demand(e || json_is_true(json_object_get(claims, "active")));
    json_decref(claims);
    arena_free(a);
    return 0;
}
