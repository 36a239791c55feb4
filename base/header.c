/* SPDX-License-Identifier: Apache-2.0 */
#include "header.h"

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
    return c;
}

/* In one place: unrolled wherever a name is looked for it crowds the instruction cache. */
__attribute__((noinline)) bool header_same_letters(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

const header *headers_copy(arena *a, const header *list)
{
    size_t n = 0;
    while (list && list[n].name.p) n++;
    header *out = NEW_N(a, header, n + 1);
    for (size_t i = 0; i < n; i++)
        out[i] = (header){arena_dup(a, list[i].name), arena_dup(a, list[i].value)};
    return out;
}
