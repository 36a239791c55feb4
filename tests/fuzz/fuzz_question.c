/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_question.c - any question of a server's: what a client gets is sound JSON in every revision.
 */
#include "../../mcp/capability.h"
#include "../../mcp/inquiry.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void ask(arena *a, str method, js_value params, mcp_version to)
{
    js_value again;
    buf b = buf_new(a, INQUIRY_MOST);
    if (!inquiry_put(a, &b, method, params, to)) return;
    assert(!js_check(a, buf_str(&b), 80, &again) && again.kind == JS_OBJECT);
    assert(js_get(again, S("task")).kind == JS_ABSENT);
    bool url = capability_needed(method, again) == CAN_ELICIT_URL;
    if (url && to == MCP_2025_11_25)
        assert(js_get(again, S("elicitationId")).kind == JS_STRING);
    else if (url)
        assert(js_get(again, S("elicitationId")).kind == JS_ABSENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const str methods[] = {S("elicitation/create"), S("sampling/createMessage"),
                                  S("roots/list"), S("else")};
    if (!n) return 0;
    arena *a = arena_new();
    js_value params;
    if (!js_check(a, (str){(const char *)p + 1, n - 1}, 64, &params)) {
        for (unsigned v = 0; v < MCP_VERSIONS; v++)
            ask(a, methods[p[0] % 4], params, (mcp_version)v);
        buf b = buf_new(a, 4096);
        capability_put(&b, capability_bits(params, MCP_2026_07_28), MCP_2026_07_28);
        assert(buf_ok(&b));
    }
    arena_free(a);
    return 0;
}
