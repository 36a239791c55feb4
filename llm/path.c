/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

str path_segment(arena *a, str name)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_bytes(a, name.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (is_unreserved(name.p[i])) {
            out[n++] = name.p[i];
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return (str){out, n};
}
