/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/grant.h"
#include "own_arena.h"

static void is(str got, const char *wanted)
{
    assert_int_equal(got.n, strlen(wanted));
    assert_memory_equal(got.p, wanted, got.n);
}

static void an_exchange_names_subject_and_audience(void **state)
{
    (void)state;
    grant g = {.kind = GRANT_EXCHANGE,
               .client_id = S("gw"),
               .client_secret = S("s&=% "),
               .secret_in_body = true,
               .audience = S("orders"),
               .scope = S("a b")};
    is(grant_body(a, &g, S("e.y+J")),
       "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=e.y%2BJ"
       "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
       "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
       "&audience=orders&scope=a%20b&client_id=gw&client_secret=s%26%3D%25%20");
    assert_null(header_get(grant_headers(a, &g), S("authorization")).p);
}

static void the_secret_stands_in_one_place(void **state)
{
    (void)state;
    grant g = {.kind = GRANT_CLIENT, .client_id = S("g:w"), .client_secret = S("s")};
    is(grant_body(a, &g, (str){0}), "grant_type=client_credentials");
    is(header_get(grant_headers(a, &g), S("authorization")), "Basic ZyUzQXc6cw==");
    g.client_secret = (str){0};
    is(grant_body(a, &g, (str){0}), "grant_type=client_credentials&client_id=g%3Aw");
    assert_null(header_get(grant_headers(a, &g), S("authorization")).p);
}

static void a_token_lives_as_long_as_it_says_within_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t lives_s;
    } cases[] = {
        {"{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":300}", 300},
        {"{\"access_token\":\"t\",\"token_type\":\"N_A\",\"expires_in\":0}", 5},
        {"{\"access_token\":\"t\",\"expires_in\":-9}", 5},
        {"{\"access_token\":\"t\",\"expires_in\":99999999999}", 86400},
        {"{\"access_token\":\"t\"}", 60},
        {"{\"access_token\":\"t\",\"expires_in\":\"300\"}", 60},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        grant_token got;
        assert_null(grant_read(a, 200, (str){cases[i].body, strlen(cases[i].body)}, &got));
        is(got.token, "t");
        assert_int_equal(got.lives_s, cases[i].lives_s);
    }
}

static void what_is_no_token_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "<html>",
        "{\"access_token\":1}",
        "{\"access_token\":\"\"}",
        "{\"access_token\":\"a b\"}",
        "{\"access_token\":\"a\\r\\nb\"}",
        "{\"access_token\":\"\\u00fc\"}",
        "{\"access_token\":\"a\",\"access_token\":\"b\"}",
        "{\"access_token\":\"a\",\"token_type\":\"DPoP\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        grant_token got;
        assert_non_null(grant_read(a, 200, (str){bodies[i], strlen(bodies[i])}, &got));
    }
}

static void only_an_error_code_is_repeated(void **state)
{
    (void)state;
    grant_token got;
    const err *e =
        grant_read(a, 400, S("{\"error\":\"invalid_grant\",\"error_description\":\"eyJ is bad\"}"),
                   &got);
    is(e->text, "the token endpoint answered 400, invalid_grant");
    e = grant_read(a, 401, S("{\"error\":\"Bad token eyJ\"}"), &got);
    is(e->text, "the token endpoint answered 401, an error");
    e = grant_read(a, 502, S("eyJ"), &got);
    is(e->text, "the token endpoint answered 502, an error");
    e = grant_read(a, 302, S("{\"access_token\":\"t\"}"), &got);
    assert_int_equal(e->kind, ERR_UPSTREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(an_exchange_names_subject_and_audience),
                                       ARENA_TEST(the_secret_stands_in_one_place),
                                       ARENA_TEST(a_token_lives_as_long_as_it_says_within_bounds),
                                       ARENA_TEST(what_is_no_token_is_refused),
                                       ARENA_TEST(only_an_error_code_is_repeated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
