/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/jwk.h"
#include "jose.h"

typedef struct {
    arena *a;
    jwks *keys;
    EVP_PKEY *rsa, *small, *p256, *p384, *p521, *ed;
} fixture;

static int set_up_keys(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->rsa = EVP_RSA_gen(2048);
    f->small = EVP_RSA_gen(1024);
    f->p256 = EVP_EC_gen("P-256");
    f->p384 = EVP_EC_gen("P-384");
    f->p521 = EVP_EC_gen("P-521");
    f->ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    *state = f;
    return 0;
}

static int tear_down_keys(void **state)
{
    fixture *f = *state;
    EVP_PKEY *keys[] = {f->rsa, f->small, f->p256, f->p384, f->p521, f->ed};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) EVP_PKEY_free(keys[i]);
    free(f);
    return 0;
}

static int set_up(void **state)
{
    fixture *f = *state;
    f->a = arena_new();
    f->keys = jwks_new();
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    jwks_free(f->keys);
    arena_free(f->a);
    return 0;
}

/* Puts a document of these keys; tells how many were taken. -1: the document was refused. */
static int put(fixture *f, str list, unsigned *skipped)
{
    str document = arena_fmt(f->a, "{\"keys\":[" STR_FMT "]}", STR_ARG(list));
    if (jwks_replace(f->a, f->keys, document, 0, skipped)) return -1;
    const jwks_version *v = jwks_acquire(f->keys);
    int n = 0;
    while (jwks_key(v, (size_t)n)) n++;
    jwks_release(v);
    return n;
}

static unsigned algs_of_first(fixture *f)
{
    const jwks_version *v = jwks_acquire(f->keys);
    const jwk *k = jwks_key(v, 0);
    unsigned algs = k ? k->algs : 0;
    jwks_release(v);
    return algs;
}

static void names_of_algorithms_are_known_and_no_others(void **state)
{
    (void)state;
    assert_int_equal(jwt_alg_of(S("RS256")), ALG_RS256);
    assert_int_equal(jwt_alg_of(S("PS512")), ALG_PS512);
    assert_int_equal(jwt_alg_of(S("ES384")), ALG_ES384);
    assert_int_equal(jwt_alg_of(S("EdDSA")), ALG_EDDSA);
    static const str bad[] = {S(""),      S("none"),   S("None"),    S("HS256"),
                              S("rs256"), S("RS256 "), S("RSA-OAEP")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(jwt_alg_of(bad[i]), ALG_NONE);
}

static void every_kind_of_key_is_pinned_to_what_it_can_do(void **state)
{
    fixture *f = *state;
    unsigned skipped;
    const unsigned rs = 1u << ALG_RS256 | 1u << ALG_RS384 | 1u << ALG_RS512;
    const unsigned ps = 1u << ALG_PS256 | 1u << ALG_PS384 | 1u << ALG_PS512;
    const struct {
        EVP_PKEY *key;
        const char *more;
        unsigned algs;
    } cases[] = {
        /* clang-format off */
        {f->rsa, "", rs | ps}, {f->rsa, ",\"alg\":\"RS256\",\"use\":\"sig\"", 1u << ALG_RS256},
        {f->rsa, ",\"alg\":\"PS384\",\"key_ops\":[\"verify\"]", 1u << ALG_PS384}, {f->p256, "", 1u << ALG_ES256},
        {f->p384, "", 1u << ALG_ES384}, {f->p521, "", 1u << ALG_ES512}, {f->ed, "", 1u << ALG_EDDSA},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(put(f, jose_jwk(f->a, cases[i].key, "k", cases[i].more), &skipped), 1);
        assert_int_equal(skipped, 0);
        assert_int_equal(algs_of_first(f), cases[i].algs);
    }
}

static void a_key_that_must_not_be_used_is_skipped_and_counted(void **state)
{
    fixture *f = *state;
    str good = jose_jwk(f->a, f->p256, "good", "");
    /* clang-format off */
    const str bad[] = {
        S("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"x\"}"), jose_jwk(f->a, f->small, "x", ""),
        jose_jwk(f->a, f->rsa, "x", ",\"use\":\"enc\""), jose_jwk(f->a, f->rsa, "x", ",\"key_ops\":[\"sign\"]"),
        jose_jwk(f->a, f->rsa, "x", ",\"key_ops\":\"verify\""), jose_jwk(f->a, f->rsa, "x", ",\"alg\":\"HS256\""),
        jose_jwk(f->a, f->rsa, "x", ",\"alg\":\"ES256\""), jose_jwk(f->a, f->rsa, "x", ",\"alg\":null"),
        jose_jwk(f->a, f->rsa, "x", ",\"d\":\"AQAB\""), jose_jwk(f->a, f->p256, "x", ",\"d\":\"AQAB\""),
        jose_jwk(f->a, f->p256, "x", ",\"alg\":\"ES384\""), jose_jwk(f->a, f->p256, NULL, ",\"kid\":7"),
        S("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"), /* off the curve */
        S("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}"),
        S("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"),
        S("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
        S("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"), S("{\"kty\":\"RSA\"}"),
        S("{\"kty\":\"RSA\",\"n\":\"!!!\",\"e\":\"AQAB\"}"), S("{\"kty\":\"LMS\"}"), S("{}"), S("7"),
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned skipped = 0;
        str list = arena_fmt(f->a, STR_FMT "," STR_FMT, STR_ARG(bad[i]), STR_ARG(good));
        if (put(f, list, &skipped) != 1 || skipped != 1)
            print_error("key %zu was taken: " STR_FMT "\n", i, STR_ARG(bad[i]));
        assert_int_equal(put(f, list, &skipped), 1);
        assert_int_equal(skipped, 1);
    }
}

static void weak_exponents_are_refused(void **state)
{
    fixture *f = *state;
    unsigned skipped;
    str n = jose_bn(f->a, f->rsa, "n", 0);
    static const char *const bad[] = {"AQ", "Ag", "AA", "", "AQABAQABAQAB"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(put(f,
                             arena_fmt(f->a, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n.p,
                                       bad[i]),
                             &skipped),
                         -1);
    assert_int_equal(put(f, arena_fmt(f->a, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"Aw\"}", n.p),
                         &skipped),
                     1);
}

static void a_bad_document_keeps_the_old_keys(void **state)
{
    fixture *f = *state;
    unsigned skipped;
    assert_null(jwks_acquire(f->keys));
    assert_int_equal(put(f, jose_jwk(f->a, f->p256, "old", ""), &skipped), 1);
    uint64_t epoch = jwks_epoch(f->keys);
    /* clang-format off */
    static const str bad[] = {
        S(""), S("{"), S("[]"), S("{\"keys\":{}}"), S("{\"keys\":[],\"keys\":[]}"),
        S("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"),
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(jwks_replace(f->a, f->keys, bad[i], 0, &skipped));
    assert_true(jwks_epoch(f->keys) == epoch);
    assert_int_equal(algs_of_first(f), 1u << ALG_ES256);
    assert_null(jwks_replace(f->a, f->keys, S("{\"keys\":[]}"), 0,
                             &skipped)); /* all withdrawn: that is an answer */
    assert_true(jwks_epoch(f->keys) > epoch);
}

static void a_version_in_use_outlives_its_replacement(void **state)
{
    fixture *f = *state;
    unsigned skipped;
    assert_int_equal(put(f, jose_jwk(f->a, f->p256, "old", ""), &skipped), 1);
    const jwks_version *v = jwks_acquire(f->keys);
    assert_int_equal(put(f, jose_jwk(f->a, f->ed, "new", ""), &skipped), 1);
    assert_true(str_eq(jwks_key(v, 0)->kid, S("old")));
    jwks_release(v);
}

static void a_fetch_is_due_once_per_floor(void **state)
{
    fixture *f = *state;
    assert_true(jwks_due(f->keys, 1000));
    assert_false(jwks_due(f->keys, 1000));
    assert_false(jwks_due(f->keys, 1000 + JWKS_FLOOR_MS - 1));
    assert_true(jwks_due(f->keys, 1000 + JWKS_FLOOR_MS));
    assert_false(jwks_due(f->keys, 1001 + JWKS_FLOOR_MS));
    assert_true(jwks_due(f->keys, 5)); /* the clock was set back */
}

static void *read_for_a_while(void *arg)
{
    fixture *f = arg;
    for (int i = 0; i < 20000; i++) {
        const jwks_version *v = jwks_acquire(f->keys);
        if (!v || !jwks_key(v, 0)->algs) abort();
        jwks_release(v);
    }
    return NULL;
}

static void readers_and_a_refresh_do_not_disturb_each_other(void **state)
{
    fixture *f = *state;
    unsigned skipped;
    pthread_t readers[2];
    assert_int_equal(put(f, jose_jwk(f->a, f->ed, "k", ""), &skipped), 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_for_a_while, f), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(put(f, jose_jwk(f->a, f->ed, "k", ""), &skipped), 1);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(readers[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_of_algorithms_are_known_and_no_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_kind_of_key_is_pinned_to_what_it_can_do, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_must_not_be_used_is_skipped_and_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(weak_exponents_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_document_keeps_the_old_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_version_in_use_outlives_its_replacement, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_fetch_is_due_once_per_floor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_and_a_refresh_do_not_disturb_each_other, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_keys, tear_down_keys);
}
