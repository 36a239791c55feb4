/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../authz/digest.h"
#include "../../mcp/dialect.h"
#include "../../mcp/mirror.h"
#include "../../mcp/shelf.h"

typedef struct {
    arena *a;
    sealer *seals;
    session_revoked *revoked;
} house;

static int set_up(void **state)
{
    const str none[] = {{0}};
    house *h = calloc(1, sizeof *h);
    h->a = arena_new();
    h->revoked = session_revoked_new();
    *state = h;
    return sealer_new(h->a, none, &h->seals) ? -1 : 0;
}

static int tear_down(void **state)
{
    house *h = *state;
    session_revoked_free(h->revoked);
    arena_free(h->a);
    free(h);
    return 0;
}

enum { HEADERS = 8 };

/* "Name: value|Name: value" */
static const header *headers_of(arena *a, const char *text)
{
    header *list = NEW_N(a, header, HEADERS + 1);
    str rest = {text, strlen(text)};
    for (size_t i = 0; rest.n && i < HEADERS; i++) {
        str_pair line = str_cut(rest, '|'), field = str_cut(line.head, ':');
        list[i] = (header){field.head, str_drop(field.tail, 1)};
        rest = line.tail;
    }
    return list;
}

static const session_bond bond = {{"alice", 5}, {"/mcp", 4}};

static bool take(house *h, const char *headers, const char *body, dialect_request *q,
                 rpc_refusal *no)
{
    js_value root;
    rpc_message m;
    *no = (rpc_refusal){0};
    assert_true(rpc_check(h->a, (str){body, strlen(body)}, 32, &root, no));
    assert_true(rpc_read(h->a, root, &m, no));
    dialect_context c = {.a = h->a,
                         .headers = headers_of(h->a, headers),
                         .seals = h->seals,
                         .revoked = h->revoked,
                         .bond = bond,
                         .now_ms = 2000,
                         .server_name = S("gw")};
    return dialect_read(&c, &m, q, no);
}

#define V    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\""
#define CAPS "\"io.modelcontextprotocol/clientCapabilities\":{}"
#define CALL(meta)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"                                            \
    "call\",\"params\":{\"name\":\"x\",\"_meta\":{" meta "}}}"
#define ASK(method, meta)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{\"_meta\":{" meta "}}}"
#define H "MCP-Protocol-Version: 2026-07-28"

typedef struct {
    const char *headers, *body;
    int status, code; /* code 0: accepted */
} order_case;

static void modern_requests_are_checked_in_the_order_of_the_book(void **state)
{
    static const order_case cases[] = {
        {H "|Mcp-Method: tools/call|Mcp-Name: x", CALL(V "," CAPS), 0, 0},
        {H "|Mcp-Method:  tools/call \t|Mcp-Name: x ", CALL(V "," CAPS), 0, 0},
        {H "|Mcp-Method: tools/call|Mcp-Name: =?base64?eA==?=", CALL(V "," CAPS), 0, 0},
        /* 6: a missing _meta beats wrong headers */
        {H, CALL(CAPS), 400, -32602},
        {H, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", 400, -32602},
        {H, CALL("\"io.modelcontextprotocol/protocolVersion\":7," CAPS), 400, -32602},
        /* 7: the version header */
        {"Mcp-Method: tools/call|Mcp-Name: x", CALL(V "," CAPS), 400, -32020},
        {"MCP-Protocol-Version: 2025-11-25|Mcp-Method: tools/call|Mcp-Name: x", CALL(V "," CAPS),
         400, -32020},
        {"MCP-Protocol-Version: 2099-01-01", CALL(V "," CAPS), 400, -32020},
        /* 8: a version nobody has, before the method headers */
        {"MCP-Protocol-Version: 2099-01-01",
         CALL("\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\""), 400, -32022},
        {"MCP-Protocol-Version: 2025-11-25",
         CALL("\"io.modelcontextprotocol/protocolVersion\":\"2025-11-25\""), 400, -32022},
        /* 9: method and name, before capabilities */
        {H "|Mcp-Name: x", CALL(V), 400, -32020},
        {H "|Mcp-Method: Tools/Call|Mcp-Name: x", CALL(V), 400, -32020},
        {H "|Mcp-Method: tools/list|Mcp-Name: x", CALL(V), 400, -32020},
        {H "|Mcp-Method: tools/call", CALL(V), 400, -32020},
        {H "|Mcp-Method: tools/call|Mcp-Name: y", CALL(V), 400, -32020},
        {H "|Mcp-Method: tools/call|Mcp-Name: =?base64?eA=?=", CALL(V), 400, -32020},
        {H "|Mcp-Method: tools/call|Mcp-Name: =?BASE64?eA==?=", CALL(V), 400, -32020},
        {H "|Mcp-Method: tools/call|Mcp-Name: x", ASK("tools/call", V), 400, -32020},
        /* 10: capabilities, before the method is looked up */
        {H "|Mcp-Method: tools/call|Mcp-Name: x", CALL(V), 400, -32602},
        {H "|Mcp-Method: nope", ASK("nope", V), 400, -32602},
        {H "|Mcp-Method: tools/call|Mcp-Name: x",
         CALL(V "," CAPS ",\"io.modelcontextprotocol/logLevel\":\"loud\""), 400, -32602},
        /* 11: what this era does not have */
        {H "|Mcp-Method: nope", ASK("nope", V "," CAPS), 404, -32601},
        {H "|Mcp-Method: ping", ASK("ping", V "," CAPS), 404, -32601},
        {H "|Mcp-Method: initialize", ASK("initialize", V "," CAPS), 404, -32601},
        {H "|Mcp-Method: tasks/list", ASK("tasks/list", V "," CAPS), 404, -32601},
        {H "|Mcp-Method: logging/setLevel", ASK("logging/setLevel", V "," CAPS), 404, -32601},
        {H "|Mcp-Method: tools/list", ASK("tools/list", V "," CAPS), 0, 0},
        {H "|Mcp-Method: server/discover", ASK("server/discover", V "," CAPS), 0, 0},
        /* notifications need no headers */
        {H, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dialect_request q;
        rpc_refusal no;
        bool good = take(*state, cases[i].headers, cases[i].body, &q, &no);
        if (good != (cases[i].code == 0) || no.code != cases[i].code ||
            no.status != cases[i].status)
            fail_msg("case %zu: %s / %s: %d %d", i, cases[i].headers, cases[i].body, no.status,
                     no.code);
        assert_ptr_equal(q.speaks, &dialect_modern);
    }
}

static void an_unknown_version_is_told_what_is_supported(void **state)
{
    dialect_request q;
    rpc_refusal no;
    assert_false(take(*state, "MCP-Protocol-Version: 2099-01-01",
                      CALL("\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\""), &q, &no));
    assert_true(
        str_eq(no.data, S("{\"supported\":[\"2026-07-28\"],\"requested\":\"2099-01-01\"}")));
}

static void the_envelope_is_read_and_the_rest_travels_on(void **state)
{
    house *h = *state;
    dialect_request q;
    rpc_refusal no;
    assert_true(take(h, H "|Mcp-Method: tools/call|Mcp-Name: x",
                     CALL("\"io.modelcontextprotocol\\/protocolVersion\":\"2026-07-28\"," CAPS
                          ",\"progressToken\":7,\"traceparent\":\"00\",\"my\\u0020key\":[1.0],"
                          "\"io.modelcontextprotocol/"
                          "clientInfo\":{\"name\":\"c\",\"version\":\"9\"},\"io."
                          "modelcontextprotocol/logLevel\":\"info\""),
                     &q, &no));
    assert_true(str_eq(q.client_name, S("c")) && str_eq(q.client_version, S("9")) &&
                str_eq(q.log_level, S("info")));
    assert_true(str_eq(q.meta.progress_token.raw, S("7")) && q.meta.has_more);
    buf b = buf_new(h->a, 1000);
    bool any = false;
    dialect_put_meta(h->a, &b, q.meta_raw, &any);
    assert_true(str_eq(buf_str(&b), S("\"traceparent\":\"00\",\"my\\u0020key\":[1.0]")));
}

static const char *session_header(house *h, mcp_version v, session *out)
{
    session s = {.version = v, .issued_ms = 1, .expires_ms = 5000, .client_name = S("old")};
    digest_random(s.sid, sizeof s.sid);
    if (out) *out = s;
    str id = session_seal(h->seals, h->a, &s, bond);
    return arena_fmt(h->a, "Mcp-Session-Id: %.*s", STR_ARG(id)).p;
}

static void old_requests_need_their_session(void **state)
{
    house *h = *state;
    dialect_request q;
    rpc_refusal no;
    session s;
    const char *ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    assert_false(take(h, "", ping, &q, &no));
    assert_int_equal(no.status, 400);
    assert_false(take(h, "Mcp-Session-Id: junk", ping, &q, &no));
    assert_int_equal(no.status, 404);
    const char *mine = session_header(h, MCP_2025_06_18, &s);
    assert_true(take(h, mine, ping, &q, &no));
    assert_int_equal(q.version, MCP_2025_06_18);
    assert_true(str_eq(q.client_name, S("old")));
    assert_true(
        take(h, arena_fmt(h->a, "%s|MCP-Protocol-Version: 2025-11-25", mine).p, ping, &q, &no));
    assert_int_equal(q.version, MCP_2025_06_18); /* the session's word */
    assert_false(
        take(h, arena_fmt(h->a, "%s|MCP-Protocol-Version: 2025-01-01", mine).p, ping, &q, &no));
    assert_int_equal(no.status, 400);
    assert_false(
        take(h, mine, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\"}", &q, &no));
    assert_int_equal(no.status, 200);
    assert_int_equal(no.code, -32601);
    assert_true(take(h, "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", &q, &no));
    session_revoke(h->revoked, &s, 2000);
    assert_false(take(h, mine, ping, &q, &no));
    assert_int_equal(no.status, 404);
}

static str result_for(house *h, mcp_version v, const char *text)
{
    js_value result;
    assert_null(js_check(h->a, (str){text, strlen(text)}, 16, &result));
    dialect_request q = {.version = v,
                         .speaks = v >= MCP_2026_07_28 ? &dialect_modern : &dialect_legacy,
                         .server_name = S("gw")};
    buf b = buf_new(h->a, 100000);
    q.speaks->write_result(&b, &q, result, NULL);
    assert_null(js_check(h->a, buf_str(&b), 16, &result));
    return buf_str(&b);
}

#define INFO                                                                                       \
    "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"gw\",\"version\":\"" SALLYPORT_VERSION "\"}"
typedef struct {
    mcp_version v;
    const char *from, *to;
} result_case;

static void results_are_said_in_the_words_of_each_era(void **state)
{
    static const result_case cases[] = {
        {MCP_2026_07_28, "{\"content\":[]}",
         "{\"content\":[],\"resultType\":\"complete\",\"_meta\":{" INFO "}}"},
        {MCP_2026_07_28, "{}", "{\"resultType\":\"complete\",\"_meta\":{" INFO "}}"},
        {MCP_2026_07_28,
         "{\"_meta\":{\"a\":1.0,\"io.modelcontextprotocol/"
         "serverInfo\":{}},\"resultType\":\"complete\",\"x\":[ 1 ]}",
         "{\"x\":[ 1 ],\"resultType\":\"complete\",\"_meta\":{\"a\":1.0," INFO "}}"},
        {MCP_2025_11_25,
         "{\"resultType\":\"complete\",\"content\":[{\"type\":\"resource_link\",\"uri\":\"u\"}],"
         "\"ttlMs\":1,\"cacheScope\":\"public\",\"_meta\":{" INFO "}}",
         "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"u\"}]}"},
        {MCP_2025_11_25, "{\"content\":[],\"_meta\":{\"k\":2}}",
         "{\"content\":[],\"_meta\":{\"k\":2}}"},
        {MCP_2025_11_25, "{\"resultType\":\"complete\"}", "{}"},
        {MCP_2025_06_18,
         "{\"content\":[{\"type\":\"text\",\"text\":\"[1]\"}],\"structuredContent\":[1]}",
         "{\"content\":[{\"type\":\"text\",\"text\":\"[1]\"}],\"structuredContent\":{\"result\":[1]"
         "}}"},
        {MCP_2025_06_18, "{\"structuredContent\":\"s\"}",
         "{\"content\":[{\"type\":\"text\",\"text\":\"\\\"s\\\"\"}],\"structuredContent\":{"
         "\"result\":\"s\"}}"},
        {MCP_2025_06_18,
         "{\"content\":[{\"type\":\"text\",\"text\":\"\"}],\"structuredContent\":{\"a\":1}}",
         "{\"content\":[{\"type\":\"text\",\"text\":\"\"}],\"structuredContent\":{\"a\":1}}"},
        {MCP_2025_03_26,
         "{\"isError\":false,\"content\":[{\"type\":\"resource_link\",\"uri\":\"a\\\"b\"},{"
         "\"type\":\"audio\"}],\"structuredContent\":{\"a\":1}}",
         "{\"isError\":false,\"content\":[{\"type\":\"text\",\"text\":\"a\\\"b\"},{\"type\":"
         "\"audio\"}]}"},
        {MCP_2024_11_05, "{\"content\":[{\"type\":\"audio\"}]}",
         "{\"content\":[{\"type\":\"text\",\"text\":\"[audio]\"}]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str made = result_for(*state, cases[i].v, cases[i].from);
        if (!str_eq(made, (str){cases[i].to, strlen(cases[i].to)}))
            fail_msg("case %zu: %.*s", i, STR_ARG(made));
    }
}

typedef struct {
    mcp_version v;
    const char *from;
    int status, code;
    const char *data;
    bool tool_error;
} error_case;

static void errors_of_servers_are_told_in_codes_that_mean_something(void **state)
{
    static const error_case cases[] = {
        {MCP_2026_07_28, "{\"code\":-32602,\"message\":\"m\",\"data\":{\"a\":1}}", 200, -32602,
         "{\"a\":1}", false},
        {MCP_2026_07_28, "{\"code\":-32002,\"message\":\"m\",\"data\":{\"uri\":\"u\"}}", 200,
         -32602, "{\"uri\":\"u\"}", false},
        {MCP_2025_11_25, "{\"code\":-32002,\"message\":\"m\"}", 200, -32002, NULL, false},
        {MCP_2026_07_28, "{\"code\":-32000,\"message\":\"m\",\"data\":{\"x\":1}}", 200, -32603,
         NULL, false},
        {MCP_2026_07_28, "{\"code\":-32019,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{\"code\":-32020,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{\"code\":-32022,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{\"code\":-32050,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{\"code\":-32700,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{\"code\":-32042,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2025_06_18, "{\"code\":-32042,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2025_11_25, "{\"code\":-32042,\"message\":\"m\",\"data\":{}}", 200, -32042, "{}",
         false},
        {MCP_2026_07_28,
         "{\"code\":-32021,\"message\":\"m\",\"data\":{\"requiredCapabilities\":{\"sampling\":{}}}"
         "}",
         400, -32021, "{\"requiredCapabilities\":{\"sampling\":{}}}", false},
        {MCP_2025_11_25, "{\"code\":-32021,\"message\":\"m\"}", 200, -32603, NULL, true},
        {MCP_2026_07_28, "{\"code\":-32601,\"message\":\"m\"}", 404, -32601, NULL, false},
        {MCP_2025_11_25, "{\"code\":-32601,\"message\":\"m\"}", 200, -32601, NULL, false},
        {MCP_2026_07_28, "{\"code\":42,\"message\":\"m\"}", 200, 42, NULL, false},
        {MCP_2026_07_28, "{\"code\":9000000000,\"message\":\"m\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{\"code\":\"x\"}", 200, -32603, NULL, false},
        {MCP_2026_07_28, "{}", 200, -32603, NULL, false},
    };
    house *h = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        js_value error;
        rpc_refusal no;
        dialect_request q = {.version = cases[i].v,
                             .speaks =
                                 cases[i].v >= MCP_2026_07_28 ? &dialect_modern : &dialect_legacy};
        assert_null(js_check(h->a, (str){cases[i].from, strlen(cases[i].from)}, 16, &error));
        bool plain = dialect_error(h->a, &q, error, &no);
        str data = cases[i].data ? (str){cases[i].data, strlen(cases[i].data)} : (str){0};
        if (plain == cases[i].tool_error || no.status != cases[i].status ||
            no.code != cases[i].code || !str_eq(no.data, data) || !no.text.n)
            fail_msg("case %zu: %d %d %.*s", i, no.status, no.code, STR_ARG(no.data));
    }
}

static void header_values_are_decoded_strictly(void **state)
{
    house *h = *state;
    str out;
    assert_true(mirror_decode(h->a, S("  plain \t"), &out) && str_eq(out, S("plain")));
    assert_true(mirror_decode(h->a, S("=?base64?w6k=?="), &out) && str_eq(out, S("\xC3\xA9")));
    assert_true(mirror_decode(h->a,
                              S("=?base64?"
                                "?="),
                              &out) &&
                out.n == 0);
    assert_true(mirror_decode(h->a, S("=?base64?w6k="), &out) &&
                str_eq(out, S("=?base64?w6k="))); /* no suffix: literal */
    assert_true(mirror_decode(h->a, S("=?Base64?w6k=?="), &out) &&
                str_eq(out, S("=?Base64?w6k=?=")));
    assert_false(mirror_decode(h->a, S("=?base64?w6k?="), &out));
    assert_false(mirror_decode(h->a, S("=?base64?w*k=?="), &out));
    assert_false(mirror_decode(h->a, S("=?base64?w6 k=?="), &out));
    assert_true(mirror_decode(h->a, (str){0}, &out) && out.n == 0);
}

typedef struct {
    const char *headers, *arguments;
    bool good;
} param_case;

static void params_compare_by_value(void **state)
{
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"},"
        "\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"B\"},"
        "\"o\":{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\",\"x-mcp-header\":"
        "\"S\"}}}}}";
    static const param_case cases[] = {
        {"", "{}", true},
        {"Mcp-Param-N: 42", "{\"n\":42}", true},
        {"mcp-param-n: 42.0", "{\"n\":42}", true},
        {"Mcp-Param-N: 42", "{\"n\":42.0}", true},
        {"Mcp-Param-N: 9007199254740993", "{\"n\":9007199254740992}", false}, /* no rounding */
        {"Mcp-Param-N: 043x", "{\"n\":43}", false},
        {"Mcp-Param-N: nan", "{\"n\":43}", false},
        {"", "{\"n\":42}", false},
        {"", "{\"n\":null}", true},
        {"Mcp-Param-N: 1", "{}", false},
        {"Mcp-Param-B: true", "{\"b\":true}", true},
        {"Mcp-Param-B: True", "{\"b\":true}", false},
        {"Mcp-Param-S: v", "{\"o\":{\"s\":\"v\"}}", true},
        {"Mcp-Param-S: w", "{\"o\":{\"s\":\"v\"}}", false},
        {"", "{\"o\":{\"s\":\"v\"}}", false},
        {"", "{\"o\":7}", true},
        {"Mcp-Param-Other: w", "{}", true},
    };
    house *h = *state;
    js_value s, v;
    assert_null(js_check(h->a, (str){schema, sizeof schema - 1}, 16, &s));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(js_check(h->a, (str){cases[i].arguments, strlen(cases[i].arguments)}, 16, &v));
        if (!mirror_params(h->a, headers_of(h->a, cases[i].headers), s, v) != cases[i].good)
            fail_msg("case %zu", i);
    }
}

static str item_for(house *h, const char *raw, const char *server, mcp_version v)
{
    catalog_item t = {0};
    assert_null(js_check(h->a, (str){raw, strlen(raw)}, 16, &t.raw));
    t.name = js_text(h->a, js_get(t.raw, S("name")));
    const shelf_words in = {h->a, (str){server, strlen(server)},
                            *server ? NAMING_PREFIX : NAMING_NONE, v};
    return shelf_item(&in, CATALOG_TOOLS, &t);
}

static void items_keep_every_byte_but_their_name(void **state)
{
    house *h = *state;
    const char *raw =
        "{ \"x\" : 1.50, \"n\\u0061me\":\"a\" ,\"inputSchema\":{\"$schema\":\"u\",\"e\":1E400}}";
    assert_true(str_eq(item_for(h, raw, "s", MCP_2026_07_28),
                       S("{ \"x\" : 1.50, \"n\\u0061me\":\"s__a\" "
                         ",\"inputSchema\":{\"$schema\":\"u\",\"e\":1E400}}")));
    assert_true(str_eq(item_for(h, raw, "", MCP_2026_07_28), (str){raw, strlen(raw)}));
    const char *out = "{\"outputSchema\":{\"type\":\"array\"},\"name\":\"a\"}";
    assert_true(str_eq(item_for(h, out, "s", MCP_2026_07_28),
                       S("{\"outputSchema\":{\"type\":\"array\"},\"name\":\"s__a\"}")));
    assert_true(str_eq(item_for(h, out, "s", MCP_2025_11_25),
                       S("{\"outputSchema\":{\"type\":\"object\",\"properties\":{\"result\":{"
                         "\"type\":\"array\"}},\"required\":[\"result\"]},\"name\":\"s__a\"}")));
    assert_true(str_eq(item_for(h, out, "s", MCP_2025_03_26), S("{\"name\":\"s__a\"}")));
    const char *refers = "{\"name\":\"a\",\"outputSchema\":{\"$ref\":\"#/$defs/x\"}}";
    assert_true(str_eq(item_for(h, refers, "", MCP_2025_11_25),
                       S("{\"name\":\"a\",\"outputSchema\":{\"type\":\"object\"}}")));
}

static void revisions_are_dates(void **state)
{
    (void)state;
    assert_true(mcp_version_is_modern(S("2026-07-28")) && mcp_version_is_modern(S("2099-01-01")));
    assert_false(mcp_version_is_modern(S("2026-07-27")));
    assert_false(mcp_version_is_modern(S("9999")) || mcp_version_is_modern(S("2026/07/28")) ||
                 mcp_version_is_modern((str){0}));
    assert_int_equal(mcp_version_of(S("2025-03-26")), MCP_2025_03_26);
    assert_int_equal(mcp_version_of(S("2025-03-27")), MCP_VERSIONS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(modern_requests_are_checked_in_the_order_of_the_book),
        TEST(an_unknown_version_is_told_what_is_supported),
        TEST(the_envelope_is_read_and_the_rest_travels_on),
        TEST(old_requests_need_their_session),
        TEST(results_are_said_in_the_words_of_each_era),
        TEST(errors_of_servers_are_told_in_codes_that_mean_something),
        TEST(header_values_are_decoded_strictly),
        TEST(params_compare_by_value),
        TEST(items_keep_every_byte_but_their_name),
        TEST(revisions_are_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
