/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_annotate.c - a server's tool, whatever it says of itself: what rules know of its schema,
 * what they write into it. The made text is JSON again, and says no less than it did. */
#include "../../authz/policy/schema.h"
#include "../../mcp/annotate.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const str rules = S(
    "policy: v1\nrules:\n  - id: p\n    permit: fs/x\n    when: args.b || args.n in [1, 2.5]\n    "
    "args:\n      s: this.startsWith(\"/srv/\") && !this.contains(\"..\")\n      n: this <= 5 && "
    "this > -1\n      e: {in: [a, \"1\"], optional: true}\n    other_args: deny\n"
    "  - {id: f, forbid: fs/x, when: 'args.?s.orValue(\"\").endsWith(\".env\")'}\n");

static const policy *loaded(arena *a)
{
    problems out;
    policy *p = NULL;
    problems_init(&out, a, S("x"));
    const policy_source source = {S("p.yaml"), rules};
    policy_load(a, &source, 1, NULL, &out, &p);
    if (!p) abort();
    return p;
}

/* Every member of the schema is still there. */
static bool has_all(js_value before, js_value after)
{
    for (js_iter it = js_iterate(before); before.kind == JS_OBJECT && js_next(&it);) {
        arena *a = arena_new();
        bool gone = js_get(after, js_key_text(a, &it)).kind == JS_ABSENT;
        arena_free(a);
        if (gone) return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_new();
    str text = {(const char *)data, size};
    js_value tool = {0}, made = {0};
    if (!js_check(a, text, 32, &tool) && tool.kind == JS_OBJECT) {
        const policy *p = loaded(a);
        js_value schema = js_get(tool, S("inputSchema"));
        question q = {.kind = SUBJECT_TOOL, .server = S("fs"), .name = S("x"), .listing = true};
        verdict v;
        policy_overlay o;
        q.schema = policy_schema_read(a, schema);
        policy_decide(p, &q, a, &v);
        if (policy_overlay_of(p, &q, a, &o)) {
            if (js_check(a, annotate_tool(a, tool.raw, &o), 34, &made)) abort();
            if (!has_all(tool, made) || !has_all(schema, js_get(made, S("inputSchema")))) abort();
        }
    }
    arena_free(a);
    return 0;
}
