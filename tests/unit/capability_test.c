/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../mcp/capability.h"

static js_value parsed(arena *a, const char *text)
{
    js_value v = {0};
    assert_null(js_check(a, (str){text, strlen(text)}, 16, &v));
    return v;
}

static void a_revision_knows_what_it_knows(void **state)
{
    static const struct {
        const char *said;
        mcp_version version;
        unsigned bits;
        const char *again;
    } cases[] = {
        {"{}", MCP_2026_07_28, 0, "{}"},
        {"{\"roots\":{\"listChanged\":true}}", MCP_2024_11_05, CAN_LIST_ROOTS, "{\"roots\":{}}"},
        {"{\"elicitation\":{}}", MCP_2025_03_26, 0, "{}"},
        {"{\"elicitation\":{}}", MCP_2025_06_18, CAN_ELICIT_FORM, "{\"elicitation\":{}}"},
        {"{\"elicitation\":{\"url\":{}}}", MCP_2025_06_18, 0, "{}"},
        {"{\"elicitation\":{\"url\":{}}}", MCP_2025_11_25, CAN_ELICIT_URL,
         "{\"elicitation\":{\"url\":{}}}"},
        {"{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{\"tools\":{}}}", MCP_2025_11_25,
         CAN_ELICIT_URL | CAN_ELICIT_FORM | CAN_SAMPLE | CAN_SAMPLE_TOOLS,
         "{\"sampling\":{\"tools\":{}},\"elicitation\":{\"form\":{},\"url\":{}}}"},
        {"{\"sampling\":{\"tools\":{},\"context\":{}}}", MCP_2025_06_18, CAN_SAMPLE,
         "{\"sampling\":{}}"},
        {"{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}", MCP_2025_11_25, 0, "{}"},
        {"{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}", MCP_2026_07_28,
         CAN_FOLLOW_TASKS, "{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}"},
        {"{\"roots\":true,\"sampling\":[],\"elicitation\":null}", MCP_2026_07_28, 0, "{}"},
    };
    (void)state;
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned bits = capability_bits(parsed(a, cases[i].said), cases[i].version);
        buf b = buf_new(a, 4096);
        capability_put(&b, bits, cases[i].version);
        str again = buf_str(&b);
        if (bits != cases[i].bits || !str_eq(again, (str){cases[i].again, strlen(cases[i].again)}))
            fail_msg("case %zu: %x %.*s", i, bits, STR_ARG(again));
    }
    arena_free(a);
}

static void a_question_needs_what_it_asks_for(void **state)
{
    static const struct {
        const char *method, *params;
        unsigned bits;
    } cases[] = {
        {"roots/list", "{}", CAN_LIST_ROOTS},
        {"sampling/createMessage", "{\"messages\":[]}", CAN_SAMPLE},
        {"sampling/createMessage", "{\"tools\":[]}", CAN_SAMPLE | CAN_SAMPLE_TOOLS},
        {"sampling/createMessage", "{\"toolChoice\":{}}", CAN_SAMPLE | CAN_SAMPLE_TOOLS},
        {"elicitation/create", "{\"mode\":\"url\"}", CAN_ELICIT_URL},
        {"elicitation/create", "{}", CAN_ELICIT_FORM},
        {"ping", "{}", 0},
        {"tools/call", "{}", 0},
    };
    (void)state;
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str method = {cases[i].method, strlen(cases[i].method)};
        assert_int_equal(capability_needed(method, parsed(a, cases[i].params)), cases[i].bits);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revision_knows_what_it_knows),
        cmocka_unit_test(a_question_needs_what_it_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
