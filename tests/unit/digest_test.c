/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/digest.h"

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

static void a_hash_is_the_one_of_the_standard(void **state)
{
    uint8_t d[DIGEST_BYTES];
    digest_sha256(S("abc"), d); /* FIPS 180-2 B.1 */
    assert_true(str_eq(digest_hex(*state, d, sizeof d),
                       S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
    digest_sha256((str){0}, d);
    assert_true(str_eq(digest_hex(*state, d, 4), S("e3b0c442")));
}

static void texts_encode_as_the_rfc_says(void **state)
{
    static const struct {
        str plain, padded, url;
    } cases[] = {
        /* clang-format off */
        {S(""), S(""), S("")}, {S("f"), S("Zg=="), S("Zg")}, {S("fo"), S("Zm8="), S("Zm8")},
        {S("foo"), S("Zm9v"), S("Zm9v")}, {S("foobar"), S("Zm9vYmFy"), S("Zm9vYmFy")},
        {S("\xfb\xff\xfe"), S("+//+"), S("-__-")},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str back;
        assert_true(str_eq(digest_base64(*state, cases[i].plain), cases[i].padded));
        assert_true(str_eq(digest_base64url(*state, cases[i].plain), cases[i].url));
        assert_true(digest_from_base64(*state, cases[i].padded, &back));
        assert_true(str_eq(back, cases[i].plain));
        assert_true(digest_from_base64url(*state, cases[i].url, &back));
        assert_true(str_eq(back, cases[i].plain));
    }
}

static void a_second_spelling_of_the_same_bytes_is_refused(void **state)
{
    static const str url[] = {S("Zg=="),  S("Zh"),    S("Z"),    S("Zm9v\n"),
                              S(" Zm9v"), S("Zm 9v"), S("+//+"), S("Zm9*")};
    static const str padded[] = {S("Zg"),    S("Zg="),  S("Zh=="),    S("-__-"),
                                 S("Zm9v="), S("===="), S("Zg==Zg==")};
    str out;
    for (size_t i = 0; i < sizeof url / sizeof *url; i++)
        assert_false(digest_from_base64url(*state, url[i], &out));
    for (size_t i = 0; i < sizeof padded / sizeof *padded; i++)
        assert_false(digest_from_base64(*state, padded[i], &out));
}

static void what_is_decoded_is_what_was_encoded(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[80];
    str back;
    for (size_t n = 0; n <= sizeof bytes; n++) {
        str plain = {(const char *)bytes, n};
        digest_random(bytes, n);
        str coded = digest_base64url(*state, plain);
        assert_true(digest_from_base64url(*state, coded, &back) && str_eq(back, plain));
    }
    for (int c = 0; c < 256; c++) {
        str four = {(const char[]){'A', 'A', 'A', (char)c}, 4};
        bool known = c && strchr(alphabet, c);
        assert_int_equal(digest_from_base64url(*state, four, &back), known);
        if (known) assert_int_equal(back.p[2], strchr(alphabet, c) - alphabet);
    }
}

/* RFC 4231, test cases 2 (a short key) and 6 (one longer than a block). */
static void a_mac_is_the_one_of_the_standard(void **state)
{
    uint8_t out[DIGEST_BYTES];
    digest_hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), out);
    assert_true(str_eq(digest_hex(*state, out, sizeof out),
                       S("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")));
    char key[131];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (char)0xaa;
    digest_hmac_sha256((str){key, sizeof key},
                       S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_true(str_eq(digest_hex(*state, out, sizeof out),
                       S("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")));
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    digest_random(a, sizeof a);
    digest_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void equal_means_same_length_and_bytes(void **state)
{
    (void)state;
    assert_true(digest_equal(S("abc"), S("abc")));
    assert_true(digest_equal((str){0}, S("")));
    assert_false(digest_equal(S("abc"), S("abd")));
    assert_false(digest_equal(S("abc"), S("abcd")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hash_is_the_one_of_the_standard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_encode_as_the_rfc_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_spelling_of_the_same_bytes_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_decoded_is_what_was_encoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mac_is_the_one_of_the_standard, set_up, tear_down),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(equal_means_same_length_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
