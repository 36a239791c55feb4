/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../mcp/inquiry.h"

#define FORM   "elicitation/create"
#define SAMPLE "sampling/createMessage"

static js_value parsed(arena *a, const char *text)
{
    js_value v = {0};
    assert_null(js_check(a, (str){text, strlen(text)}, 32, &v));
    return v;
}

static str put(arena *a, const char *method, const char *params, mcp_version to, bool *sayable)
{
    buf b = buf_new(a, 1 << 20);
    *sayable = inquiry_put(a, &b, (str){method, strlen(method)}, parsed(a, params), to);
    return buf_str(&b);
}

static void a_question_is_said_in_the_words_of_its_revision(void **state)
{
    static const struct {
        const char *method;
        mcp_version to;
        const char *params, *said; /* NULL: no words */
    } cases[] = {
        {"roots/list", MCP_2024_11_05, "{}", "{}"},
        {"roots/list", MCP_2026_07_28, "{\"_meta\":{\"progressToken\":1,\"x/y\":2}}",
         "{\"_meta\":{\"x/y\":2}}"},
        {FORM, MCP_2025_03_26, "{\"message\":\"m\"}", NULL},
        {FORM, MCP_2025_06_18, "{\"mode\":\"url\",\"url\":\"https://x\"}", NULL},
        {FORM, MCP_2025_06_18, "{\"mode\":\"form\",\"message\":\"m\",\"task\":{\"ttl\":1}}",
         "{\"message\":\"m\"}"},
        {FORM, MCP_2025_11_25, "{\"mode\":\"form\",\"message\":\"m\"}",
         "{\"mode\":\"form\",\"message\":\"m\"}"},
        {FORM, MCP_2025_11_25, "{\"mode\":\"url\",\"url\":\"u\",\"elicitationId\":\"e\"}",
         "{\"mode\":\"url\",\"url\":\"u\",\"elicitationId\":\"e\"}"},
        {FORM, MCP_2026_07_28, "{\"mode\":\"url\",\"url\":\"u\",\"elicitationId\":\"e\"}",
         "{\"mode\":\"url\",\"url\":\"u\"}"},
        {FORM, MCP_2025_06_18,
         "{\"requestedSchema\":{\"properties\":{\"c\":{\"type\":\"string\",\"oneOf\":[{\"const\":"
         "\"r\",\"title\":\"R\"},{\"const\":\"g\"},{}]}},\"required\":[\"c\"]}}",
         "{\"requestedSchema\":{\"properties\":{\"c\":{\"type\":\"string\",\"enum\":[\"r\",\"g\","
         "\"\"],\"enumNames\":[\"R\",\"g\",\"\"]}},\"required\":[\"c\"]}}"},
        {FORM, MCP_2025_06_18,
         "{\"requestedSchema\":{\"properties\":{\"c\":{\"type\":\"array\"}}}}", NULL},
        {SAMPLE, MCP_2025_06_18,
         "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
         "{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":\"user\",\"content\":{\"x\":1}}]}",
         "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"a\"}},"
         "{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"b\"}},{\"role\":\"user\","
         "\"content\":{\"x\":1}}]}"},
        {SAMPLE, MCP_2025_11_25, "{\"messages\":[{\"content\":[1]}],\"maxTokens\":1e2}",
         "{\"messages\":[{\"content\":[1]}],\"maxTokens\":1e2}"},
    };
    (void)state;
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool sayable;
        str said = put(a, cases[i].method, cases[i].params, cases[i].to, &sayable);
        const char *want = cases[i].said;
        if (sayable != (want != NULL) || (want && !str_eq(said, (str){want, strlen(want)})))
            fail_msg("case %zu: %d %.*s", i, sayable, STR_ARG(said));
    }
    arena_free(a);
}

static void an_address_gets_an_id_where_the_revision_wants_one(void **state)
{
    (void)state;
    arena *a = arena_new();
    bool sayable;
    str one = put(a, FORM, "{\"mode\":\"url\",\"url\":\"u\"}", MCP_2025_11_25, &sayable);
    assert_true(sayable);
    js_value first = parsed(a, arena_dup(a, one).p);
    str id = js_text(a, js_get(first, S("elicitationId")));
    assert_int_equal(id.n, 36);
    assert_true(id.p[8] == '-' && id.p[14] == '4' && id.p[23] == '-');
    str two = put(a, FORM, "{\"mode\":\"url\",\"url\":\"u\"}", MCP_2025_11_25, &sayable);
    assert_false(str_eq(one, two));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_said_in_the_words_of_its_revision),
        cmocka_unit_test(an_address_gets_an_id_where_the_revision_wants_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
