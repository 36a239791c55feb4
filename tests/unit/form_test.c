/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../base/form.h"
#include "own_arena.h"

static void is(str got, const char *wanted)
{
    assert_int_equal(got.n, strlen(wanted));
    assert_memory_equal(got.p, wanted, got.n);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const str odd = S("a b&c=d%e+f\xff~");
    buf b = buf_new(a, 1024);
    form_put(&b, S("none"), S(""));
    form_put(&b, S("x"), S("1"));
    form_put(&b, S("odd"), odd);
    is(buf_str(&b), "x=1&odd=a%20b%26c%3Dd%25e%2Bf%FF~");
    assert_true(str_eq(form_get(a, buf_str(&b), S("odd")), odd));
    is(form_get(a, buf_str(&b), S("x")), "1");
    assert_null(form_get(a, buf_str(&b), S("none")).p);
}

static void plus_is_a_space_and_empty_is_not_absent(void **state)
{
    (void)state;
    is(form_get(a, S("q=a+b"), S("q")), "a b");
    is(form_decode_path(a, S("a+b%2Fc%20d")), "a+b/c d");
    assert_null(form_decode_path(a, S("a%2")).p);
    assert_non_null(form_get(a, S("q="), S("q")).p);
    assert_non_null(form_get(a, S("&&q"), S("q")).p);
    assert_null(form_get(a, S("qq=1"), S("q")).p);
}

static void what_is_there_twice_or_badly_coded_is_not_there(void **state)
{
    (void)state;
    assert_null(form_get(a, S("q=1&q=1"), S("q")).p);
    assert_null(form_get(a, S("q=%4"), S("q")).p);
    assert_null(form_get(a, S("q=%zz"), S("q")).p);
    assert_null(form_get(a, S("q=%"), S("q")).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(what_is_written_is_read_again),
                                       ARENA_TEST(plus_is_a_space_and_empty_is_not_absent),
                                       ARENA_TEST(what_is_there_twice_or_badly_coded_is_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
