/* SPDX-License-Identifier: Apache-2.0 */
#include "header.h"

const header *headers_copy(arena *a, const header *list)
{
    size_t n = 0;
    while (list && list[n].name.p) n++;
    header *out = NEW_N(a, header, n + 1);
    for (size_t i = 0; i < n; i++)
        out[i] = (header){arena_dup(a, list[i].name), arena_dup(a, list[i].value)};
    return out;
}
