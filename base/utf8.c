/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c - the check of a whole text; the single steps are inline in the header. */
#include "utf8.h"

bool utf8_valid(str s)
{
    while (s.n) {
        size_t n = utf8_one(s);
        if (!n) return false;
        s = str_drop(s, n);
    }
    return true;
}
