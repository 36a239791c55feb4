/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/forward.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void claims_are_found_by_their_path(void **state)
{
    (void)state;
    arena *a = arena_new();
    js_value root;
    static const struct {
        const char *path, *wanted;
    } cases[] = {
        {"jwt.sub", "alice"},  {"jwt.org.id", "7"},
        {"jwt.groups", "a,b"}, {"jwt.ok", "true"},
        {"jwt.org", ""},       {"jwt.no", ""},
        {"jwt.sub.x", ""},     {"jwt.nil", ""},
        {"jwt.empty", ""},     {"caller.id", "jwt:i|alice"},
        {"caller.kind", ""},   {"sub", ""},
    };
    assert_null(
        js_check(a,
                 S("{\"iss\":\"i\",\"sub\":\"alice\",\"org\":{\"id\":7},\"groups\":[\"a\",\"b\"],"
                   "\"ok\":true,\"nil\":null,\"empty\":\"\"}"),
                 16, &root));
    const caller *who = caller_of_claims(a, js_tree(a, root));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str got = forward_claim(a, who, (str){cases[i].path, strlen(cases[i].path)});
        assert_int_equal(got.n, strlen(cases[i].wanted));
        if (got.n) assert_memory_equal(got.p, cases[i].wanted, got.n);
    }
    arena_free(a);
}

static void a_claim_cannot_split_a_header(void **state)
{
    (void)state;
    arena *a = arena_new();
    js_value root;
    assert_null(
        js_check(a, S("{\"sub\":\"a\\r\\nx-admin: 1\",\"name\":\"\\u00fc\",\"nul\":\"a\\u0000b\"}"),
                 16, &root));
    const caller *who = caller_of_claims(a, js_tree(a, root));
    static const char *const paths[] = {"jwt.sub", "jwt.name", "jwt.nul"};
    for (size_t i = 0; i < 3; i++) {
        str got = forward_claim(a, who, (str){paths[i], strlen(paths[i])});
        assert_true(got.n > 0);
        for (size_t k = 0; k < got.n; k++) assert_in_range((unsigned char)got.p[k], 0x20, 0x7E);
    }
    arena_free(a);
}

static void only_a_trusted_server_says_what_may_be_repeated(void **state)
{
    (void)state;
    arena *a = arena_new();
    static const struct {
        const char *annotations;
        bool trusted, may;
    } cases[] = {
        {"{\"readOnlyHint\":true}", true, true},   {"{\"readOnlyHint\":true}", false, false},
        {"{\"idempotentHint\":true}", true, true}, {"{\"readOnlyHint\":\"true\"}", true, false},
        {"{\"readOnlyHint\":false}", true, false}, {"{}", true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        js_value root;
        upstream_spec spec = {.trusted = cases[i].trusted};
        assert_null(
            js_check(a, (str){cases[i].annotations, strlen(cases[i].annotations)}, 8, &root));
        assert_int_equal(forward_may_repeat(&spec, root), cases[i].may);
    }
    assert_false(forward_may_repeat(&(upstream_spec){.trusted = true}, (js_value){0}));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(
                                           only_a_trusted_server_says_what_may_be_repeated),
                                       cmocka_unit_test(claims_are_found_by_their_path),
                                       cmocka_unit_test(a_claim_cannot_split_a_header)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
