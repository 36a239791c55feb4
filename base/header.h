/* SPDX-License-Identifier: Apache-2.0 */
/* header.h - one header field, and finding one in a list.
 *
 * Lists end with {0}. Names compare without regard to ASCII case (RFC 9110 5.1); values are bytes.
 */
#ifndef SP_HEADER_H
#define SP_HEADER_H
#include "arena.h"

typedef struct {
    str name, value;
} header;

static inline bool header_name_is(str name, str want)
{
    if (name.n != want.n) return false;
    for (size_t i = 0; i < name.n; i++) {
        char a = name.p[i], b = want.p[i];
        if (a >= 'A' && a <= 'Z') a = (char)(a + 32);
        if (b >= 'A' && b <= 'Z') b = (char)(b + 32);
        if (a != b) return false;
    }
    return true;
}

/* The first value of that name; p is NULL when there is none. */
static inline str header_get(const header *list, str name)
{
    for (; list && list->name.p; list++)
        if (header_name_is(list->name, name)) return list->value;
    return (str){0};
}

/* A copy, names and values too, of what may outlive its request. */
const header *headers_copy(arena *a, const header *list);
#endif
