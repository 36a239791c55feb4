/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* A masked result is JSON, and nothing is left in it that a pattern fits, or a path leads to. */
#include "../../mcp/mask.h"
#include <assert.h>
#include <stdlib.h>

static const policy *rules(void)
{
    static policy *p = NULL;
    static const policy_source source =
        {S("f.yaml"),
         S("policy: v1\nmasks:\n  - { id: m, for: 's/*', patterns: ['secr[e]t', '4[0-9]{3}'] }\n"
           "  - { id: n, for: 's/way', paths: [a.b, 'rows.*.card'] }\n")};
    if (p) return p;
    problems out;
    arena *a = arena_new();
    problems_init(&out, a, S("f.yaml"));
    policy_load(a, &source, 1, NULL, &out, &p);
    assert(p);
    return p;
}

static void hides(arena *a, js_value result, str tool)
{
    caller who = {.kind = CALLER_ANONYMOUS};
    question q = {.kind = SUBJECT_TOOL, .server = S("s"), .name = tool, .who = &who};
    js_value made = mask_result(a, policy_masks(rules(), &q, a), result), again;
    if (!made.kind) return;
    const err *e = js_check(a, made.raw, 200, &again);
    assert(!e && again.kind == JS_OBJECT);
    assert(!memmem(made.raw.p, made.raw.n, "secret", 6) ||
           memmem(result.raw.p, result.raw.n, "secret", 6));
    js_value b = js_get(js_get(js_get(again, S("structuredContent")), S("a")), S("b"));
    assert(!str_eq(tool, S("way")) || !b.kind || js_text_is(b, S(MASK_MARK)));
    js_value twice = mask_result(a, policy_masks(rules(), &q, a), again);
    assert(twice.kind && str_eq(twice.raw, made.raw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_new();
    js_value root;
    const err *e = js_check(a, (str){(const char *)data, size}, 128, &root);
    if (!e) hides(a, root, S("t"));
    if (!e) hides(a, root, S("way"));
    arena_free(a);
    return 0;
}
