/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/seal.h"

#define NOW    S("the key of now, at least thirty-two bytes")
#define BEFORE S("the key before it, at least thirty-two bytes")

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

static sealer *sealer_of(arena *a, str first, str second)
{
    sealer *s = NULL;
    const str keys[] = {first, second, {0}};
    const err *e = sealer_new(a, keys, &s);
    assert_null(e);
    return s;
}

static void what_was_sealed_opens_again(void **state)
{
    arena *a = *state;
    const sealer *s = sealer_of(a, NOW, (str){0});
    static const str texts[] = {S(""), S("x"), S("bytes \0 of any kind \xff")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        str out, sealed = seal(s, a, SEAL_SESSION, texts[i]);
        for (size_t at = 0; at < sealed.n; at++)
            assert_true(sealed.p[at] > ' ' && sealed.p[at] < 0x7f);
        assert_true(unseal(s, a, SEAL_SESSION, sealed, &out));
        assert_true(str_eq(out, texts[i]));
    }
}

static void the_same_text_never_looks_the_same(void **state)
{
    const sealer *s = sealer_of(*state, NOW, (str){0});
    assert_false(str_eq(seal(s, *state, SEAL_STATE, S("x")), seal(s, *state, SEAL_STATE, S("x"))));
}

static void a_cursor_is_no_session(void **state)
{
    arena *a = *state;
    const sealer *s = sealer_of(a, NOW, (str){0});
    for (int from = 0; from < SEAL_PURPOSES; from++) {
        str out, sealed = seal(s, a, (seal_purpose)from, S("payload"));
        for (int to = 0; to < SEAL_PURPOSES; to++)
            assert_int_equal(unseal(s, a, (seal_purpose)to, sealed, &out), from == to);
    }
}

static void every_changed_letter_is_noticed(void **state)
{
    arena *a = *state;
    const sealer *s = sealer_of(a, NOW, (str){0});
    str out, sealed = arena_dup(a, seal(s, a, SEAL_CURSOR, S("offset 50")));
    char *p = (char *)(uintptr_t)sealed.p;
    for (size_t i = 0; i < sealed.n; i++) {
        char was = p[i];
        p[i] = was == 'A' ? 'B' : 'A';
        assert_false(unseal(s, a, SEAL_CURSOR, sealed, &out));
        p[i] = was;
    }
    for (size_t n = 0; n < sealed.n; n++)
        assert_false(unseal(s, a, SEAL_CURSOR, str_take(sealed, n), &out));
    assert_true(unseal(s, a, SEAL_CURSOR, sealed, &out));
}

static void keys_can_be_rotated(void **state)
{
    arena *a = *state;
    const sealer *old = sealer_of(a, BEFORE, (str){0}), *both = sealer_of(a, NOW, BEFORE);
    const sealer *new = sealer_of(a, NOW, (str){0});
    str out, from_old = seal(old, a, SEAL_SESSION, S("s")),
             from_both = seal(both, a, SEAL_SESSION, S("s"));
    assert_true(unseal(both, a, SEAL_SESSION, from_old, &out));
    assert_true(unseal(new, a, SEAL_SESSION, from_both, &out)); /* the first seals */
    assert_false(unseal(old, a, SEAL_SESSION, from_both, &out));
    assert_false(unseal(new, a, SEAL_SESSION, from_old, &out));
}

static void a_short_key_is_refused(void **state)
{
    sealer *s = NULL;
    const str keys[] = {NOW, S("exactly thirty-two bytes of text"), {0}};
    const str short_keys[] = {NOW, S("thirty-one bytes are too little"), {0}};
    assert_null(sealer_new(*state, keys, &s));
    const err *e = sealer_new(*state, short_keys, &s);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_MALFORMED);
}

static void without_keys_each_start_has_its_own(void **state)
{
    arena *a = *state;
    sealer *one = NULL, *two = NULL;
    assert_null(sealer_new(a, NULL, &one));
    assert_null(sealer_new(a, (const str[]){{0}}, &two));
    str out, sealed = seal(one, a, SEAL_SESSION, S("s"));
    assert_true(unseal(one, a, SEAL_SESSION, sealed, &out));
    assert_false(unseal(two, a, SEAL_SESSION, sealed, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_sealed_opens_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_text_never_looks_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cursor_is_no_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_changed_letter_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_can_be_rotated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_short_key_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_keys_each_start_has_its_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
