/* SPDX-License-Identifier: Apache-2.0 */
/* encode.c - base64.encode() and base64.decode(), the standard alphabet.
 *
 * Decoding takes the text with its padding or without; blanks, other alphabets and bits left over
 * that are not zero are errors: a value has one spelling, give or take the padding. */
#include "library.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

cel_value cel_fn_base64_encode(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str in = cel_text(args[0]);
    size_t size = (in.n + 2) / 3 * 4, n = 0;
    if (!cel_spend(s, in.n + size)) return cel_failed(CEL_COST_EXCEEDED);
    char *out = arena_bytes(s->scratch, size + 1);
    for (size_t i = 0; i < in.n; i += 3) {
        uint32_t bits = 0;
        size_t have = in.n - i < 3 ? in.n - i : 3;
        for (size_t k = 0; k < have; k++) {
            bits |= (uint32_t)(unsigned char)in.p[i + k] << (16 - 8 * k);
        }
        for (size_t k = 0; k < 4; k++) {
            out[n++] = '=';
            if (k <= have) out[n - 1] = alphabet[bits >> (18 - 6 * k) & 63];
        }
    }
    return cel_string((str){out, n});
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Without its padding, which is all there or not there. */
static bool unpad(str *in)
{
    size_t padded = in->n;
    while (in->n && padded - in->n < 2 && in->p[in->n - 1] == '=') in->n--;
    return (in->n == padded || padded % 4 == 0) && in->n % 4 != 1;
}

cel_value cel_fn_base64_decode(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str in = cel_text(args[0]);
    if (!cel_spend(s, 2 * in.n)) return cel_failed(CEL_COST_EXCEEDED);
    if (!unpad(&in)) return cel_failed(CEL_BAD_ARGUMENT);
    char *out = arena_bytes(s->scratch, in.n + 1);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < in.n; i++) {
        int d = digit(in.p[i]);
        if (d < 0) return cel_failed(CEL_BAD_ARGUMENT);
        bits = (bits << 6 | (uint32_t)d) & 0xFFFF;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[n++] = (char)(bits >> have & 0xFF);
    }
    if (bits & ((1u << have) - 1)) return cel_failed(CEL_BAD_ARGUMENT);
    cel_value v = cel_string((str){out, n});
    v.tag = CEL_BYTES;
    return v;
}
