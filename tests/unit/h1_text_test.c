/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* h1_text_test.c - which bytes HTTP/1.1 allows, at every place. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "../../transport/h1_text.h"
#include <string.h>

enum { LONGEST = 50 };

/* Whatever is read at once: each byte counts at each place of a value of each length. */
static void a_value_has_no_control_but_the_tab(void **s)
{
    (void)s;
    char text[LONGEST];
    for (size_t n = 0; n <= LONGEST; n++) {
        memset(text, 'a', n);
        assert_true(h1_is_value((str){text, n}));
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                text[at] = (char)c;
                bool allowed = c == '\t' || (c >= ' ' && c != 0x7f);
                assert_int_equal(h1_is_value((str){text, n}), allowed);
            }
            text[at] = 'a';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_has_no_control_but_the_tab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
