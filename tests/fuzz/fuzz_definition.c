/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_definition.c - a canonical form is JSON, and its own canonical form. */
#include "../../mcp/definition.h"
#include "../../mcp/wording.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    js_value tool, again;
    if (!js_check(a, (str){(const char *)p, n}, 100, &tool)) {
        str once = definition_canonical(a, tool);
        demand(!js_check(a, once, 100, &again));
        demand(str_eq(once, definition_canonical(a, again)));
        wording *w = wording_new(a);
        wording_know(w, S("other"), S("create_issue"));
        demand(wording_hidden(a, tool).n == wording_hidden(a, again).n);
        demand(wording_foreign(w, a, S("this"), tool).n ==
               wording_foreign(w, a, S("this"), again).n);
    }
    arena_free(a);
    return 0;
}
