/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/link_param.h"
#include "link_rig.h"

static void x_mcp_header_is_checked(void **state)
{
    static const struct {
        const char *schema;
        bool valid;
    } cases[] = {
        {"{\"type\":\"object\"}", true},
        {"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}", true},
        {"{\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"boolean\","
         "\"x-mcp-header\":\"B\"}}}}}",
         true},
        {"{\"properties\":{\"x-mcp-header\":{\"type\":\"string\"}}}", true},
        {"{\"properties\":{\"a\":{\"enum\":[{\"x-mcp-header\":1}],\"type\":\"string\"}}}", true},
        {"{\"properties\":{\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}}}", false},
        {"{\"properties\":{\"a\":{\"x-mcp-header\":\"A\"}}}", false},
        {"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\"}}}", false},
        {"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A B\"}}}", false},
        {"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\\r\\nX: y\"}}}", false},
        {"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":5}}}", false},
        {"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},\"b\":{\"type\":"
         "\"string\",\"x-mcp-header\":\"a\"}}}",
         false},
        {"{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-mcp-"
         "header\":\"A\"}}}}",
         false},
        {"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}]}",
         false},
        {"{\"$defs\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}", false},
        {"{\"type\":\"object\",\"x-mcp-header\":\"A\"}", false},
    };
    (void)state;
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        js_value v;
        assert_null(js_check(a, (str){cases[i].schema, strlen(cases[i].schema)}, 64, &v));
        const char *why = link_param_problem(a, v);
        if (!why != cases[i].valid) fail_msg("case %zu: %s", i, why ? why : "valid");
    }
    arena_free(a);
}

static void header_values_are_encoded_when_they_would_not_survive(void **state)
{
    static const struct {
        str in;
        const char *out;
    } cases[] = {{S("plain value"), "plain value"},
                 {S(""), ""},
                 {S(" x"), "=?base64?IHg=?="},
                 {S("x\t"), "=?base64?eAk=?="},
                 {S("a\nb"), "=?base64?YQpi?="},
                 {S("=?base64?YQ==?="), "=?base64?PT9iYXNlNjQ/WVE9PT89?="},
                 {S("=?base64?YQ=="), "=?base64?YQ=="},
                 {S("a\tb"), "a\tb"}};
    (void)state;
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str out = link_param_encode(a, cases[i].in);
        if (!str_eq(out, (str){cases[i].out, strlen(cases[i].out)}))
            fail_msg("case %zu: %.*s", i, STR_ARG(out));
    }
    arena_free(a);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x_mcp_header_is_checked),
        cmocka_unit_test(header_values_are_encoded_when_they_would_not_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
