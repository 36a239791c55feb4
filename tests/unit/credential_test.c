/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* credential_test.c - what is added to a request, and to which name a model's path leads. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../llm/credential.h"
#include "../../llm/path.h"

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

static const str pieces[] = {{"{\"model\":", 9}, {"\"m\"", 3}, {"}", 1}};

static credential_request request(const str *body, size_t parts)
{
    return (credential_request){.method = S("POST"),
                                .target = S("/model/m/converse"),
                                .content_type = S("application/json"),
                                .body = body,
                                .parts = parts,
                                .now_ms = 1767323045000};
}

static void a_known_header_is_sent_as_it_is(void **state)
{
    const header key[] = {{S("x-api-key"), S("k")}, {{0}, {0}}};
    const llm_backend with = {.auth = key}, without = {0};
    credential_request rq = request(pieces, 3);
    assert_ptr_equal(credential_headers(*state, &with, &rq), key);
    assert_null(credential_headers(*state, &without, &rq)->name.p);
}

static void a_signature_covers_the_body_in_whatever_pieces(void **state)
{
    const sigv4_key key = {.access_key_id = S("AKIDEXAMPLE"),
                           .secret_access_key = S("secret"),
                           .region = S("us-east-1"),
                           .service = S("bedrock")};
    const llm_backend b = {.authority = S("bedrock-runtime.us-east-1.amazonaws.com"), .aws = &key};
    const str whole[] = {S("{\"model\":\"m\"}")}, other[] = {S("{\"model\":\"n\"}")};
    credential_request cut = request(pieces, 3), one = request(whole, 1), two = request(other, 1);
    str first = header_get(credential_headers(*state, &b, &cut), S("authorization"));
    assert_true(first.n > 0);
    assert_true(
        str_eq(first, header_get(credential_headers(*state, &b, &one), S("authorization"))));
    assert_false(
        str_eq(first, header_get(credential_headers(*state, &b, &two), S("authorization"))));
}

static void a_name_never_becomes_another_path(void **state)
{
    assert_true(str_eq(path_segment(*state, S("../a?b#c%2F")), S("..%2Fa%3Fb%23c%252F")));
    assert_true(
        str_eq(path_segment(*state, S("arn:aws:x/us.m-v1:0")), S("arn%3Aaws%3Ax%2Fus.m-v1%3A0")));
    assert_true(str_eq(path_segment(*state, S("claude@20250101\xc3\xa9 ")),
                       S("claude%4020250101%C3%A9%20")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_known_header_is_sent_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signature_covers_the_body_in_whatever_pieces, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_name_never_becomes_another_path, setup, teardown),
    };
    return cmocka_run_group_tests_name("credential", tests, NULL, NULL);
}
