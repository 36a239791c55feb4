/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../authz/identity.h"
#include "../../authz/jwt_mint.h"

static const int64_t now_ms = 1800000000000;
static const uint8_t seed[JWT_SEED] = {7}, other_seed[JWT_SEED] = {8};
static const jwt_alg algs[] = {ALG_EDDSA, ALG_NONE};
static const str audiences[] = {S("gw"), {0}};
#define HEAD "{\"iss\":\"https://idp\",\"aud\":\"gw\",\"exp\":1800000600"

typedef struct {
    arena *a;
    jwks *keys;
    jwt_issuer issuer;
    identity id;
    identity_cache *cache;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->a = arena_new();
    f->keys = jwks_new();
    const err *e = jwks_replace(f->a, f->keys, jwt_mint_jwks(f->a, seed, S("k")), 0, NULL);
    f->issuer = (jwt_issuer){.issuer = S("https://idp"),
                             .audiences = audiences,
                             .algorithms = algs,
                             .keys = f->keys,
                             .jwks_url = S("https://idp/keys")};
    f->id = (identity){.issuers = &f->issuer, .issuer_count = 1};
    f->cache = identity_cache_new(4);
    *state = f;
    return e ? -1 : 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    identity_cache_free(f->cache);
    jwks_free(f->keys);
    arena_free(f->a);
    free(f);
    return 0;
}

static str header_of(fixture *f, const char *claims)
{
    str token = jwt_mint(f->a, seed, S("k"), (str){claims, strlen(claims)});
    return arena_fmt(f->a, "Bearer " STR_FMT, STR_ARG(token));
}

static identity_result ask(fixture *f, str sent, int64_t at_ms, const caller **out,
                           identity_detail *detail)
{
    identity_result r = identify(f->cache, &f->id, sent, at_ms, true, out, detail);
    if (r == IDENTITY_OK) caller_own(f->a, *out); /* as a request does */
    return r;
}

static const caller *must(fixture *f, str sent)
{
    const caller *c;
    identity_detail d;
    identity_result r = ask(f, sent, now_ms, &c, &d);
    if (r != IDENTITY_OK) print_error("refused: %s\n", d.why ? d.why : "-");
    assert_int_equal(r, IDENTITY_OK);
    return c;
}

static void no_credential_is_nobody_unless_anonymous_is_allowed(void **state)
{
    fixture *f = *state;
    const caller *c;
    identity_detail d;
    assert_int_equal(ask(f, (str){0}, now_ms, &c, &d), IDENTITY_NONE);
    assert_null(c);
    f->id.anonymous = true;
    assert_int_equal(ask(f, (str){0}, now_ms, &c, &d), IDENTITY_OK);
    assert_int_equal(c->kind, CALLER_ANONYMOUS);
    assert_true(str_eq(c->id, S("anonymous")));
    assert_int_equal(json_object_size(c->claims), 0);
    assert_null(c->scopes->p);
}

static void a_bad_credential_is_never_anonymous(void **state)
{
    fixture *f = *state;
    f->id.anonymous = true;
    str good = header_of(f, HEAD ",\"sub\":\"a\"}");
    str token = str_drop(good, 7);
    /* clang-format off */
    const str bad[] = {
        S(""), S("Bearer"), S("Bearer "), S("Bearer x"), S("Basic dXNlcjpwdw=="), token,
        arena_fmt(f->a, "Bearer%s", token.p), arena_fmt(f->a, "Bearer\t%s", token.p),
        arena_fmt(f->a, "Bearer %s x", token.p), arena_fmt(f->a, "Bearer %s,Bearer %s", token.p, token.p),
        arena_fmt(f->a, " Bearer %s", token.p), arena_fmt(f->a, "Bearer \"%s\"", token.p),
        arena_fmt(f->a, "DPoP %s", token.p), arena_fmt(f->a, "Bearer ==%s", token.p),
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const caller *c;
        identity_detail d;
        identity_result r = ask(f, bad[i], now_ms, &c, &d);
        if (r != IDENTITY_BAD) print_error("taken: " STR_FMT "\n", STR_ARG(bad[i]));
        assert_int_equal(r, IDENTITY_BAD);
        assert_non_null(d.why);
        assert_null(c);
    }
}

static void the_scheme_is_read_without_regard_to_case(void **state)
{
    fixture *f = *state;
    str token = str_drop(header_of(f, HEAD ",\"sub\":\"a\"}"), 7);
    (void)must(f, arena_fmt(f->a, "bearer %s", token.p));
    (void)must(f, arena_fmt(f->a, "BEARER   %s", token.p));
    (void)must(f, arena_fmt(f->a, "Bearer %s ", token.p));
}

static void a_caller_is_who_the_token_says(void **state)
{
    fixture *f = *state;
    const caller *c =
        must(f,
             header_of(f, HEAD ",\"sub\":\"auth0|1\",\"name\":\"Al\",\"preferred_username\":\"al\","
                               "\"scope\":\"a  b:c \",\"scp\":[\"d\",7,\"e f\"]}"));
    assert_int_equal(c->kind, CALLER_JWT);
    assert_true(str_eq(c->id, S("jwt:https://idp|auth0|1")));
    assert_true(str_eq(c->name, S("al")));
    assert_int_equal(c->expires_s, 1800000600 + JWT_SKEW_S);
    static const str want[] = {S("a"), S("b:c"), S("d"), S("e"), S("f")};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(str_eq(c->scopes[i], want[i]));
        assert_true(caller_has_scope(c, want[i]));
    }
    assert_null(c->scopes[5].p);
    assert_false(caller_has_scope(c, S("b")));
    assert_true(str_eq(must(f, header_of(f, HEAD ",\"sub\":\"x\"}"))->name, S("x")));
    c = must(f, header_of(f, HEAD ",\"sub\":\"x\",\"scp\":\"one two\",\"scope\":{}}"));
    assert_true(caller_has_scope(c, S("two")));
}

static void an_id_is_never_ambiguous(void **state)
{
    fixture *f = *state;
    assert_true(str_eq(must(f, header_of(f, HEAD ",\"client_id\":\"app\"}"))->id,
                       S("jwt-client:https://idp|app")));
    assert_true(str_eq(must(f, header_of(f, HEAD ",\"azp\":\"app2\",\"sub\":\"\"}"))->id,
                       S("jwt-client:https://idp|app2")));
    const caller *c;
    identity_detail d;
    assert_int_equal(ask(f, header_of(f, HEAD "}"), now_ms, &c, &d), IDENTITY_BAD);
    assert_int_equal(ask(f, header_of(f, HEAD ",\"sub\":7}"), now_ms, &c, &d), IDENTITY_BAD);
    f->issuer.issuer = S("a|b%7C");
    str h = header_of(f, "{\"iss\":\"a|b%7C\",\"aud\":\"gw\",\"exp\":1800000600,\"sub\":\"c\"}");
    assert_true(str_eq(must(f, h)->id, S("jwt:a%7Cb%257C|c")));
}

static void the_second_request_gets_the_same_caller(void **state)
{
    fixture *f = *state;
    str h = header_of(f, HEAD ",\"sub\":\"a\"}");
    assert_ptr_equal(must(f, h), must(f, h));
}

static void a_known_token_ends_with_its_expiry(void **state)
{
    fixture *f = *state;
    const caller *c;
    identity_detail d;
    str h = header_of(f, HEAD ",\"sub\":\"a\"}");
    (void)must(f, h);
    int64_t last_ms = (1800000600 + JWT_SKEW_S) * (int64_t)1000;
    assert_int_equal(ask(f, h, last_ms - 1, &c, &d), IDENTITY_OK);
    assert_int_equal(ask(f, h, last_ms, &c, &d), IDENTITY_BAD);
    assert_string_equal(d.why, "expired");
}

static void a_known_token_ends_with_its_key(void **state)
{
    fixture *f = *state;
    const caller *c;
    identity_detail d;
    str h = header_of(f, HEAD ",\"sub\":\"a\"}");
    const caller *before = must(f, h);
    assert_null(jwks_replace(f->a, f->keys, jwt_mint_jwks(f->a, seed, S("k")), 0, NULL));
    assert_ptr_not_equal(must(f, h), before); /* verified anew */
    assert_null(jwks_replace(f->a, f->keys, jwt_mint_jwks(f->a, other_seed, S("k")), 0, NULL));
    assert_int_equal(ask(f, h, now_ms, &c, &d), IDENTITY_BAD);
    assert_true(str_eq(before->id, S("jwt:https://idp|a"))); /* a caller in use stays readable */
}

static void a_known_token_is_held_against_todays_configuration(void **state)
{
    fixture *f = *state;
    const caller *c;
    identity_detail d;
    str h = header_of(f, HEAD ",\"sub\":\"a\"}");
    static const str other[] = {S("other"), {0}};
    static const jwt_alg none[] = {ALG_RS256, ALG_NONE};
    (void)must(f, h);
    f->issuer.audiences = other;
    assert_int_equal(ask(f, h, now_ms, &c, &d), IDENTITY_BAD);
    f->issuer.audiences = audiences;
    (void)must(f, h);
    f->issuer.algorithms = none;
    assert_int_equal(ask(f, h, now_ms, &c, &d), IDENTITY_BAD);
    f->issuer.algorithms = algs;
    (void)must(f, h);
    f->id.issuer_count = 0;
    assert_int_equal(ask(f, h, now_ms, &c, &d), IDENTITY_BAD);
}

static void an_unknown_key_waits_once(void **state)
{
    fixture *f = *state;
    const caller *c;
    identity_detail d;
    str token = jwt_mint(f->a, other_seed, S("new"), S(HEAD ",\"sub\":\"a\"}"));
    str h = arena_fmt(f->a, "Bearer " STR_FMT, STR_ARG(token));
    assert_int_equal(ask(f, h, now_ms, &c, &d), IDENTITY_WANTS_KEYS);
    assert_ptr_equal(d.issuer, &f->issuer);
    assert_int_equal(identify(f->cache, &f->id, h, now_ms, false, &c, &d), IDENTITY_BAD);
    f->issuer.jwks_url = (str){0}; /* keys from a file: nothing to wait for */
    assert_int_equal(ask(f, h, now_ms, &c, &d), IDENTITY_BAD);
    f->issuer.jwks_url = S("https://idp/keys");
    assert_null(jwks_replace(f->a, f->keys, jwt_mint_jwks(f->a, other_seed, S("new")), 0, NULL));
    assert_int_equal(identify(f->cache, &f->id, h, now_ms, false, &c, &d), IDENTITY_OK);
    caller_drop(c);
}

static void a_full_cache_forgets_who_was_away_longest(void **state)
{
    fixture *f = *state;
    str h[6];
    const caller *first[6];
    for (int i = 0; i < 6; i++) h[i] = header_of(f, arena_fmt(f->a, HEAD ",\"sub\":\"u%d\"}", i).p);
    for (int i = 0; i < 4; i++) first[i] = must(f, h[i]);
    assert_ptr_equal(must(f, h[0]), first[0]); /* 0 is now the newest, 1 the oldest */
    first[4] = must(f, h[4]);
    assert_ptr_equal(must(f, h[0]), first[0]);
    assert_ptr_equal(must(f, h[2]), first[2]);
    assert_ptr_equal(must(f, h[4]), first[4]);
    assert_ptr_not_equal(must(f, h[1]), first[1]);
}

static void a_cache_of_no_size_still_answers(void **state)
{
    fixture *f = *state;
    identity_cache *none = identity_cache_new(0);
    const caller *c;
    identity_detail d;
    str h = header_of(f, HEAD ",\"sub\":\"a\"}");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(identify(none, &f->id, h, now_ms, false, &c, &d), IDENTITY_OK);
        caller_drop(c);
    }
    identity_cache_free(none);
}

static void a_caller_outlives_the_cache(void **state)
{
    fixture *f = *state;
    const caller *c = must(f, header_of(f, HEAD ",\"sub\":\"a\",\"scope\":\"x\"}"));
    caller_keep(c);
    identity_cache_free(f->cache);
    f->cache = identity_cache_new(4);
    assert_true(caller_has_scope(c, S("x")));
    caller_drop(c);
}

static void many_tokens_leave_no_trace(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 300; i++)
        (void)must(f, header_of(f, arena_fmt(f->a, HEAD ",\"sub\":\"%d\"}", i % 37).p));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(no_credential_is_nobody_unless_anonymous_is_allowed),
        T(a_bad_credential_is_never_anonymous),
        T(the_scheme_is_read_without_regard_to_case),
        T(a_caller_is_who_the_token_says),
        T(an_id_is_never_ambiguous),
        T(the_second_request_gets_the_same_caller),
        T(a_known_token_ends_with_its_expiry),
        T(a_known_token_ends_with_its_key),
        T(a_known_token_is_held_against_todays_configuration),
        T(an_unknown_key_waits_once),
        T(a_full_cache_forgets_who_was_away_longest),
        T(a_cache_of_no_size_still_answers),
        T(a_caller_outlives_the_cache),
        T(many_tokens_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
