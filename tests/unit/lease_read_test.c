/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include "own_arena.h"

#include "../../llm/lease_read.h"
#include <string.h>

enum { NOW_S = 1767323045 }; /* 2026-01-02T03:04:05Z */
#define NOW_MS ((int64_t)NOW_S * 1000)

typedef const err *reader(str body, lease_token *out);

static const err *oauth(str body, lease_token *out)
{
    return lease_read_oauth(a, body, out);
}

static const err *keys(str body, lease_token *out)
{
    return lease_read_keys(a, body, NOW_MS, out);
}

static const err *sts(str body, lease_token *out)
{
    return lease_read_sts(a, body, NOW_MS, out);
}

static const err *impersonated(str body, lease_token *out)
{
    return lease_read_impersonated(a, body, NOW_MS, out);
}

#define KEYS(id, end)                                                                              \
    "{\"AccessKeyId\":\"" id                                                                       \
    "\",\"SecretAccessKey\":\"s/+\",\"Token\":\"t\",\"Expiration\":\"" end "\"}"
#define STS(id, token)                                                                             \
    "<R><Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"        \
    "<SessionToken>" token "</SessionToken><Expiration>2026-01-02T04:04:05Z</Expiration>"          \
    "</Credentials></R>"

static void what_is_lent_is_read(void **state)
{
    (void)state;
    static const struct {
        reader *read;
        const char *body, *token, *key_id;
        int64_t lives_ms;
    } cases[] = {
        {oauth, "{\"access_token\":\"a.b\",\"expires_in\":60}", "a.b", "", 60000},
        {oauth, "{\"access_token\":\"a\",\"expires_in\":\"3599\"}", "a", "", 3599000},
        {oauth, "{\"access_token\":\"a\"}", "a", "", 1000},
        {oauth, "{\"access_token\":\"a\",\"expires_in\":-5}", "a", "", 1000},
        {oauth, "{\"access_token\":\"a\",\"expires_in\":9223372036854775807}", "a", "", 86400000},
        {keys, KEYS("ASIA1", "2026-01-02T03:05:05Z"), "t", "ASIA1", 60000},
        {keys, KEYS("ASIA1", "2026-01-02T05:05:05.5+02:00"), "t", "ASIA1", 60000},
        {sts, STS("ASIA2", "t=="), "t==", "ASIA2", 3600000},
        {impersonated, "{\"accessToken\":\"y\",\"expireTime\":\"2026-01-02T03:04:06Z\"}", "y", "",
         1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lease_token got;
        assert_null(cases[i].read((str){cases[i].body, strlen(cases[i].body)}, &got));
        assert_true(str_eq(got.token, (str){cases[i].token, strlen(cases[i].token)}));
        assert_true(str_eq(got.key_id, (str){cases[i].key_id, strlen(cases[i].key_id)}));
        assert_int_equal(got.lives_ms, cases[i].lives_ms);
    }
}

static void what_is_not_fit_to_be_shown_is_refused(void **state)
{
    (void)state;
    static const struct {
        reader *read;
        const char *body, *why;
    } cases[] = {
        {oauth, "", "its answer is no JSON object"},
        {oauth, "[]", "its answer is no JSON object"},
        {oauth, "{\"access_token\":7}", "its answer holds no token"},
        {oauth, "{\"access_token\":\"a\\r\\nb: c\"}", "its answer holds no token"},
        {oauth, "{\"access_token\":\"a\",\"access_token\":\"b\"}", "its answer is no JSON object"},
        {keys, KEYS("A/B", "2026-01-02T03:05:05Z"), "its answer holds no keys"},
        {keys, "{\"Code\":\"Failed\"}", "its answer holds no keys"},
        {keys, KEYS("ASIA1", "2026-01-02T03:04:05Z"), "what it lends has ended already"},
        {keys, KEYS("ASIA1", "tomorrow"), "its answer does not say when it ends"},
        {keys, KEYS("ASIA1", "2026-13-02T03:04:05Z"), "its answer does not say when it ends"},
        {sts, "<html>", "its answer holds no keys"},
        {sts, STS("ASIA2", "a&#10;b"), "its answer holds no keys"},
        {sts, STS("ASIA2", "<b/>"), "its answer holds no keys"},
        {sts, "<Credentials><AccessKeyId>A</AccessKeyId>", "its answer holds no keys"},
        {impersonated, "{\"accessToken\":\"y\"}", "its answer does not say when it ends"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lease_token got;
        const err *e = cases[i].read((str){cases[i].body, strlen(cases[i].body)}, &got);
        assert_non_null(e);
        assert_true(str_eq(e->text, (str){cases[i].why, strlen(cases[i].why)}));
        assert_null(got.token.p);
    }
}

static void a_refusal_has_a_plain_name_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *body, *name;
    } cases[] = {
        {"{\"error\":\"invalid_grant\",\"error_description\":\"eyJ\"}", "invalid_grant"},
        {"{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\"}}", "PERMISSION_DENIED"},
        {"<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>",
         "ExpiredTokenException"},
        {"{\"error\":\"a b\"}", ""},
        {"{\"error\":7}", ""},
        {"<Code>a\nb</Code>", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str got = lease_read_refusal(a, (str){cases[i].body, strlen(cases[i].body)});
        assert_true(str_eq(got, (str){cases[i].name, strlen(cases[i].name)}));
    }
}

static void a_subject_is_a_text_or_a_member(void **state)
{
    (void)state;
    str got;
    assert_null(lease_read_subject(a, S(" a.b \n"), (str){0}, &got));
    assert_true(str_eq(got, S("a.b")));
    assert_null(lease_read_subject(a, S("{\"id_token\":\"c\"}\n"), S("id_token"), &got));
    assert_true(str_eq(got, S("c")));
    assert_non_null(lease_read_subject(a, S("{}"), S("id_token"), &got));
    assert_non_null(lease_read_subject(a, S("a b"), (str){0}, &got));
    assert_non_null(lease_read_subject(a, S(" \n"), (str){0}, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_is_lent_is_read),
        ARENA_TEST(what_is_not_fit_to_be_shown_is_refused),
        ARENA_TEST(a_refusal_has_a_plain_name_or_none),
        ARENA_TEST(a_subject_is_a_text_or_a_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
