/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../mcp/corridor.h"

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static bool take(arena *a, const char *text, rpc_message *m, rpc_refusal *no)
{
    js_value root;
    *m = (rpc_message){0};
    *no = (rpc_refusal){0};
    return rpc_check(a, (str){text, strlen(text)}, 8, &root, no) && rpc_read(a, root, m, no);
}

typedef struct {
    const char *text;
    int code;
    const char *id; /* what an answer would carry; NULL: none */
} bad_case;

static void bad_messages_get_their_code_and_keep_their_id(void **state)
{
    static const bad_case cases[] = {
        {"", -32700, NULL},
        {"{", -32700, NULL},
        {"{} x", -32700, NULL},
        {"{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\"}", -32700, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700, NULL},
        {"[[[[[[[[[[1]]]]]]]]]]", -32600, NULL},
        {"[]", -32600, NULL},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, NULL},
        {"7", -32600, NULL},
        {"null", -32600, NULL},
        {"\"ping\"", -32600, NULL},
        {"{}", -32600, NULL},
        {"{\"id\":1,\"method\":\"ping\"}", -32600, "1"},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", -32600, "1"},
        {"{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"ping\"}", -32600, "\"a\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", -32600, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1e3,\"method\":\"ping\"}", -32600, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", -32600, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", -32600, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":\"x\"}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"result\":{}}", -32600, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rpc_message m;
        rpc_refusal no;
        if (take(*state, cases[i].text, &m, &no) || no.code != cases[i].code || no.status != 400)
            fail_msg("%s: code %d", cases[i].text, no.code);
        str id = cases[i].id ? (str){cases[i].id, strlen(cases[i].id)} : (str){0};
        if (!str_eq(m.id, id) || !m.id.p != !id.p)
            fail_msg("%s: id %.*s", cases[i].text, STR_ARG(m.id));
    }
}

static void good_messages_are_told_apart(void **state)
{
    rpc_message m;
    rpc_refusal no;
    assert_true(take(*state,
                     "{\"method\":\"tools\\/"
                     "call\",\"params\":{\"a\":1},\"id\":\"\\u0031\",\"jsonrpc\":\"2.0\"}",
                     &m, &no));
    assert_int_equal(m.kind, RPC_REQUEST);
    assert_true(str_eq(m.method, S("tools/call")));
    assert_true(str_eq(m.id, S("\"\\u0031\""))); /* byte for byte */
    assert_true(take(*state, "{\"jsonrpc\":\"2.0\",\"id\":-90071992547409931234,\"method\":\"x\"}",
                     &m, &no));
    assert_true(str_eq(m.id, S("-90071992547409931234")));
    assert_true(take(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}", &m, &no));
    assert_int_equal(m.kind, RPC_NOTIFICATION);
    assert_true(take(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", &m, &no));
    assert_int_equal(m.kind, RPC_RESPONSE);
    assert_true(
        take(*state, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"x\"}}", &m, &no));
    assert_int_equal(m.kind, RPC_RESPONSE);
}

static void what_is_written_is_json(void **state)
{
    arena *a = *state;
    buf b = buf_new(a, 1000);
    rpc_refusal no = {.status = 400,
                      .code = -32602,
                      .text = S("a \"quote\""),
                      .data = S("{\"k\":1}")};
    rpc_write_error(&b, S("\"x\""), &no);
    assert_true(
        str_eq(buf_str(&b), S("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32602,"
                              "\"message\":\"a \\\"quote\\\"\",\"data\":{\"k\":1}}}")));
    b = buf_new(a, 1000);
    no.data = (str){0};
    rpc_write_error(&b, (str){0}, &no);
    assert_null(memmem(b.p, b.n, "\"id\"", 4));
    js_value root;
    assert_null(js_check(a, buf_str(&b), 8, &root));
}

static bool has_step(const flow_step *s, const char *name)
{
    for (; s->name; s++)
        if (strcmp(s->name, name) == 0 || (s->sub && has_step(s->sub, name))) return true;
    return false;
}

static void every_method_says_what_it_needs(void **state)
{
    (void)state;
    for (const mcp_method *m = mcp_methods; m->name.p; m++) {
        assert_int_not_equal(m->needs, NEEDS_UNSET);
        assert_int_not_equal(m->eras, 0);
        if (m->needs == NEEDS_RULE) assert_true(m->subject.n > 0);
        if (!m->served) continue;
        assert_true(mcp_method_is_served(m));
        assert_true(m->served->steps[0].run == corridor_identify &&
                    m->served->steps[1].run == corridor_read);
        assert_true(m->served->settle && m->served->release && m->served->refuse);
        assert_int_equal(has_step(m->served->steps, "authorize"), m->needs == NEEDS_RULE);
        assert_int_equal(has_step(m->served->steps, "filter"), m->needs == NEEDS_FILTER);
    }
    mcp_method forgotten = {.name = S("x"), .eras = ERA_IS_ANY, .served = &corridor_ping};
    assert_false(mcp_method_is_served(&forgotten));
    assert_null(mcp_method_find(S("nope"), ERA_IS_ANY));
    assert_null(mcp_method_find(S("ping"), ERA_IS_MODERN));
    assert_non_null(mcp_method_find(S("ping"), ERA_IS_LEGACY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_messages_get_their_code_and_keep_their_id, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(good_messages_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_json, set_up, tear_down),
        cmocka_unit_test(every_method_says_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
