/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../authz/policy/policy.h"
#include "../../server/discover.h"
#include "../../server/files.h"
#include "../../server/made.h"

static int set_up(void **state)
{
    return *state = arena_new(), 0;
}
static int tear_down(void **state)
{
    return arena_free(*state), 0;
}

static const config *load(arena *a, config_file made)
{
    problems p;
    config *c = NULL;
    config_world w = files_world(files_new(a, S("/nonexistent")));
    problems_init(&p, a, made.name);
    config_load(a, &w, made.name, made.text, &p, &c);
    if (!c)
        fail_msg("%.*s\n%.*s", (int)p.first->text.n, p.first->text.p, (int)made.text.n,
                 made.text.p);
    return c;
}

static void the_file_of_a_desktop_client_becomes_servers(void **state)
{
    static const char json[] =
        "{\"mcpServers\":{\"My Files\":{\"command\":\"npx\",\"args\":[\"-y\",\"a \\\"b\\\"\\n: "
        "{\",\"${HOME}\"],"
        "\"env\":{\"\\u0041_KEY\":\"# not a "
        "comment\"}},\"far\":{\"type\":\"sse\",\"url\":\"https://x.example/mcp\","
        "\"headers\":{\"Authorization\":\"Bearer t\"}}}}";
    made_config made;
    unsetenv("OPENAI_API_KEY");
    assert_null(
        made_from_clients(*state, S("mcp.json"), (str){json, sizeof json - 1}, "8080", &made));
    const config *c = load(*state, made.file);
    const config_server *s = c->servers.items;
    const config_pair *e = s[0].env.items;
    assert_int_equal(c->servers.count, 2);
    assert_true(str_eq(s[0].at.name, S("my-files")));
    assert_true(str_eq(s[0].args[1], S("a \"b\"\n: {")));
    assert_true(str_eq(s[0].args[2], S("${HOME}"))); /* theirs, not ours to expand */
    assert_true(str_eq(e->name, S("A_KEY")) && str_eq(e->value.value, S("# not a comment")));
    assert_true(str_eq(s[1].auth.header_name, S("Authorization")) &&
                str_eq(s[1].auth.header_value.value, S("Bearer t")));
    assert_int_equal(s[1].transport, 1); /* sse */
    assert_int_equal(c->anonymous, CONFIG_ANONYMOUS_ALLOW);
    assert_true(str_eq(((const config_listen *)c->listen.items)->address, S("127.0.0.1:8080")));
}

static void what_cannot_be_kept_of_it_is_an_error(void **state)
{
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{", "mcp.json"},
        {"{}", "mcpServers"},
        {"{\"mcpServers\":{\"a\":{}}}", "one of `command` and `url`"},
        {"{\"mcpServers\":{\"a\":{\"command\":\"c\",\"args\":[1]}}}", "`args`"},
        {"{\"mcpServers\":{\"a\":{\"url\":\"http://x\",\"headers\":{\"A\":\"1\",\"B\":\"2\"}}}}",
         "more than one header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_config made;
        const err *e =
            made_from_clients(*state, S("mcp.json"), (str){cases[i].json, strlen(cases[i].json)},
                              "8080", &made);
        assert_non_null(e);
        if (!memmem(e->text.p, e->text.n, cases[i].says, strlen(cases[i].says)))
            fail_msg("case %zu: %.*s", i, (int)e->text.n, e->text.p);
    }
}

static void the_environment_makes_a_configuration_with_its_models(void **state)
{
    made_config made;
    unsetenv("OPENAI_API_KEY");
    unsetenv("OPENAI_BASE_URL");
    assert_null(made_from_environment(*state, "8080", &made));
    assert_null(made.file.text.p);
    setenv("OPENAI_API_KEY", "sk-1", 1);
    assert_null(made_from_environment(*state, "4711", &made));
    const config *c = load(*state, made.file);
    assert_int_equal(c->backends.count, 1);
    assert_int_equal(c->anonymous, CONFIG_ANONYMOUS_ALLOW);
    assert_true(str_eq(((const config_listen *)c->listen.items)->address, S("127.0.0.1:4711")));
    assert_true(str_eq(made.models, S("every model by openai")));
    unsetenv("OPENAI_API_KEY");
}

static void the_permit_all_policy_is_a_policy(void **state)
{
    problems p;
    policy *rules = NULL;
    policy_source source = {.name = made_permit_all.name, .text = made_permit_all.text};
    problems_init(&p, *state, source.name);
    policy_load(*state, &source, 1, NULL, &p, &rules);
    assert_non_null(rules);
    assert_int_equal(policy_rule_count(rules), 1);
}

/* Discovery */

static void metadata_must_name_the_issuer_that_was_asked(void **state)
{
    str url;
    assert_null(discover_read(*state, S("https://i"),
                              S("{\"issuer\":\"https://i\",\"jwks_uri\":\"https://i/k\"}"), &url));
    assert_true(str_eq(url, S("https://i/k")));
    assert_non_null(discover_read(*state, S("https://i"),
                                  S("{\"issuer\":\"https://j\",\"jwks_uri\":\"https://i/k\"}"),
                                  &url));
    assert_non_null(discover_read(*state, S("https://i"), S("{\"issuer\":\"https://i\"}"), &url));
    assert_non_null(discover_read(*state, S("https://i"), S("[]"), &url));
    assert_non_null(discover_read(*state, S("https://i"),
                                  S("{\"issuer\":\"https://i\",\"issuer\":\"https://i\"}"), &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_of_a_desktop_client_becomes_servers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_kept_of_it_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_environment_makes_a_configuration_with_its_models,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_permit_all_policy_is_a_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metadata_must_name_the_issuer_that_was_asked, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
