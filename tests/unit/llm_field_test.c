/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../llm/chat.h"
#include "../../llm/reply.h"

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

static js_value value(arena *a, const char *json)
{
    js_value v;
    assert_null(js_check(a, (str){json, strlen(json)}, 16, &v));
    return v;
}

static void is(str got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

/* clang-format off */
static const name_row efforts[] = {{"low", EFFORT_LOW}, {"high", EFFORT_HIGH}, {0}};
static const field_row rows[] = {
    {"temperature",     FIELD_NUM,  offsetof(llm_chat, temperature), NULL,    false},
    {"max_tokens",      FIELD_INT,  offsetof(llm_chat, max_tokens),  NULL,    true},
    {"config.most",     FIELD_INT,  offsetof(llm_chat, max_tokens),  NULL,    false},
    {"config.effort",   FIELD_NAME, offsetof(llm_chat, effort),      efforts, false},
    {"stream",          FIELD_BOOL, offsetof(llm_chat, stream),      NULL,    false},
    {"user",            FIELD_STR,  offsetof(llm_chat, user),        NULL,    false},
    {"metadata",        FIELD_JSON, offsetof(llm_chat, metadata),    NULL,    false},
    {0},
};
static const field_row other[] = {{"temp", FIELD_NUM, offsetof(llm_chat, temperature), NULL, false}, {0}};
/* clang-format on */

static void what_a_row_reads_it_writes(void **s)
{
    arena *a = *s;
    llm_reader *rd = reader_new(a);
    llm_chat c = {0};
    const char *in = "{\"temperature\":0.10,\"config\":{\"most\":7,\"effort\":\"high\"},\"stream\":"
                     "false,\"user\":\"\",\"metadata\":{\"n\":18446744073709551616}}";
    assert_null(fields_read(obj_open(rd, value(a, in), ""), rows, &c));
    jnode *out = jn_object(a);
    llm_loss *l = loss_new(a);
    fields_write(rows, &c, out, l);
    is(jn_dump(a, out), in);
    assert_null(loss_list(a, rd, l).p);
}

static void an_alias_is_read_and_never_written(void **s)
{
    arena *a = *s;
    llm_chat c = {0};
    assert_null(
        fields_read(obj_open(reader_new(a), value(a, "{\"max_tokens\":5.0}"), ""), rows, &c));
    jnode *out = jn_object(a);
    fields_write(rows, &c, out, NULL);
    is(jn_dump(a, out), "{\"config\":{\"most\":5}}");
}

static void a_wrong_type_is_named_to_a_client_and_absent_from_a_provider(void **s)
{
    static const char *const bad[] = {"{\"temperature\":\"1\"}",
                                      "{\"config\":{\"effort\":\"much\"}}", "{\"stream\":1}",
                                      "{\"max_tokens\":1.5}"};
    arena *a = *s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        llm_chat c = {0};
        const err *e = fields_read(obj_open(reader_new(a), value(a, bad[i]), ""), rows, &c);
        assert_non_null(e);
        assert_int_equal(e->kind, ERR_MALFORMED);
        fields_take(obj_open(reader_new(a), value(a, bad[i]), ""), rows, &c);
    }
}

static void losses_are_what_was_not_taken_and_what_was_not_said(void **s)
{
    arena *a = *s;
    llm_reader *rd = reader_new(a);
    llm_chat c = {0};
    obj *o =
        obj_open(rd, value(a, "{\"temperature\":1,\"user\":\"u\",\"new,\\n\":1,\"gone\":null}"),
                 "");
    assert_null(fields_read(o, rows, &c));
    llm_loss *l = loss_new(a);
    jnode *out = jn_object(a);
    fields_write(other, &c, out, l);
    is(jn_dump(a, out), "{\"temp\":1}");
    is(loss_list(a, rd, l), "user,new__");
    loss_add(l, "tool_choice.allowed");
    is(loss_list(a, rd, l), "user,new__,tool_choice.allowed");
}

static void many_things_can_be_said(void **s)
{
    static char things[1000];
    arena *a = *s;
    llm_reader *rd = reader_new(a);
    llm_loss *l = loss_new(a);
    for (size_t i = 0; i < sizeof things; i++) reader_spot(rd, &things[i], "x");
    for (size_t i = 1; i < sizeof things; i++) loss_said(l, &things[i]);
    is(loss_list(a, rd, l), "x");
    loss_said(l, &things[0]);
    assert_null(loss_list(a, rd, l).p);
}

static void a_made_object_keeps_its_order_and_replaces(void **s)
{
    arena *a = *s;
    jnode *j = jn_object(a);
    jn_set(jn_open(j, S("a.b")), "c", jn_int(a, 1));
    jn_set_text(j, "t", S("q\"\n"));
    jn_set_text(j, "none", (str){0});
    jn_set(jn_open(j, S("a.b")), "c", jn_num(a, 0.1));
    jnode *list = jn_array(a);
    jn_add(list, jn_null(a));
    jn_add(list, NULL);
    jn_add(list, jn_raw(a, S("[1e400]")));
    jn_set(j, "t", list);
    jn_set(j, "z", jn_bool(a, true));
    is(jn_dump(a, j), "{\"a\":{\"b\":{\"c\":0.1}},\"t\":[null,[1e400]],\"z\":true}");
    assert_int_equal(jn_count(j), 3);
}

static void usage_joins_what_it_disjoined(void **s)
{
    (void)s;
    const unsigned all = COUNTS_CACHE_IN_INPUT | COUNTS_REASONING_IN_OUTPUT | COUNTS_1H_IN_WRITE;
    llm_usage u = {.input = {true, 100},
                   .cache_read = {true, 30},
                   .cache_write = {true, 20},
                   .cache_write_1h = {true, 5},
                   .output = {true, 50},
                   .reasoning = {true, 10}};
    usage_disjoin(&u, all);
    assert_int_equal(u.input.v, 50);
    assert_int_equal(u.cache_write.v, 15);
    assert_int_equal(u.output.v, 40);
    assert_int_equal(usage_prompt(&u), 100);
    assert_int_equal(usage_completion(&u), 50);
    usage_join(&u, all);
    assert_int_equal(u.input.v, 100);
    assert_int_equal(u.cache_write.v, 20);
    assert_int_equal(u.output.v, 50);
}

static void a_count_that_cannot_be_is_not_known(void **s)
{
    (void)s;
    llm_usage u = {.input = {true, -1}, .output = {true, INT64_MAX}};
    usage_disjoin(&u, 0);
    assert_false(usage_known(&u));
    u = (llm_usage){.input = {true, 3}, .cache_read = {true, 9}};
    usage_disjoin(&u, COUNTS_CACHE_IN_INPUT);
    assert_int_equal(u.input.v, 3);
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(what_a_row_reads_it_writes),
        cmocka_unit_test(an_alias_is_read_and_never_written),
        cmocka_unit_test(a_wrong_type_is_named_to_a_client_and_absent_from_a_provider),
        cmocka_unit_test(losses_are_what_was_not_taken_and_what_was_not_said),
        cmocka_unit_test(many_things_can_be_said),
        cmocka_unit_test(a_made_object_keeps_its_order_and_replaces),
        cmocka_unit_test(usage_joins_what_it_disjoined),
        cmocka_unit_test(a_count_that_cannot_be_is_not_known),
    };
    return cmocka_run_group_tests(t, setup, teardown);
}
