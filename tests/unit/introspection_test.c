/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/identity.h"
#include "../../authz/introspection.h"
#include "../../authz/jwt_mint.h"
#include "own_arena.h"

enum { NOW = 1800000000 };
static const str audiences[] = {S("gw"), {0}};
static const introspection about = {.url = S("https://idp/introspect"), .keep_s = 60};
static const jwt_issuer issuers[] = {
    {.issuer = S("https://other")},
    {.issuer = S("https://idp"), .audiences = audiences, .introspection = &about},
};
static const jwt_issuer *const idp = &issuers[1];

static void opaque_tokens_and_its_own_jwts_are_asked_about(void **state)
{
    (void)state;
    static const uint8_t seed[JWT_SEED] = {7};
    str own = jwt_mint(a, seed, S("k"), S("{\"iss\":\"https://idp\"}"));
    str foreign = jwt_mint(a, seed, S("k"), S("{\"iss\":\"https://other\"}"));
    assert_ptr_equal(introspection_asks(a, issuers, 2, S("opaque-1")), idp);
    assert_ptr_equal(introspection_asks(a, issuers, 2, S("a.b.c")), idp);
    assert_ptr_equal(introspection_asks(a, issuers, 2, own), idp);
    assert_null(introspection_asks(a, issuers, 2, foreign));
    assert_null(introspection_asks(a, issuers, 1, S("opaque-1")));
}

static const err *read(const char *body, json_t **claims, int64_t *until_s)
{
    *claims = NULL;
    return introspection_read(a, idp, (str){body, strlen(body)}, NOW, claims, until_s);
}

static void an_active_token_is_good_for_a_while_but_not_longer_than_it_lives(void **state)
{
    (void)state;
    json_t *claims;
    int64_t until_s = 0;
    assert_null(
        read("{\"active\":true,\"sub\":\"alice\",\"aud\":[\"x\",\"gw\"]}", &claims, &until_s));
    assert_int_equal(until_s, NOW + 60);
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), "https://idp");
    json_decref(claims);
    assert_null(read("{\"active\":true,\"sub\":\"alice\",\"aud\":\"gw\",\"exp\":1800000007}",
                     &claims, &until_s));
    assert_int_equal(until_s, NOW + 7);
    json_decref(claims);
}

static void anything_else_lets_nobody_in(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        "yes",
        "[]",
        "true",
        "{}",
        "{\"active\":false}",
        "{\"active\":\"true\",\"aud\":\"gw\"}",
        "{\"active\":1,\"aud\":\"gw\"}",
        "{\"active\":true}",
        "{\"active\":true,\"aud\":\"other\"}",
        "{\"active\":true,\"aud\":\"gw\",\"iss\":\"https://other\"}",
        "{\"active\":true,\"aud\":\"gw\",\"iss\":7}",
        "{\"active\":true,\"aud\":\"gw\",\"exp\":1800000000}",
        "{\"active\":true,\"aud\":\"gw\",\"exp\":\"soon\"}",
        "{\"active\":false,\"active\":true,\"aud\":\"gw\"}",
    };
    json_t *claims;
    int64_t until_s;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_non_null(read(odd[i], &claims, &until_s));
}

static void what_was_learned_is_forgotten_in_time(void **state)
{
    (void)state;
    const identity id = {.issuers = issuers, .issuer_count = 2};
    identity_cache *c = identity_cache_new(4);
    const caller *who = NULL;
    identity_detail detail;
    str shown = S("Bearer opaque-1");
    assert_int_equal(identify(c, &id, shown, NOW * 1000LL, true, &who, &detail),
                     IDENTITY_WANTS_KEYS);
    assert_true(str_eq(detail.token, S("opaque-1")));
    assert_ptr_equal(detail.issuer, idp);
    assert_int_equal(identify(c, &id, shown, NOW * 1000LL, false, &who, &detail), IDENTITY_AWAY);
    json_t *claims;
    int64_t until_s;
    assert_null(read("{\"active\":true,\"sub\":\"alice\",\"aud\":\"gw\",\"scope\":\"x y\"}",
                     &claims, &until_s));
    identity_learn(c, S("opaque-1"), claims, until_s);
    assert_int_equal(identify(c, &id, shown, NOW * 1000LL, true, &who, &detail), IDENTITY_OK);
    assert_true(str_eq(who->id, S("jwt:https://idp|alice")));
    assert_true(caller_has_scope(who, S("y")));
    caller_drop(who);
    assert_int_equal(identify(c, &id, shown, (NOW + 60) * 1000LL, true, &who, &detail),
                     IDENTITY_WANTS_KEYS);
    identity_cache_free(c);
}

static void a_refused_token_is_not_asked_about_for_a_moment(void **state)
{
    (void)state;
    const identity id = {.issuers = issuers, .issuer_count = 2};
    identity_cache *c = identity_cache_new(4);
    const caller *who = NULL;
    identity_detail detail;
    identity_learn(c, S("opaque-1"), NULL, NOW + 2);
    assert_int_equal(identify(c, &id, S("Bearer opaque-1"), NOW * 1000LL, true, &who, &detail),
                     IDENTITY_BAD);
    assert_int_equal(identify(c, &id, S("Bearer opaque-2"), NOW * 1000LL, true, &who, &detail),
                     IDENTITY_WANTS_KEYS);
    identity_learn_nothing(c, S("opaque-2"), NOW + 2);
    assert_int_equal(identify(c, &id, S("Bearer opaque-2"), NOW * 1000LL, true, &who, &detail),
                     IDENTITY_AWAY);
    assert_int_equal(identify(c, &id, S("Bearer opaque-1"), NOW * 1000LL, true, &who, &detail),
                     IDENTITY_BAD);
    assert_int_equal(identify(c, &id, S("Bearer opaque-1"), (NOW + 2) * 1000LL, true, &who,
                              &detail),
                     IDENTITY_WANTS_KEYS);
    identity_cache_free(c);
}

static void a_configuration_without_it_takes_no_word_for_it(void **state)
{
    (void)state;
    const identity with = {.issuers = issuers, .issuer_count = 2};
    const jwt_issuer plain[] = {{.issuer = S("https://idp"), .audiences = audiences}};
    const identity without = {.issuers = plain, .issuer_count = 1};
    identity_cache *c = identity_cache_new(4);
    const caller *who = NULL;
    identity_detail detail;
    json_t *claims;
    int64_t until_s;
    assert_null(read("{\"active\":true,\"sub\":\"alice\",\"aud\":\"gw\"}", &claims, &until_s));
    identity_learn(c, S("opaque-1"), claims, until_s);
    assert_int_equal(identify(c, &without, S("Bearer opaque-1"), NOW * 1000LL, true, &who, &detail),
                     IDENTITY_BAD);
    assert_int_equal(identify(c, &with, S("Bearer opaque-1"), NOW * 1000LL, false, &who, &detail),
                     IDENTITY_AWAY);
    identity_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(opaque_tokens_and_its_own_jwts_are_asked_about),
        ARENA_TEST(an_active_token_is_good_for_a_while_but_not_longer_than_it_lives),
        ARENA_TEST(anything_else_lets_nobody_in),
        ARENA_TEST(what_was_learned_is_forgotten_in_time),
        ARENA_TEST(a_refused_token_is_not_asked_about_for_a_moment),
        ARENA_TEST(a_configuration_without_it_takes_no_word_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
