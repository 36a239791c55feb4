/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../server/files.h"
#include "../../server/made.h"
#include "../../server/made_models.h"

/* Every variable that a case may set; those of the machine that runs the tests are not ours. */
static const char *const variables[] = {
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_API_VERSION",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_DEPLOYMENT",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_VERTEX_BASE_URL",
    "CO_API_KEY",
    "COHERE_API_KEY",
    "CO_API_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_EC2_METADATA_DISABLED",
    "HOME",
};

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
    return *state = arena_new(), 0;
}
static int tear_down(void **state)
{
    return arena_free(*state), 0;
}

/* "A=1 B=2" */
static void set(const char *pairs)
{
    str rest = {pairs, strlen(pairs)};
    while (rest.n) {
        char name[64] = {0}, value[128] = {0};
        str_pair word = str_cut(rest, ' '), pair = str_cut(word.head, '=');
        (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(pair.head));
        (void)snprintf(value, sizeof value, STR_FMT, STR_ARG(pair.tail));
        setenv(name, value, 1);
        rest = word.tail;
    }
}

static bool holds(str text, const char *part)
{
    return !*part || memmem(text.p, text.n, part, strlen(part));
}

static const config *load(arena *a)
{
    problems p;
    config *c = NULL;
    made_config made;
    config_world w = files_world(files_new(a, S("/nonexistent")));
    assert_null(made_from_environment(a, "8080", &made));
    problems_init(&p, a, made.file.name);
    config_load(a, &w, made.file.name, made.file.text, &p, &c);
    if (!c)
        fail_msg("%.*s\n%.*s", (int)p.first->text.n, p.first->text.p, (int)made.file.text.n,
                 made.file.text.p);
    return c;
}

static void a_model_goes_where_its_name_says(void **state)
{
    static const struct {
        const char *variables, *told;
    } cases[] = {
        {"ANTHROPIC_API_KEY=1", "every model by anthropic"},
        {"OPENAI_API_KEY=1 ANTHROPIC_API_KEY=1",
         "claude-* by anthropic; every other model by openai"},
        {"ANTHROPIC_API_KEY=1 GEMINI_API_KEY=1",
         "claude-* by anthropic; gemini-*, gemma-* by gemini"},
        {"OPENAI_BASE_URL=http://127.0.0.1:9/v1", "every model by openai"},
        {"OPENAI_API_KEY=1 AZURE_OPENAI_ENDPOINT=https://x AZURE_OPENAI_API_KEY=1",
         "every model by openai, and by azure when that fails"},
        {"OPENAI_API_KEY=1 AZURE_OPENAI_ENDPOINT=https://x AZURE_OPENAI_API_KEY=1 "
         "AZURE_OPENAI_DEPLOYMENT=mine",
         "mine by azure; every other model by openai"},
        {"AZURE_OPENAI_ENDPOINT=https://x AZURE_OPENAI_API_KEY=1 CO_API_KEY=1",
         "command-*, c4ai-*, embed-*, rerank-* by cohere; every other model by azure"},
        {"AWS_REGION=eu-west-1 AWS_BEARER_TOKEN_BEDROCK=1 OPENAI_API_KEY=1",
         "anthropic.*, *.anthropic.* by bedrock-claude; amazon.*"},
        {"GOOGLE_CLOUD_PROJECT=p GOOGLE_CLOUD_LOCATION=global GOOGLE_GENAI_USE_VERTEXAI=true",
         "claude-*@* by vertex-claude; claude-* by vertex-claude; every other model by vertex"},
        {"GOOGLE_CLOUD_PROJECT=p GOOGLE_CLOUD_LOCATION=global GOOGLE_GENAI_USE_VERTEXAI=true "
         "ANTHROPIC_API_KEY=1 GOOGLE_API_KEY=1",
         "claude-*@* by vertex-claude; claude-* by anthropic; gemini-*, gemma-* by gemini"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_models models;
        for (size_t v = 0; v < sizeof variables / sizeof *variables; v++) unsetenv(variables[v]);
        set(cases[i].variables);
        assert_null(made_models_read(*state, &models));
        if (!holds(models.told, cases[i].told))
            fail_msg("%s: %.*s", cases[i].variables, (int)models.told.n, models.told.p);
        load(*state);
    }
}

static void what_a_provider_is_shown_comes_from_its_variables(void **state)
{
    set("OPENAI_API_KEY=sk-1 OPENAI_BASE_URL=http://127.0.0.1:9/x/v1 OPENAI_ORG_ID=o "
        "OPENAI_PROJECT_ID=p ANTHROPIC_API_KEY=a-1 ANTHROPIC_BASE_URL=http://127.0.0.1:8");
    const config *c = load(*state);
    const config_backend *b = c->backends.items;
    const config_pair *h = b[0].edits.headers.items;
    assert_int_equal(c->backends.count, 2);
    assert_true(str_eq(b[0].auth.bearer.value, S("sk-1")));
    assert_true(str_eq(b[0].url, S("http://127.0.0.1:9/x/v1")));
    assert_int_equal(b[0].prefix.n, 0);
    assert_int_equal(b[0].edits.headers.count, 2);
    assert_true(str_eq(h[0].name, S("OpenAI-Organization")) && str_eq(h[0].value.value, S("o")));
    assert_true(str_eq(h[1].name, S("OpenAI-Project")) && str_eq(h[1].value.value, S("p")));
    assert_true(str_eq(b[1].api_key.value, S("a-1")));
    assert_true(str_eq(b[1].url, S("http://127.0.0.1:8")) && str_eq(b[1].prefix, S("v1")));
}

static void azure_takes_a_key_or_an_application(void **state)
{
    set("AZURE_OPENAI_ENDPOINT=https://x AZURE_OPENAI_API_KEY=k OPENAI_API_VERSION=v");
    const config_backend *b = load(*state)->backends.items;
    assert_true(str_eq(b->api_key.value, S("k")) && str_eq(b->version, S("v")));
    unsetenv("AZURE_OPENAI_API_KEY");
    set("AZURE_TENANT_ID=t AZURE_CLIENT_ID=c AZURE_CLIENT_SECRET=s");
    b = load(*state)->backends.items;
    assert_true(str_eq(b->entra_client, S("c")) && str_eq(b->entra_secret.value, S("s")));
    unsetenv("AZURE_CLIENT_SECRET");
    set("AZURE_FEDERATED_TOKEN_FILE=/t");
    b = load(*state)->backends.items;
    assert_true(str_eq(b->entra_file, S("/t")));
}

static void what_others_use_names_no_provider_by_itself(void **state)
{
    static const char *const nobody[] = {"AWS_ACCESS_KEY_ID=1 AWS_SECRET_ACCESS_KEY=2",
                                         "GOOGLE_CLOUD_PROJECT=p GOOGLE_CLOUD_LOCATION=l",
                                         "OPENAI_ORG_ID=o", "OPENAI_API_KEY="};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        made_models models;
        for (size_t v = 0; v < sizeof variables / sizeof *variables; v++) unsetenv(variables[v]);
        set(nobody[i]);
        assert_null(made_models_read(*state, &models));
        if (models.section.n) fail_msg("%s", nobody[i]);
    }
}

static void a_region_alone_asks_the_whole_chain_when_nobody_else_is_named(void **state)
{
    set("AWS_REGION=eu-west-1");
    const config *c = load(*state);
    const config_backend *b = c->backends.items;
    assert_int_equal(c->backends.count, 2);
    assert_non_null(b->lent);
    set("OPENAI_API_KEY=1");
    assert_int_equal(load(*state)->backends.count, 1);
}

static void a_provider_that_is_named_by_halves_is_an_error(void **state)
{
    static const struct {
        const char *variables, *says;
    } cases[] = {
        {"OPENAI_API_KEY=1 AZURE_OPENAI_API_KEY=1", "AZURE_OPENAI_ENDPOINT is not"},
        {"AZURE_OPENAI_ENDPOINT=https://x", "AZURE_OPENAI_API_KEY (or AZURE_TENANT_ID"},
        {"AZURE_OPENAI_ENDPOINT=https://x AZURE_TENANT_ID=t AZURE_CLIENT_ID=c",
         "AZURE_CLIENT_SECRET and"},
        {"AWS_BEARER_TOKEN_BEDROCK=1", "AWS_REGION is not"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_models models;
        for (size_t v = 0; v < sizeof variables / sizeof *variables; v++) unsetenv(variables[v]);
        set(cases[i].variables);
        const err *e = made_models_read(*state, &models);
        assert_non_null(e);
        if (!holds(e->text, cases[i].says)) fail_msg("%zu: %.*s", i, (int)e->text.n, e->text.p);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_model_goes_where_its_name_says),
        TEST(what_a_provider_is_shown_comes_from_its_variables),
        TEST(azure_takes_a_key_or_an_application),
        TEST(what_others_use_names_no_provider_by_itself),
        TEST(a_region_alone_asks_the_whole_chain_when_nobody_else_is_named),
        TEST(a_provider_that_is_named_by_halves_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
