/* SPDX-License-Identifier: Apache-2.0 */
#include "scope.h"
#include "../base/buf.h"

static str next_word(str *rest)
{
    while (rest->n) {
        str_pair cut = str_cut(*rest, ' ');
        *rest = cut.tail;
        if (cut.head.n) return cut.head;
    }
    return (str){0};
}

static bool has(str list, str word)
{
    for (str one = next_word(&list); one.n; one = next_word(&list))
        if (str_eq(one, word)) return true;
    return false;
}

/* RFC 6749 3.3: visible, but for " and \. */
static bool is_word(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7E || s.p[i] == '"' || s.p[i] == '\\') return false;
    return true;
}

bool scope_covers(str have, str wanted)
{
    for (str one = next_word(&wanted); one.n; one = next_word(&wanted))
        if (!has(have, one)) return false;
    return true;
}

static void put_new(buf *b, str words)
{
    for (str one = next_word(&words); one.n; one = next_word(&words)) {
        if (!is_word(one) || has(buf_str(b), one) || b->n + one.n >= SCOPE_MOST) continue;
        if (b->n) buf_put(b, S(" "));
        buf_put(b, one);
    }
}

str scope_union(arena *a, str first, str more)
{
    buf b = buf_new(a, SCOPE_MOST);
    put_new(&b, first);
    put_new(&b, more);
    return buf_str(&b);
}
