/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "../../authz/jwt.h"
#include "../../authz/jwt_mint.h"
#include "jose.h"

enum { NOW_S = 1800000000 };
#define ISS  "https://login.example.com"
#define GOOD "{\"iss\":\"" ISS "\",\"sub\":\"alice\",\"aud\":\"gw\",\"exp\":1800000600}"

typedef struct {
    arena *a;
    jwks *keys;
    EVP_PKEY *rsa, *p256, *p384, *p521, *ed, *stranger, *rsa_stranger;
    jwt_issuer issuer;
} fixture;

static const jwt_alg all_algs[] = {ALG_RS256, ALG_RS384, ALG_RS512, ALG_PS256, ALG_PS384, ALG_PS512,
                                   ALG_ES256, ALG_ES384, ALG_ES512, ALG_EDDSA, ALG_NONE};
static const str audiences[] = {S("gw"), S("https://gw.example.com/mcp"), {0}};

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->a = arena_new();
    f->keys = jwks_new();
    f->rsa = EVP_RSA_gen(2048);
    f->rsa_stranger = EVP_RSA_gen(2048);
    f->p256 = EVP_EC_gen("P-256");
    f->p384 = EVP_EC_gen("P-384");
    f->p521 = EVP_EC_gen("P-521");
    f->ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    f->stranger = EVP_EC_gen("P-256");
    str document =
        arena_fmt(f->a, "{\"keys\":[%s,%s,%s,%s,%s,%s]}", jose_jwk(f->a, f->rsa, "rsa", "").p,
                  jose_jwk(f->a, f->rsa, "rs-only", ",\"alg\":\"RS256\"").p,
                  jose_jwk(f->a, f->p256, "p256", "").p, jose_jwk(f->a, f->p384, "p384", "").p,
                  jose_jwk(f->a, f->p521, "p521", "").p, jose_jwk(f->a, f->ed, "ed", "").p);
    jose_must(!jwks_replace(f->a, f->keys, document, 0, NULL));
    f->issuer = (jwt_issuer){.issuer = S(ISS),
                             .audiences = audiences,
                             .algorithms = all_algs,
                             .keys = f->keys,
                             .jwks_url = S("https://login.example.com/keys")};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    EVP_PKEY *keys[] = {f->rsa, f->rsa_stranger, f->p256, f->p384, f->p521, f->ed, f->stranger};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) EVP_PKEY_free(keys[i]);
    jwks_free(f->keys);
    arena_free(f->a);
    free(f);
    return 0;
}

static jwt_result verify(fixture *f, str token, jwt_facts *facts)
{
    return jwt_verify(f->a, &f->issuer, 1, token, NOW_S, facts);
}

static void check_bad(fixture *f, str token, const char *why)
{
    jwt_facts facts;
    assert_int_equal(verify(f, token, &facts), JWT_BAD);
    assert_string_equal(facts.why, why);
}

static void check_good(fixture *f, str token)
{
    jwt_facts facts;
    jwt_result r = verify(f, token, &facts);
    if (r != JWT_OK) print_error("refused: %s\n", facts.why ? facts.why : "no key");
    assert_int_equal(r, JWT_OK);
}

static void every_algorithm_verifies(void **state)
{
    fixture *f = *state;
    const struct {
        EVP_PKEY *key;
        const char *alg, *kid;
    } cases[] = {
        /* clang-format off */
        {f->rsa, "RS256", "rsa"}, {f->rsa, "RS384", "rsa"}, {f->rsa, "RS512", "rsa"}, {f->rsa, "PS256", "rsa"},
        {f->rsa, "PS384", "rsa"}, {f->rsa, "PS512", "rsa"}, {f->p256, "ES256", "p256"}, {f->p384, "ES384", "p384"},
        {f->p521, "ES512", "p521"}, {f->ed, "EdDSA", "ed"},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        jwt_facts facts;
        str token = jose_token(f->a, cases[i].key, cases[i].alg, cases[i].kid, S(GOOD));
        assert_int_equal(verify(f, token, &facts), JWT_OK);
        assert_ptr_equal(facts.issuer, &f->issuer);
        assert_string_equal(json_string_value(json_object_get(facts.claims, "sub")), "alice");
        assert_int_equal(facts.expires_s, 1800000600 + JWT_SKEW_S);
        /* and with one bit of the signature turned over, none does */
        str dots = str_cut(str_cut(token, '.').tail, '.').tail, sig;
        assert_true(digest_from_base64url(f->a, dots, &sig));
        ((char *)(uintptr_t)sig.p)[sig.n / 2] ^= 1;
        str forged = arena_fmt(f->a, STR_FMT STR_FMT, (int)(token.n - dots.n), token.p,
                               STR_ARG(digest_base64url(f->a, sig)));
        check_bad(f, forged, "wrong signature");
    }
}

static void no_token_chooses_how_it_is_verified(void **state)
{
    fixture *f = *state;
    BIO *pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(pem, f->rsa), 1);
    char *text;
    str secret = {.n = (size_t)BIO_get_mem_data(pem, &text)};
    secret.p = text;
    check_bad(f, jose_hmac_token(f->a, secret, S("{\"alg\":\"HS256\",\"kid\":\"rsa\"}"), S(GOOD)),
              "algorithm not allowed");
    check_bad(f, jose_hmac_token(f->a, secret, S("{\"alg\":\"RS256\",\"kid\":\"rsa\"}"), S(GOOD)),
              "wrong signature");
    BIO_free(pem);

    static const char *const none[] = {"none", "None", "NONE", "nOnE", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        str header = arena_fmt(f->a, "{\"alg\":\"%s\",\"kid\":\"rsa\"}", none[i]);
        check_bad(f, arena_fmt(f->a, "%s.", jose_input(f->a, header, S(GOOD)).p),
                  "algorithm not allowed");
    }
    check_bad(f, arena_fmt(f->a, "%s.", jose_input(f->a, S("{\"kid\":\"rsa\"}"), S(GOOD)).p),
              "algorithm not allowed");
    check_bad(f,
              arena_fmt(f->a, "%s.",
                        jose_input(f->a, S("{\"alg\":\"RS256\",\"kid\":\"rsa\"}"), S(GOOD)).p),
              "wrong signature");
    check_bad(f,
              arena_fmt(f->a, "%s.",
                        jose_input(f->a, S("{\"alg\":\"ES256\",\"kid\":\"p256\"}"), S(GOOD)).p),
              "wrong signature");
    check_bad(f,
              arena_fmt(f->a, "%s.",
                        jose_input(f->a, S("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"), S(GOOD)).p),
              "wrong signature");
}

static void a_key_is_used_only_for_what_it_is_pinned_to(void **state)
{
    fixture *f = *state;
    check_good(f, jose_token(f->a, f->rsa, "RS256", "rs-only", S(GOOD)));
    check_bad(f, jose_token(f->a, f->rsa, "PS256", "rs-only", S(GOOD)),
              "algorithm not allowed for this key");
    check_bad(f, jose_token(f->a, f->p256, "ES256", "rsa", S(GOOD)),
              "algorithm not allowed for this key");
    check_bad(f, jose_token(f->a, f->p384, "ES256", "p384", S(GOOD)),
              "algorithm not allowed for this key");
    static const jwt_alg only_es[] = {ALG_ES256, ALG_NONE};
    f->issuer.algorithms = only_es;
    check_bad(f, jose_token(f->a, f->rsa, "RS256", "rsa", S(GOOD)), "algorithm not allowed");
    check_good(f, jose_token(f->a, f->p256, "ES256", "p256", S(GOOD)));
    f->issuer.algorithms = NULL; /* none configured: none allowed */
    check_bad(f, jose_token(f->a, f->p256, "ES256", "p256", S(GOOD)), "algorithm not allowed");
    f->issuer.algorithms = all_algs;
}

static void a_strangers_key_does_not_open(void **state)
{
    fixture *f = *state;
    check_bad(f, jose_token(f->a, f->stranger, "ES256", "p256", S(GOOD)), "wrong signature");
    check_bad(f, jose_token(f->a, f->rsa_stranger, "RS256", "rsa", S(GOOD)), "wrong signature");
    check_bad(f, jose_token(f->a, f->rsa_stranger, "PS256", "rsa", S(GOOD)), "wrong signature");
    /* a key the token brings along is no key of ours */
    str header = arena_fmt(f->a, "{\"alg\":\"ES256\",\"kid\":\"p256\",\"jwk\":%s}",
                           jose_jwk(f->a, f->stranger, "p256", "").p);
    check_bad(f, jose_token_with(f->a, f->stranger, "ES256", header, S(GOOD)), "wrong signature");
}

static void an_unknown_key_asks_for_fresh_ones(void **state)
{
    fixture *f = *state;
    jwt_facts facts;
    assert_int_equal(verify(f, jose_token(f->a, f->p256, "ES256", "rotated", S(GOOD)), &facts),
                     JWT_NO_KEY);
    assert_ptr_equal(facts.issuer, &f->issuer);
    jwks *none = jwks_new();
    f->issuer.keys = none;
    assert_int_equal(verify(f, jose_token(f->a, f->p256, "ES256", "p256", S(GOOD)), &facts),
                     JWT_NO_KEY);
    f->issuer.keys = f->keys;
    jwks_free(none);
    /* but never for an issuer nobody configured */
    str claims = S("{\"iss\":\"https://evil.example\",\"exp\":1800000600,\"aud\":\"gw\"}");
    check_bad(f, jose_token(f->a, f->p256, "ES256", "rotated", claims), "unknown issuer");
}

static void without_a_key_id_the_choice_must_be_clear(void **state)
{
    fixture *f = *state;
    check_good(f, jose_token(f->a, f->p256, "ES256", NULL, S(GOOD)));
    check_good(f, jose_token(f->a, f->rsa, "PS256", NULL, S(GOOD))); /* rs-only cannot do PS256 */
    check_bad(f, jose_token(f->a, f->rsa, "RS256", NULL, S(GOOD)), "no key id");
}

static void keys_of_one_name_are_all_tried(void **state)
{
    fixture *f = *state;
    jwt_facts facts;
    jwks *twins = jwks_new();
    str document = arena_fmt(f->a, "{\"keys\":[%s,%s]}", jose_jwk(f->a, f->stranger, "k", "").p,
                             jose_jwk(f->a, f->p256, "k", "").p);
    assert_null(jwks_replace(f->a, twins, document, 0, NULL));
    f->issuer.keys = twins;
    assert_int_equal(verify(f, jose_token(f->a, f->p256, "ES256", "k", S(GOOD)), &facts), JWT_OK);
    assert_int_equal(verify(f, jose_token(f->a, f->stranger, "ES256", "k", S(GOOD)), &facts),
                     JWT_OK);
    f->issuer.keys = f->keys;
    jwks_free(twins);
}

typedef struct {
    str claims;
    const char *why; /* NULL: good */
} claims_case;

static void claims_are_held_against_clock_and_audience(void **state)
{
    fixture *f = *state;
#define C(rest) S("{\"iss\":\"" ISS "\",\"sub\":\"a\"" rest "}")
    /* clang-format off */
    static const claims_case cases[] = {
        {C(",\"aud\":\"gw\",\"exp\":1800000600"), NULL}, {C(",\"aud\":\"gw\",\"exp\":1800000600.75"), NULL},
        {C(",\"aud\":[\"other\",\"https://gw.example.com/mcp\"],\"exp\":1800000600"), NULL},
        {C(",\"aud\":\"gw\",\"exp\":1799999971"), NULL}, /* inside the skew */
        {C(",\"aud\":\"gw\",\"exp\":1799999970"), "expired"}, {C(",\"aud\":\"gw\",\"exp\":0"), "expired"},
        {C(",\"aud\":\"gw\",\"exp\":1799999970.9"), "expired"}, {C(",\"aud\":\"gw\""), "no expiry"},
        {C(",\"aud\":\"gw\",\"exp\":null"), "no expiry"}, {C(",\"aud\":\"gw\",\"exp\":\"1800000600\""), "no expiry"},
        {C(",\"aud\":\"gw\",\"exp\":-1"), "no expiry"}, {C(",\"aud\":\"gw\",\"exp\":1e300"), "no expiry"},
        {C(",\"aud\":\"gw\",\"exp\":9223372036854775807"), "no expiry"},
        {C(",\"aud\":\"gw\",\"exp\":99999999999999999999"), "no expiry"},
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"nbf\":1800000030"), NULL},
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"nbf\":1800000031"), "not yet valid"},
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"nbf\":\"soon\""), "not yet valid"},
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"iat\":1800000031"), "issued in the future"},
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"iat\":1700000000"), NULL},
        {C(",\"aud\":\"other\",\"exp\":1800000600"), "wrong audience"},
        {C(",\"aud\":\"GW\",\"exp\":1800000600"), "wrong audience"},
        {C(",\"aud\":\"gw \",\"exp\":1800000600"), "wrong audience"},
        {C(",\"aud\":[],\"exp\":1800000600"), "wrong audience"},
        {C(",\"aud\":[7,null],\"exp\":1800000600"), "wrong audience"},
        {C(",\"aud\":{\"gw\":1},\"exp\":1800000600"), "wrong audience"}, {C(",\"exp\":1800000600"), "wrong audience"},
        {S("{\"sub\":\"a\",\"aud\":\"gw\",\"exp\":1800000600}"), "unknown issuer"},
        {S("{\"iss\":7,\"aud\":\"gw\",\"exp\":1800000600}"), "unknown issuer"},
        {S("{\"iss\":\"" ISS "/\",\"aud\":\"gw\",\"exp\":1800000600}"), "unknown issuer"},
        {S("{\"iss\":\"" ISS "\\u0000\",\"aud\":\"gw\",\"exp\":1800000600}"), "unknown issuer"},
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"exp\":1900000000"), "malformed token"}, /* twice */
        {C(",\"aud\":\"gw\",\"exp\":1800000600,\"\\u0061ud\":\"x\""), "malformed token"}, {S("[]"), "malformed token"},
        {S("{\"iss\":\"" ISS "\""), "malformed token"}, {S("{\"iss\":\"\xff\"}"), "malformed token"},
        {C(",\"x\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]"), "malformed token"}, /* too deep */
    };
    /* clang-format on */
#undef C
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str token = jose_token(f->a, f->p256, "ES256", "p256", cases[i].claims);
        jwt_facts facts;
        jwt_result r = verify(f, token, &facts);
        if ((r == JWT_OK) != !cases[i].why)
            print_error("claims %zu: %s\n", i, facts.why ? facts.why : "taken");
        if (cases[i].why)
            check_bad(f, token, cases[i].why);
        else
            check_good(f, token);
    }
}

static void without_audiences_configured_any_will_do(void **state)
{
    fixture *f = *state;
    f->issuer.audiences = (const str[]){{0}};
    check_good(f, jose_token(f->a, f->p256, "ES256", "p256",
                             S("{\"iss\":\"" ISS "\",\"exp\":1800000600}")));
    f->issuer.audiences = audiences;
}

static void headers_that_ask_for_more_are_refused(void **state)
{
    fixture *f = *state;
#define H(rest) S("{\"alg\":\"ES256\",\"kid\":\"p256\"" rest "}")
    /* clang-format off */
    static const claims_case cases[] = {
        {H(""), NULL}, {H(",\"typ\":\"JWT\""), NULL}, {H(",\"typ\":\"jwt\""), NULL}, {H(",\"typ\":\"at+jwt\""), NULL},
        {H(",\"typ\":\"application/AT+JWT\""), NULL}, {H(",\"typ\":\"logout+jwt\""), "wrong token type"},
        {H(",\"typ\":\"dpop+jwt\""), "wrong token type"}, {H(",\"typ\":1"), "wrong token type"},
        {H(",\"crit\":[\"exp\"]"), "header member not supported"}, {H(",\"crit\":[]"), "header member not supported"},
        {H(",\"b64\":false"), "header member not supported"}, {H(",\"cty\":\"JWT\""), "header member not supported"},
        {H(",\"zip\":\"DEF\""), "header member not supported"}, {H(",\"alg\":\"none\""), "malformed token"}, /* twice */
        {S("{\"alg\":[\"ES256\"],\"kid\":\"p256\"}"), "algorithm not allowed"},
        {S("{\"alg\":\"ES256\",\"kid\":7}"), "malformed token"}, {S("\"ES256\""), "malformed token"},
        {S(""), "malformed token"},
    };
    /* clang-format on */
#undef H
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str token = jose_token_with(f->a, f->p256, "ES256", cases[i].claims, S(GOOD));
        if (cases[i].why)
            check_bad(f, token, cases[i].why);
        else
            check_good(f, token);
    }
}

static void every_truncation_is_refused(void **state)
{
    fixture *f = *state;
    str token = jose_token(f->a, f->ed, "EdDSA", "ed", S(GOOD));
    jwt_facts facts;
    for (size_t n = 0; n < token.n; n++) {
        /* an exact copy, so that a read past the end is seen */
        char *p = malloc(n ? n : 1);
        jose_must(p != NULL);
        for (size_t i = 0; i < n; i++) p[i] = token.p[i];
        assert_int_equal(verify(f, (str){p, n}, &facts), JWT_BAD);
        free(p);
    }
}

static void spelling_is_strict(void **state)
{
    fixture *f = *state;
    str token = jose_token(f->a, f->ed, "EdDSA", "ed", S(GOOD));
    /* clang-format off */
    const str bad[] = {
        arena_fmt(f->a, "%s=", token.p), arena_fmt(f->a, "%s.", token.p), arena_fmt(f->a, "%s.x", token.p),
        arena_fmt(f->a, " %s", token.p), arena_fmt(f->a, "%s\n", token.p), arena_fmt(f->a, ".%s", token.p), S(""), S("."),
        S(".."), S("..."), S("a.b.c"), S("e30.e30."),
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        jwt_facts facts;
        assert_int_equal(verify(f, bad[i], &facts), JWT_BAD);
    }
}

static void a_token_over_the_limit_is_refused(void **state)
{
    fixture *f = *state;
    size_t n = JWT_MAX;
    char *pad = NEW_N(f->a, char, n + 1);
    for (size_t i = 0; i < n; i++) pad[i] = 'x';
    str big =
        arena_fmt(f->a, "{\"iss\":\"" ISS "\",\"aud\":\"gw\",\"exp\":1800000600,\"pad\":\"%s\"}",
                  pad);
    check_bad(f, jose_token(f->a, f->ed, "EdDSA", "ed", big), "token too large");
    pad[11000] = 0;
    str fits =
        arena_fmt(f->a, "{\"iss\":\"" ISS "\",\"aud\":\"gw\",\"exp\":1800000600,\"pad\":\"%s\"}",
                  pad);
    check_good(f, jose_token(f->a, f->ed, "EdDSA", "ed", fits));
}

static void what_we_mint_we_take(void **state)
{
    fixture *f = *state;
    static const uint8_t seed[JWT_SEED] = {1, 2, 3};
    jwks *own = jwks_new();
    assert_null(jwks_replace(f->a, own, jwt_mint_jwks(f->a, seed, S("demo \"1\"")), 0, NULL));
    f->issuer.keys = own;
    str token = jwt_mint(f->a, seed, S("demo \"1\""), S(GOOD));
    check_good(f, token);
    f->issuer.keys = f->keys;
    jwt_facts facts;
    assert_int_equal(verify(f, token, &facts), JWT_NO_KEY);
    jwks_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_verifies),
        cmocka_unit_test(no_token_chooses_how_it_is_verified),
        cmocka_unit_test(a_key_is_used_only_for_what_it_is_pinned_to),
        cmocka_unit_test(a_strangers_key_does_not_open),
        cmocka_unit_test(an_unknown_key_asks_for_fresh_ones),
        cmocka_unit_test(without_a_key_id_the_choice_must_be_clear),
        cmocka_unit_test(keys_of_one_name_are_all_tried),
        cmocka_unit_test(claims_are_held_against_clock_and_audience),
        cmocka_unit_test(without_audiences_configured_any_will_do),
        cmocka_unit_test(headers_that_ask_for_more_are_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(spelling_is_strict),
        cmocka_unit_test(a_token_over_the_limit_is_refused),
        cmocka_unit_test(what_we_mint_we_take),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
