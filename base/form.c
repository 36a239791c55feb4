/* SPDX-License-Identifier: Apache-2.0 */
#include "form.h"

void form_put_text(buf *b, str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i], coded[3] = {'%', hex[(unsigned char)c >> 4], hex[c & 15]};
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        buf_put(b, plain ? (str){&c, 1} : (str){coded, 3});
    }
}

void form_put(buf *b, str name, str value)
{
    if (!value.n) return;
    if (b->n) buf_put(b, S("&"));
    buf_put(b, name);
    buf_put(b, S("="));
    form_put_text(b, value);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* {0}: a % without its two digits. */
static str decode(arena *a, str coded, char plus)
{
    char *p = NEW_N(a, char, coded.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < coded.n; i++) {
        p[n] = coded.p[i];
        if (p[n] == '+') p[n] = plus;
        if (coded.p[i] == '%') {
            int high = coded.n - i > 2 ? digit(coded.p[i + 1]) : -1;
            int low = coded.n - i > 2 ? digit(coded.p[i + 2]) : -1;
            if (high < 0 || low < 0) return (str){0};
            p[n] = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        n++;
    }
    return (str){p, n};
}

str form_decode(arena *a, str coded)
{
    return decode(a, coded, ' ');
}

str form_decode_path(arena *a, str coded)
{
    return decode(a, coded, '+');
}

str form_get(arena *a, str form, str name)
{
    str found = {0};
    bool seen = false;
    while (form.n) {
        str_pair one = str_cut(form, '&'), pair = str_cut(one.head, '=');
        form = one.tail;
        if (!str_eq(pair.head, name)) continue;
        if (seen) return (str){0};
        seen = true;
        found = form_decode(a, pair.tail);
    }
    return found;
}
