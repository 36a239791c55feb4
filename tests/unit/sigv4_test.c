/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4_test.c - one example worked by hand from AWS's documents, and those of another signer. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../base/json.h"
#include "../../llm/sigv4.h"

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

static const sigv4_key example = {.access_key_id = {"AKIDEXAMPLE", 11},
                                  .secret_access_key = {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                                        40},
                                  .region = {"us-east-1", 9},
                                  .service = {"bedrock", 7}};
enum { THEN_S = 1767323045 }; /* 2026-01-02T03:04:05Z */

static sigv4_request request(str path, str body)
{
    return (sigv4_request){.method = S("POST"),
                           .path = path,
                           .host = S("bedrock-runtime.us-east-1.amazonaws.com"),
                           .content_type = S("application/json"),
                           .body = body,
                           .now_ms = (int64_t)THEN_S * 1000};
}

static void a_known_request_has_a_known_signature(void **state)
{
    sigv4_request rq =
        request(S("/model/amazon.nova-lite-v1%3A0/invoke-with-response-stream"), S(""));
    const header *h = sigv4_sign(*state, &example, &rq);
    assert_true(
        str_eq(header_get(h, S("authorization")),
               S("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request, "
                 "SignedHeaders=content-type;host;x-amz-date, "
                 "Signature=ebc774024c96b88baf1dc42d0afbf623c036203fedd29fc4cf377d1ba555a746")));
    assert_true(str_eq(header_get(h, S("x-amz-date")), S("20260102T030405Z")));
    assert_null(header_get(h, S("x-amz-security-token")).p);
}

/* Whatever is signed must change the signature when it changes. */
static void every_signed_part_counts(void **state)
{
    arena *a = *state;
    sigv4_request rq = request(S("/model/m/converse"), S("{}")), other[5];
    for (size_t i = 0; i < 5; i++) other[i] = rq;
    other[0].path = S("/model/n/converse");
    other[1].body = S("{ }");
    other[2].host = S("localhost:1");
    other[3].content_type = S("text/plain");
    other[4].now_ms += 1000;
    str first = header_get(sigv4_sign(a, &example, &rq), S("authorization"));
    for (size_t i = 0; i < 5; i++)
        assert_false(
            str_eq(first, header_get(sigv4_sign(a, &example, &other[i]), S("authorization"))));
    sigv4_key session = example;
    session.session_token = S("T");
    const header *h = sigv4_sign(a, &session, &rq);
    assert_false(str_eq(first, header_get(h, S("authorization"))));
    assert_true(str_eq(header_get(h, S("x-amz-security-token")), S("T")));
}

static str text_at(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return (str){json_string_value(v), json_string_length(v)};
}

static void examples_of_another_signer_agree(void **state)
{
    arena *a = *state;
    json_t *all = json_load_file("../shared/conformance/llm/aws-vectors.json", 0, NULL), *one;
    if (!all) skip();
    arena_own(a, (void (*)(void *))json_decref, all);
    size_t i;
    json_array_foreach(json_object_get(all, "sigv4"), i, one)
    {
        sigv4_key key = example;
        key.session_token = text_at(one, "session_token");
        sigv4_request rq = request(text_at(one, "wire_path"), text_at(one, "body"));
        const header *h = sigv4_sign(a, &key, &rq);
        assert_true(str_eq(header_get(h, S("authorization")), text_at(one, "authorization")));
    }
    assert_int_equal(i, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_known_request_has_a_known_signature, setup, teardown),
        cmocka_unit_test_setup_teardown(every_signed_part_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(examples_of_another_signer_agree, setup, teardown),
    };
    return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
