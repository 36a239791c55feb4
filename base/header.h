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

bool header_same_letters(const char *a, const char *b, size_t n);
static inline bool header_name_is(str name, str want)
{
    return name.n == want.n && header_same_letters(name.p, want.p, name.n);
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
