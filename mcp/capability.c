/* SPDX-License-Identifier: Apache-2.0 */
/* capability.c - reading and writing ClientCapabilities.
 *
 * What a revision does not know is not there, whatever was declared: elicitation came with
 * 2025-06-18, its URL mode and tools in sampling with 2025-11-25, tasks as an extension with
 * 2026-07-28. (mcp.md 2; schema.ts ClientCapabilities of each revision.) */
#include "capability.h"

#define TASKS_EXTENSION "io.modelcontextprotocol/tasks"

static unsigned known_to(mcp_version v)
{
    unsigned bits = CAN_LIST_ROOTS | CAN_SAMPLE;
    if (v >= MCP_2025_06_18) bits |= CAN_ELICIT_FORM;
    if (v >= MCP_2025_11_25) bits |= CAN_ELICIT_URL | CAN_SAMPLE_TOOLS | CAN_SAMPLE_CONTEXT;
    if (v >= MCP_2026_07_28) bits |= CAN_FOLLOW_TASKS;
    return bits;
}

static bool has(js_value object, str name)
{
    return js_get(object, name).kind == JS_OBJECT;
}

unsigned capability_bits(js_value said, mcp_version version)
{
    js_value sampling = js_get(said, S("sampling")), elicit = js_get(said, S("elicitation"));
    unsigned bits = 0;
    if (has(said, S("roots"))) bits |= CAN_LIST_ROOTS;
    if (sampling.kind == JS_OBJECT) bits |= CAN_SAMPLE;
    if (has(sampling, S("tools"))) bits |= CAN_SAMPLE_TOOLS;
    if (has(sampling, S("context"))) bits |= CAN_SAMPLE_CONTEXT;
    if (has(js_get(said, S("extensions")), S(TASKS_EXTENSION))) bits |= CAN_FOLLOW_TASKS;
    if (elicit.kind == JS_OBJECT) {
        bool url = has(elicit, S("url"));
        if (url) bits |= CAN_ELICIT_URL;
        if (!url || has(elicit, S("form"))) bits |= CAN_ELICIT_FORM; /* {} means forms */
    }
    return bits & known_to(version);
}

static void member(buf *b, bool *any, str text)
{
    if (*any) buf_put(b, S(","));
    *any = true;
    buf_put(b, text);
}

static void put_sampling(buf *b, unsigned bits, bool *any)
{
    bool inside = false;
    member(b, any, S("\"sampling\":{"));
    if (bits & CAN_SAMPLE_CONTEXT) member(b, &inside, S("\"context\":{}"));
    if (bits & CAN_SAMPLE_TOOLS) member(b, &inside, S("\"tools\":{}"));
    buf_put(b, S("}"));
}

/* Before URLs, the empty object was the only way to say forms. */
static void put_elicitation(buf *b, unsigned bits, mcp_version version, bool *any)
{
    bool inside = false;
    member(b, any, S("\"elicitation\":{"));
    if (version >= MCP_2025_11_25 && bits & CAN_ELICIT_FORM) member(b, &inside, S("\"form\":{}"));
    if (bits & CAN_ELICIT_URL) member(b, &inside, S("\"url\":{}"));
    buf_put(b, S("}"));
}

void capability_put(buf *b, unsigned bits, mcp_version version)
{
    bool any = false;
    bits &= known_to(version);
    buf_put(b, S("{"));
    if (bits & CAN_LIST_ROOTS) member(b, &any, S("\"roots\":{}"));
    if (bits & (CAN_SAMPLE | CAN_SAMPLE_TOOLS | CAN_SAMPLE_CONTEXT)) put_sampling(b, bits, &any);
    if (bits & (CAN_ELICIT_FORM | CAN_ELICIT_URL)) put_elicitation(b, bits, version, &any);
    if (bits & CAN_FOLLOW_TASKS) member(b, &any, S("\"extensions\":{\"" TASKS_EXTENSION "\":{}}"));
    buf_put(b, S("}"));
}

static unsigned needed_to_sample(js_value params)
{
    unsigned bits = CAN_SAMPLE;
    if (js_get(params, S("tools")).kind != JS_ABSENT ||
        js_get(params, S("toolChoice")).kind != JS_ABSENT)
        bits |= CAN_SAMPLE_TOOLS;
    return bits;
}

unsigned capability_needed(str method, js_value params)
{
    if (str_eq(method, S("roots/list"))) return CAN_LIST_ROOTS;
    if (str_eq(method, S("sampling/createMessage"))) return needed_to_sample(params);
    if (!str_eq(method, S("elicitation/create"))) return 0;
    return js_text_is(js_get(params, S("mode")), S("url")) ? CAN_ELICIT_URL : CAN_ELICIT_FORM;
}
