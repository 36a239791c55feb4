/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../authz/digest.h"
#include "../../base/utf8.h"
#include "../../mcp/name.h"

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static str repeat(arena *a, char c, size_t n)
{
    char *p = arena_bytes(a, n + 1);
    memset(p, c, n);
    return (str){p, n};
}

static void a_public_name_is_the_servers_and_the_tools(void **state)
{
    arena *a = *state;
    assert_true(str_eq(name_public(a, NAMING_PREFIX, S("github"), S("create_issue")),
                       S("github__create_issue")));
    assert_true(
        str_eq(name_public(a, NAMING_NONE, S("github"), S("create_issue")), S("create_issue")));
    str_pair cut = name_split(S("github__create__issue"));
    assert_true(cut.ok && str_eq(cut.head, S("github")) && str_eq(cut.tail, S("create__issue")));
    assert_false(name_split(S("github_create")).ok);
    assert_false(name_split((str){0}).ok);
}

static void names_up_to_64_bytes_stay_whole(void **state)
{
    arena *a = *state;
    str fits = repeat(a, 't', 64 - 3), over = repeat(a, 't', 64 - 2);
    str whole = name_public(a, NAMING_PREFIX, S("s"), fits),
        cut = name_public(a, NAMING_PREFIX, S("s"), over);
    assert_int_equal(whole.n, 64);
    assert_true(str_eq(str_drop(whole, 3), fits));
    assert_false(name_is_shortened(whole));
    assert_int_equal(cut.n, 64);
    assert_true(name_is_shortened(cut));
}

static void a_long_name_ends_with_its_hash(void **state)
{
    arena *a = *state;
    str whole = arena_fmt(a, "files__%.*s", STR_ARG(repeat(a, 'x', 100)));
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(whole, sum);
    str made = name_public(a, NAMING_PREFIX, S("files"), repeat(a, 'x', 100));
    assert_true(str_eq(str_take(made, 55), str_take(whole, 55)));
    assert_int_equal(made.p[55], '_');
    assert_true(str_eq(str_drop(made, 56), digest_hex(a, sum, 4)));
    str other = name_public(a, NAMING_PREFIX, S("files"), repeat(a, 'x', 101));
    assert_false(str_eq(made, other));
}

static void cutting_never_splits_a_character(void **state)
{
    arena *a = *state;
    for (size_t lead = 0; lead < 5; lead++) {
        buf b = buf_new(a, 4096);
        buf_put(&b, repeat(a, 'x', lead));
        for (int i = 0; i < 30; i++) buf_put(&b, S("\xF0\x9F\x94\x92"));
        str made = name_public(a, NAMING_PREFIX, S("s"), buf_str(&b));
        assert_true(utf8_valid(made));
        assert_true(made.n <= 64);
        assert_true(name_is_shortened(made));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_public_name_is_the_servers_and_the_tools, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_up_to_64_bytes_stay_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_name_ends_with_its_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cutting_never_splits_a_character, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
