/* SPDX-License-Identifier: Apache-2.0 */
/* inquiry.c - the downgrades of mcp.md 9.1, and what belongs to one hop only.
 *
 * Toward the modern era nothing needs another word, but elicitationId, task and the progress
 * token name things of the server's session, and stay here. Toward 2025-06-18 a form has no
 * mode, its choices with titles are enum and enumNames, and there is no choice of several.
 * Before 2025-11-25 a message has one block of content: one with several becomes several. */
#include "inquiry.h"
#include "../authz/digest.h"
#include "dialect.h"

static bool is_of_this_hop(const js_iter *it)
{
    return js_key_is(it, S("task")) || js_key_is(it, S("elicitationId"));
}

static void put_meta(arena *a, buf *b, js_value meta, bool *any)
{
    buf inner = buf_new(a, meta.raw.n + 2);
    bool inside = false;
    buf_put(&inner, S("{"));
    if (meta.kind == JS_OBJECT) dialect_put_meta(a, &inner, meta, &inside);
    buf_put(&inner, S("}"));
    if (inside && buf_ok(&inner)) dialect_put_member(b, S("_meta"), buf_str(&inner), any);
}

/* Choices with titles: [{"const":"r","title":"Red"},…] */
static void put_choices(buf *b, js_value choices, bool *any)
{
    static const str as[] = {S("enum"), S("enumNames")}, from[] = {S("const"), S("title")};
    for (size_t i = 0; i < 2; i++) {
        bool first = true;
        dialect_put_member(b, as[i], S("["), any);
        for (js_iter it = js_iterate(choices); js_next(&it); first = false) {
            js_value v = js_get(it.value, from[i]);
            if (v.kind == JS_ABSENT) v = js_get(it.value, S("const"));
            if (!first) buf_put(b, S(","));
            buf_put(b, v.kind == JS_ABSENT ? S("\"\"") : v.raw);
        }
        buf_put(b, S("]"));
    }
}

static bool is_choice(const js_iter *it)
{
    return js_key_is(it, S("enum")) || js_key_is(it, S("enumNames"));
}

static bool put_property(buf *b, js_value p)
{
    bool any = false, titled = js_get(p, S("oneOf")).kind == JS_ARRAY;
    if (p.kind != JS_OBJECT) return false;
    if (js_text_is(js_get(p, S("type")), S("array"))) return false;
    buf_put(b, S("{"));
    for (js_iter it = js_iterate(p); js_next(&it);) {
        if (titled && js_key_is(&it, S("oneOf")))
            put_choices(b, it.value, &any);
        else if (!titled || !is_choice(&it))
            dialect_put_member(b, it.key, it.value.raw, &any);
    }
    buf_put(b, S("}"));
    return true;
}

static bool put_properties(buf *b, js_value properties)
{
    bool any = false;
    if (properties.kind != JS_OBJECT) return false;
    buf_put(b, S("{"));
    for (js_iter it = js_iterate(properties); js_next(&it);) {
        dialect_put_member(b, it.key, (str){0}, &any);
        if (!put_property(b, it.value)) return false;
    }
    buf_put(b, S("}"));
    return true;
}

static bool put_schema(buf *b, js_value schema)
{
    bool any = false;
    if (schema.kind != JS_OBJECT) return false;
    buf_put(b, S("{"));
    for (js_iter it = js_iterate(schema); js_next(&it);) {
        if (!js_key_is(&it, S("properties"))) {
            dialect_put_member(b, it.key, it.value.raw, &any);
            continue;
        }
        dialect_put_member(b, it.key, (str){0}, &any);
        if (!put_properties(b, it.value)) return false;
    }
    buf_put(b, S("}"));
    return true;
}

static void put_uuid(arena *a, buf *b, bool *any)
{
    uint8_t bytes[16];
    digest_random(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40); /* RFC 9562 5.4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    str hex = digest_hex(a, bytes, sizeof bytes);
    static const size_t cut[] = {0, 8, 12, 16, 20, 32};
    dialect_put_member(b, S("elicitationId"), S("\""), any);
    for (size_t i = 0; i + 1 < sizeof cut / sizeof *cut; i++) {
        if (i) buf_put(b, S("-"));
        buf_put(b, str_take(str_drop(hex, cut[i]), cut[i + 1] - cut[i]));
    }
    buf_put(b, S("\""));
}

/* False: no words. An address keeps the id its server gave it, or gets one. */
static bool put_elicitation(arena *a, buf *b, js_value params, mcp_version to, bool *any)
{
    bool url = js_text_is(js_get(params, S("mode")), S("url")), old = to < MCP_2025_11_25;
    js_value id = js_get(params, S("elicitationId"));
    if (to < MCP_2025_06_18 || (url && old)) return false;
    for (js_iter it = js_iterate(params); js_next(&it);) {
        if (is_of_this_hop(&it) || js_key_is(&it, S("_meta"))) continue;
        bool schema = old && js_key_is(&it, S("requestedSchema"));
        if (old && js_key_is(&it, S("mode"))) continue;
        dialect_put_member(b, it.key, schema ? (str){0} : it.value.raw, any);
        if (schema && !put_schema(b, it.value)) return false;
    }
    if (!url || to != MCP_2025_11_25) return true;
    if (id.kind == JS_STRING)
        dialect_put_member(b, S("elicitationId"), id.raw, any);
    else
        put_uuid(a, b, any);
    return true;
}

/* One message whose content may be an array, as messages with one block each. */
static void put_message(buf *b, js_value message, bool *any)
{
    js_value content = js_get(message, S("content")), role = js_get(message, S("role"));
    if (content.kind != JS_ARRAY) {
        if (*any) buf_put(b, S(","));
        *any = true;
        buf_put(b, message.raw);
        return;
    }
    for (js_iter it = js_iterate(content); js_next(&it);) {
        bool inside = false;
        buf_put(b, *any ? S(",{") : S("{"));
        *any = true;
        if (role.kind != JS_ABSENT) dialect_put_member(b, S("role"), role.raw, &inside);
        dialect_put_member(b, S("content"), it.value.raw, &inside);
        buf_put(b, S("}"));
    }
}

static void put_sampling(buf *b, js_value params, mcp_version to, bool *any)
{
    for (js_iter it = js_iterate(params); js_next(&it);) {
        if (is_of_this_hop(&it) || js_key_is(&it, S("_meta"))) continue;
        bool whole = to >= MCP_2025_11_25 || it.value.kind != JS_ARRAY;
        if (whole || !js_key_is(&it, S("messages"))) {
            dialect_put_member(b, it.key, it.value.raw, any);
            continue;
        }
        bool inside = false;
        dialect_put_member(b, it.key, S("["), any);
        for (js_iter m = js_iterate(it.value); js_next(&m);) put_message(b, m.value, &inside);
        buf_put(b, S("]"));
    }
}

bool inquiry_put(arena *a, buf *b, str method, js_value params, mcp_version to)
{
    bool any = false, sayable = true;
    if (params.kind != JS_OBJECT) params = (js_value){0};
    buf_put(b, S("{"));
    if (str_eq(method, S("elicitation/create")))
        sayable = put_elicitation(a, b, params, to, &any);
    else if (str_eq(method, S("sampling/createMessage")))
        put_sampling(b, params, to, &any);
    put_meta(a, b, js_get(params, S("_meta")), &any);
    buf_put(b, S("}"));
    return sayable && buf_ok(b);
}

str inquiry_unanswered(str method)
{
    if (str_eq(method, S("elicitation/create"))) return S("\"result\":{\"action\":\"cancel\"}");
    return S("\"error\":{\"code\":-32603,\"message\":\"the client has gone\"}");
}
