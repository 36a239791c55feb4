/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_import.c - whatever the configuration, the rules made of it load; the first byte is whose.
 */
#include "../../authz/policy/import.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (!n) return 0;
    arena *a = arena_new();
    problems notes;
    str out;
    problems_init(&notes, a, S("f"));
    const policy_source file = {S("f"), {(const char *)p + 1, n - 1}};
    const err *e =
        policy_import(a, *p == 'a' ? IMPORT_AGENTGATEWAY : IMPORT_ENVOY, &file, 1, &notes, &out);
    if (e && (e->kind == ERR_BUG || e->kind == ERR_UNSUPPORTED))
        abort(); /* what we wrote ourselves was wrong */
    arena_free(a);
    return 0;
}
