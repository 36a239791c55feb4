/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - functions over strings and sizes.
 *
 * Sizes count code points. */
#include "compare.h"
#include "library.h"
#include "regex.h"

static int64_t code_points(str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

cel_value cel_fn_size(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    if (args[0].tag == CEL_BYTES) return cel_int(args[0].n);
    if (args[0].tag != CEL_STRING) return cel_int((int64_t)cel_count(args[0]));
    if (!cel_spend(s, args[0].n)) return cel_failed(CEL_COST_EXCEEDED);
    return cel_int(code_points(cel_text(args[0])));
}

cel_value cel_fn_starts_with(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    if (!cel_spend(s, args[1].n)) return cel_failed(CEL_COST_EXCEEDED);
    return cel_bool(str_starts(cel_text(args[0]), cel_text(args[1])));
}

cel_value cel_fn_ends_with(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str text = cel_text(args[0]), end = cel_text(args[1]);
    if (!cel_spend(s, end.n)) return cel_failed(CEL_COST_EXCEEDED);
    return cel_bool(end.n <= text.n && str_eq((str){text.p + (text.n - end.n), end.n}, end));
}

cel_value cel_fn_contains(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str text = cel_text(args[0]), part = cel_text(args[1]);
    if (!cel_spend(s, text.n + part.n)) return cel_failed(CEL_COST_EXCEEDED);
    return cel_bool(!part.n || (text.n >= part.n && memmem(text.p, text.n, part.p, part.n)));
}

/* A constant pattern never gets here (NODE_MATCHES). Making one costs more than matching it. */
cel_value cel_fn_matches(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    enum { COMPILE = 3200 };
    size_t pattern = (size_t)args[1].n * 64;
    if (!cel_spend(s, args[0].n + pattern + COMPILE)) return cel_failed(CEL_COST_EXCEEDED);
    return cel_regex_match_once(cel_text(args[1]), cel_text(args[0]));
}
