/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_form.c - queries of strangers: what is read is no longer than what came, and what we write
 * of it reads the same. */
#include "../../base/form.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    str value = form_get(a, (str){(const char *)p, n}, S("state"));
    demand(value.n <= n);
    if (value.n) {
        buf b = buf_new(a, 4 * n + 16);
        form_put(&b, S("state"), value);
        demand(buf_ok(&b) && str_eq(form_get(a, buf_str(&b), S("state")), value));
    }
    arena_free(a);
    return 0;
}
