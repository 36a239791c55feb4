/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../llm/body.h"
#include "../../llm/refuse.h"
#include "../../llm/schema.h"

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

static str text(const char *p)
{
    return (str){p, strlen(p)};
}

static str joined(arena *a, const str parts[3])
{
    buf b = buf_new(a, 4096);
    for (int i = 0; i < 3; i++) buf_put(&b, parts[i]);
    return buf_str(&b);
}

static void only_the_models_value_changes(void **s)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"{\"model\":\"a\",\"n\":1.10}", "{\"model\":\"new \\\"m\\\"\",\"n\":1.10}"},
        {" { \"x\" : [ 1e5 ] , \"model\" : \"a\" } ",
         "{ \"x\" : [ 1e5 ] , \"model\" : \"new \\\"m\\\"\" }"},
        {"{\"a\":{\"model\":\"inner\"},\"model\":\"\\u0061\"}",
         "{\"a\":{\"model\":\"inner\"},\"model\":\"new \\\"m\\\"\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        llm_body b;
        str parts[3];
        assert_null(body_read(*s, text(cases[i].in), 16, &b));
        body_splice(*s, &b, S("new \"m\""), parts);
        str got = joined(*s, parts);
        assert_int_equal(got.n, strlen(cases[i].out));
        assert_memory_equal(got.p, cases[i].out, got.n);
    }
}

static void the_same_model_leaves_every_byte(void **s)
{
    llm_body b;
    str parts[3], in = S("{\"model\":\"a\",\"stream\":true}");
    assert_null(body_read(*s, in, 16, &b));
    assert_true(b.stream);
    body_splice(*s, &b, S("a"), parts);
    assert_true(str_eq(joined(*s, parts), in));
    body_splice(*s, &b, (str){0}, parts);
    assert_true(str_eq(joined(*s, parts), in));
}

static void what_two_readers_could_read_differently_is_refused(void **s)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"model\":null}",
        "{\"model\":7}",
        "{\"model\":\"a\",\"model\":\"b\"}",
        "{\"model\":\"a\",\"\\u006dodel\":\"b\"}",
        "{\"\\u006dodel\":\"b\"}",
        "{\"model\":\"a\",\"stream\":\"yes\"}",
        "{\"model\":\"a\"} x",
        "{\"model\":\"a\",\"x\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        llm_body b;
        const err *e = body_read(*s, text(bad[i]), 16, &b);
        if (!e) fail_msg("accepted: %s", bad[i]);
        assert_true(e->kind == ERR_MALFORMED || e->kind == ERR_TOO_LARGE);
    }
}

static void a_body_with_another_spelling_of_a_deciding_member_does_not_pass(void **s)
{
    static const char *const bad[] = {
        "{\"model\":\"a\",\"Model\":\"b\"}",
        "{\"MODEL\":\"b\",\"model\":\"a\"}",
        "{\"model\":\"a\",\"MAX_TOKENS\":1}",
        "{\"model\":\"a\",\"Stream\":true}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        llm_body b;
        assert_null(body_read(*s, text(bad[i]), 16, &b));
        assert_non_null(b.misspelt);
        assert_int_equal(b.misspelt->kind, ERR_MALFORMED);
        assert_true(str_eq(b.model, S("a")) && !b.stream);
    }
}

static void a_refusal_is_json_whatever_its_message_holds(void **s)
{
    char raw[256];
    for (int i = 0; i < 256; i++) raw[i] = (char)i;
    llm_refusal r = refusal_of(&(err){ERR_MALFORMED, {raw, sizeof raw}});
    js_value root;
    assert_null(js_check(*s, refusal_body(*s, &openai_chat, &r), 8, &root));
    assert_true(js_text_is(js_at(root, "error.type"), S("invalid_request_error")));
}

static void failures_inside_do_not_show_their_text(void **s)
{
    for (err_kind k = 0; k < ERR_KINDS; k++) {
        if (k == ERR_MALFORMED || k == ERR_TOO_LARGE) continue;
        llm_refusal r = refusal_of(&(err){k, S("10.1.2.3 said key sk-secret")});
        str body = refusal_body(*s, &openai_chat, &r);
        assert_null(memmem(body.p, body.n, "sk-secret", 9));
        assert_true(r.said.status >= 400 && r.said.status < 600);
    }
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(only_the_models_value_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_model_leaves_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(what_two_readers_could_read_differently_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_body_with_another_spelling_of_a_deciding_member_does_not_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_json_whatever_its_message_holds, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(failures_inside_do_not_show_their_text, setup, teardown),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
