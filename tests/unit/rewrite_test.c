/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../mcp/name.h"
#include "../../mcp/rewrite.h"

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

static js_value json(arena *a, const char *text)
{
    js_value v = {0};
    assert_null(js_check(a, (str){text, strlen(text)}, 32, &v));
    return v;
}

static void must_become(arena *a, mcp_naming naming, const char *was, const char *want)
{
    const rewrite_from f = {a, naming, S("s")};
    js_value got = rewrite_result(&f, json(a, was));
    if (!str_eq(got.raw, (str){want, strlen(want)}))
        fail_msg("%s\n became " STR_FMT, was, STR_ARG(got.raw));
}

static void uris_change_and_nothing_else(void **state)
{
    static const char *const cases[][2] = {
        {"{ \"content\" : [ {\"type\":\"resource_link\", \"uri\" : \"a:b\" , \"x\":1.50} "
         "],\"y\":1E400}",
         "{ \"content\" : [ {\"type\":\"resource_link\", \"uri\" : \"s+a:b\" , \"x\":1.50} "
         "],\"y\":1E400}"},
        {"{\"content\":[{\"resource\":{\"text\":\"t\",\"uri\":\"ui:\\/\\/"
         "x\"},\"type\":\"resource\"},"
         "{\"type\":\"text\",\"text\":\"a:b\",\"uri\":\"a:b\"}]}",
         "{\"content\":[{\"resource\":{\"text\":\"t\",\"uri\":\"ui://s/x\"},\"type\":\"resource\"},"
         "{\"type\":\"text\",\"text\":\"a:b\",\"uri\":\"a:b\"}]}"},
        {"{\"messages\":[{\"content\":{\"type\":\"resource_link\",\"uri\":\"a:\\u00fc\"}},"
         "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"a:2\"}]},7]}",
         "{\"messages\":[{\"content\":{\"type\":\"resource_link\",\"uri\":\"s+a:\303\274\"}},"
         "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"s+a:2\"}]},7]}"},
        {"{\"contents\":[{\"uri\":\"a:1\"},{\"uri\":7},{\"x\":{\"uri\":\"a:1\"}}]}",
         "{\"contents\":[{\"uri\":\"s+a:1\"},{\"uri\":7},{\"x\":{\"uri\":\"a:1\"}}]}"},
        {"{\"_meta\":{\"ui\":{\"resourceUri\":\"ui://x\"},\"ui/resourceUri\":\"ui://x\"}}",
         "{\"_meta\":{\"ui\":{\"resourceUri\":\"ui://s/x\"},\"ui/resourceUri\":\"ui://s/x\"}}"},
        {"{\"content\":7,\"messages\":{},\"contents\":null,\"_meta\":[]}",
         "{\"content\":7,\"messages\":{},\"contents\":null,\"_meta\":[]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        must_become(*state, NAMING_PREFIX, cases[i][0], cases[i][1]);
        must_become(*state, NAMING_NONE, cases[i][0], cases[i][0]);
    }
}

static void a_public_uri_leads_back(void **state)
{
    static const char *const uris[] = {"file:///a",     "ui://x", "ui://", "ui:x",
                                       "git+ssh://h/p", "a",      "+",     "UI://x",
                                       "ui://{x}/y",    "{+all}"};
    arena *a = *state;
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        str own = {uris[i], strlen(uris[i])};
        str_pair cut = name_own_uri(a, name_public_uri(a, NAMING_PREFIX, S("a-b"), own));
        if (!cut.ok || !str_eq(cut.head, S("a-b")) || !str_eq(cut.tail, own))
            fail_msg("%s", uris[i]);
        assert_true(str_eq(name_public_uri(a, NAMING_NONE, S("a-b"), own), own));
    }
    assert_false(name_own_uri(a, S("file:///a")).ok || name_own_uri(a, S("ui://x")).ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uris_change_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_public_uri_leads_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
