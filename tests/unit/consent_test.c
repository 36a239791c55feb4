/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../base/json.h"
#include "../../mcp/consent.h"
#include "own_arena.h"

static const sealer *keys(void)
{
    static const str list[] = {S("a key that has at least thirty-two bytes"), {0}};
    sealer *s = NULL;
    const err *e = sealer_new(a, list, &s);
    assert_null(e);
    return s;
}

static const consent whole = {.leg = CONSENT_SERVER,
                              .expires_ms = 1000,
                              .server = S("s"),
                              .caller_id = S("jwt:https://idp|\"alice\""),
                              .login = S("https://idp"),
                              .front = S("https://gw"),
                              .browser = S("abc"),
                              .issuer = S("https://as"),
                              .token_url = S("https://as/t"),
                              .client_id = S("id"),
                              .client_secret = S("secret"),
                              .resource = S("https://s/mcp"),
                              .verifier = S("v"),
                              .scope = S("a b"),
                              .secret_in_body = true,
                              .says_issuer = true};

static void what_was_sealed_comes_back_whole(void **state)
{
    (void)state;
    const sealer *s = keys();
    consent c;
    assert_true(consent_open(s, a, consent_seal(s, a, &whole), 999, &c));
    assert_int_equal(c.leg, CONSENT_SERVER);
    assert_true(c.secret_in_body && c.says_issuer);
    assert_true(str_eq(c.server, whole.server) && str_eq(c.caller_id, whole.caller_id));
    assert_true(str_eq(c.login, whole.login) && str_eq(c.front, whole.front));
    assert_true(str_eq(c.browser, whole.browser) && str_eq(c.issuer, whole.issuer));
    assert_true(str_eq(c.token_url, whole.token_url) && str_eq(c.client_id, whole.client_id));
    assert_true(str_eq(c.client_secret, whole.client_secret));
    assert_true(str_eq(c.resource, whole.resource) && str_eq(c.verifier, whole.verifier));
    assert_true(str_eq(c.scope, whole.scope));
}

static void it_is_good_for_its_time_and_as_it_was_made(void **state)
{
    (void)state;
    const sealer *s = keys();
    consent c;
    str sealed = consent_seal(s, a, &whole);
    assert_false(consent_open(s, a, sealed, 1000, &c));
    assert_false(consent_open(s, a, str_take(sealed, sealed.n - 4), 999, &c));
    assert_false(consent_open(s, a, S(""), 999, &c));
    assert_false(
        consent_open(s, a, seal(s, a, SEAL_STATE, S("{\"leg\":2,\"until\":9000}")), 999, &c));
    assert_false(
        consent_open(s, a, seal(s, a, SEAL_CONSENT, S("{\"leg\":3,\"until\":9000}")), 999, &c));
    assert_false(consent_open(s, a, seal(s, a, SEAL_CONSENT, S("{\"leg\":2}")), 999, &c));
}

static void too_long_a_matter_is_not_sealed(void **state)
{
    (void)state;
    consent c = whole;
    char *p = NEW_N(a, char, CONSENT_MOST);
    memset(p, 'x', CONSENT_MOST);
    c.client_id = (str){p, CONSENT_MOST};
    assert_int_equal(consent_seal(keys(), a, &c).n, 0);
}

/* RFC 7636, appendix B */
static void the_challenge_is_s256(void **state)
{
    (void)state;
    str made = consent_challenge(a, S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert_true(str_eq(made, S("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")));
    assert_int_equal(consent_random(a).n, 43);
    assert_false(str_eq(consent_random(a), consent_random(a)));
}

/* draft-ietf-oauth-client-id-metadata-document: the client_id must be the URL itself. */
static void we_are_what_our_document_says(void **state)
{
    (void)state;
    str url = consent_self_url(a, S("https://gw")), said = consent_self(a, S("https://gw"));
    js_value root;
    const err *e = js_check(a, said, 4, &root);
    assert_null(e);
    assert_true(js_text_is(js_get(root, S("client_id")), url));
    assert_true(js_text_is(js_get(root, S("token_endpoint_auth_method")), S("none")));
    js_iter it = js_iterate(js_get(root, S("redirect_uris")));
    assert_true(js_next(&it) && js_text_is(it.value, S("https://gw/oauth/callback")));
    assert_int_equal(consent_self_url(a, S("http://gw")).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_was_sealed_comes_back_whole),
        ARENA_TEST(it_is_good_for_its_time_and_as_it_was_made),
        ARENA_TEST(too_long_a_matter_is_not_sealed),
        ARENA_TEST(the_challenge_is_s256),
        ARENA_TEST(we_are_what_our_document_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
