/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_fmt.c - whatever the file, what formatting gives is formatted, and an error has a place. */
#include "../../authz/policy/fmt.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    str once, twice;
    const err *e = policy_fmt(a, S("f"), (str){(const char *)p, n}, &once);
    if (e && !str_starts(e->text, S("f:"))) abort();
    if (!e && (policy_fmt(a, S("f"), once, &twice) || !str_eq(once, twice))) abort();
    arena_free(a);
    return 0;
}
