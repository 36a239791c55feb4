/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include "own_arena.h"

#include "../../authz/jwt_sign.h"
#include "../../llm/lease.h"
#include "../../llm/lease_google.h"
#include <string.h>

static void what_is_no_key_file_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"", "it is no JSON object"},
        {"[]", "it is no JSON object"},
        {"{}", "it has no client_email"},
        {"{\"client_email\":7}", "it has no client_email"},
        {"{\"client_email\":\"a\"}", "its private_key is no RSA key in PEM"},
        {"{\"client_email\":\"a\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nAAAA\\n"
         "-----END PRIVATE KEY-----\\n\"}",
         "its private_key is no RSA key in PEM"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lease_spec got;
        const err *e = lease_of_google(a, (str){cases[i].json, strlen(cases[i].json)}, &got);
        assert_non_null(e);
        assert_true(str_eq(e->text, (str){cases[i].why, strlen(cases[i].why)}));
    }
}

static void without_a_service_thread_there_is_no_token(void **state)
{
    (void)state;
    const lease_spec spec = {.kind = LEASE_ENTRA, .of = {[LEASE_NAME] = S("a")}};
    leases *all = leases_new(&(lease_world){0});
    lease *l = lease_of(all, &spec);
    lease_token token = {0};
    assert_int_equal(lease_take(l, &(lease_ask){.a = a}, &token), LEASE_NONE);
    assert_null(token.token.p);
    lease_drop(l);
    leases_free(all);
}

static void what_cannot_sign_makes_no_token(void **state)
{
    (void)state;
    assert_false(jwt_can_sign((str){0}));
    assert_false(jwt_can_sign(S("secret")));
    assert_null(jwt_sign(a, S("secret"), &(jwt_sign_head){0}, S("{}")).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_is_no_key_file_is_told_apart),
        ARENA_TEST(without_a_service_thread_there_is_no_token),
        ARENA_TEST(what_cannot_sign_makes_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
