/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/authority.h"
#include "own_arena.h"

#define ISSUER S("https://login.example.com/t1")
#define SERVER S("https://mcp.example.com/v1/mcp")

static void is_text(str got, const char *want)
{
    if (!want) {
        assert_int_equal(got.n, 0);
        return;
    }
    if (!str_eq(got, (str){want, strlen(want)}))
        fail_msg("got " STR_FMT ", not %s", STR_ARG(got), want);
}

/* Places */

static void an_issuer_is_asked_at_its_well_known_places(void **state)
{
    (void)state;
    str at[4];
    assert_null(authority_places(a, S("https://login.example.com/t1/"), at));
    is_text(at[0], "https://login.example.com/.well-known/oauth-authorization-server/t1");
    is_text(at[1], "https://login.example.com/.well-known/openid-configuration/t1");
    is_text(at[2], "https://login.example.com/t1/.well-known/openid-configuration");
    assert_null(at[3].p);
    assert_null(authority_places(a, S("https://i:444"), at));
    is_text(at[0], "https://i:444/.well-known/oauth-authorization-server");
    is_text(at[1], "https://i:444/.well-known/openid-configuration");
    assert_null(at[2].p);
    assert_non_null(authority_places(a, S("file:///etc/passwd"), at));
}

static void a_server_is_asked_at_its_path_and_then_at_its_root(void **state)
{
    (void)state;
    str at[3];
    assert_null(authority_resource_places(a, SERVER, at));
    is_text(at[0], "https://mcp.example.com/.well-known/oauth-protected-resource/v1/mcp");
    is_text(at[1], "https://mcp.example.com/.well-known/oauth-protected-resource");
    assert_null(at[2].p);
    assert_null(authority_resource_places(a, S("https://mcp.example.com/"), at));
    is_text(at[0], "https://mcp.example.com/.well-known/oauth-protected-resource");
    assert_null(at[1].p);
}

/* Trust */

static void only_hosts_the_operator_named_may_be_private(void **state)
{
    (void)state;
    const authority_ask ask = {.server_url = S("http://10.0.0.1:80/mcp"), .issuer = ISSUER};
    assert_true(authority_trusts(a, &ask, S("http://10.0.0.1/x")));
    assert_true(authority_trusts(a, &ask, S("https://LOGIN.example.com/token")));
    assert_false(authority_trusts(a, &ask, S("https://10.0.0.1/x")));
    assert_false(authority_trusts(a, &ask, S("http://10.0.0.1:81/x")));
    assert_false(authority_trusts(a, &ask, S("http://169.254.169.254/latest")));
    assert_false(authority_trusts(a, &ask, S("nonsense")));
    const authority_ask open = {.server_url = SERVER, .allow_private = true};
    assert_true(authority_trusts(a, &open, S("http://169.254.169.254/latest")));
}

/* Challenges */

static void parameters_of_a_bearer_challenge_are_found(void **state)
{
    (void)state;
    static const struct {
        str header;
        const char *metadata, *scope;
    } cases[] = {
        {S(" Bearer resource_metadata=\"https://a/b?c=d\", scope=\"x y\"\r\n"), "https://a/b?c=d",
         "x y"},
        {S("bearer scope=one,resource_metadata=https://a\r\n"), "https://a", "one"},
        {S("Basic realm=\"Bearer scope=no\", Bearer error=\"e\", scope=\"q\\\"z\""), NULL, "q\"z"},
        {S("Digest scope=\"not ours\""), NULL, NULL},
        {S("Bearer scope=\"without end"), NULL, "without end"},
        {S("Bearer"), NULL, NULL},
        {S("=,=,\"\\"), NULL, NULL},
        {S(""), NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        is_text(authority_challenge(a, cases[i].header, S("resource_metadata")), cases[i].metadata);
        is_text(authority_challenge(a, cases[i].header, S("scope")), cases[i].scope);
    }
}

/* Documents */

static void the_metadata_of_an_issuer_is_read(void **state)
{
    (void)state;
    authority found = {0};
    assert_null(authority_read(
        a, ISSUER,
        S("{\"issuer\":\"https://login.example.com/t1\",\"authorization_endpoint\":\"https://a/a\","
          "\"token_endpoint\":\"https://a/t\",\"registration_endpoint\":\"https://a/r\","
          "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],"
          "\"authorization_response_iss_parameter_supported\":true,"
          "\"client_id_metadata_document_supported\":true,\"scopes_supported\":[\"offline_access\"]"
          ","
          "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\",\"none\"]}"),
        &found));
    is_text(found.authorize, "https://a/a");
    is_text(found.token, "https://a/t");
    is_text(found.registration, "https://a/r");
    assert_true(found.pkce && found.says_issuer && found.takes_documents && found.offline);
    assert_true(found.post && found.none && !found.basic);
}

static void what_metadata_leaves_out_is_not_assumed(void **state)
{
    (void)state;
    authority found = {0};
    assert_null(authority_read(a, S("https://i"),
                               S("{\"issuer\":\"https://i\",\"token_endpoint\":\"https://i/t\"}"),
                               &found));
    assert_false(found.pkce || found.says_issuer || found.takes_documents || found.offline);
    assert_true(found.basic && !found.post && !found.none);
    is_text(found.authorize, NULL);
}

static void metadata_of_somebody_else_is_refused(void **state)
{
    (void)state;
    static const str odd[] =
        {S("{\"issuer\":\"https://login.example.com/t1/\",\"token_endpoint\":\"https://a/t\"}"),
         S("{\"issuer\":\"https://login.example.com\",\"token_endpoint\":\"https://a/t\"}"),
         S("{\"token_endpoint\":\"https://a/t\"}"),
         S("{\"issuer\":\"https://login.example.com/t1\"}"),
         S("[]"),
         S("{"),
         {0}};
    authority found;
    for (const str *s = odd; s->p; s++) assert_non_null(authority_read(a, ISSUER, *s, &found));
}

static const err *read_resource(const char *resource, authority *out)
{
    str document = arena_fmt(a,
                             "{\"resource\":\"%s\",\"authorization_servers\":[\"https://as/1\","
                             "\"https://as/2\"],\"scopes_supported\":[\"a\",\"b\"]}",
                             resource);
    *out = (authority){0};
    return authority_read_resource(a, SERVER, document, out);
}

static void a_server_names_its_issuer_its_resource_and_its_scopes(void **state)
{
    (void)state;
    authority found;
    assert_null(read_resource("https://mcp.example.com/v1/mcp", &found));
    is_text(found.issuer, "https://as/1");
    is_text(found.resource, "https://mcp.example.com/v1/mcp");
    is_text(found.scope, "a b");
    assert_null(read_resource("https://mcp.example.com/v1", &found));
    assert_null(read_resource("https://mcp.example.com", &found));
}

static void a_resource_must_cover_the_server(void **state)
{
    (void)state;
    static const char *const odd[] = {"https://mcp.example.com/v1/mcp/more",
                                      "https://mcp.example.com/v",
                                      "https://mcp.example.com:8443/v1/mcp",
                                      "http://mcp.example.com/v1/mcp",
                                      "https://evil.example.com/v1/mcp",
                                      ""};
    authority found;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_non_null(read_resource(odd[i], &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_issuer_is_asked_at_its_well_known_places),
        ARENA_TEST(a_server_is_asked_at_its_path_and_then_at_its_root),
        ARENA_TEST(only_hosts_the_operator_named_may_be_private),
        ARENA_TEST(parameters_of_a_bearer_challenge_are_found),
        ARENA_TEST(the_metadata_of_an_issuer_is_read),
        ARENA_TEST(what_metadata_leaves_out_is_not_assumed),
        ARENA_TEST(metadata_of_somebody_else_is_refused),
        ARENA_TEST(a_server_names_its_issuer_its_resource_and_its_scopes),
        ARENA_TEST(a_resource_must_cover_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
