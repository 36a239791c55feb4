/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_regex.c - what matches() does without RE2 is what RE2 would have done.
 *
 * Input: a pattern, a byte 0xFF, a text. The bytes of the pattern below 32 are spelled as pieces of
 * patterns, so that shapes with a shortcut come up by themselves. Text is valid UTF-8, as every
 * string of a request is; NUL may be in it. */
#include "../../authz/cel/re2_shim.h"
#include "../../authz/cel/regex.h"
#include "../../base/buf.h"
#include "../../base/utf8.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pieces[32] = {"^",       "$",   "[a-z]+$", "[a-z0-9_/.-]+$",
                                       "[A-Z]*$", "\\.", "/srv/",   "a",
                                       ".*",      "[",   "]",       "[^a]+",
                                       "-",       "[a-", "z]+$",    "[-a]+$",
                                       "\\",      "+$",  "*$",      "(",
                                       ")",       "|",   "\\d",     "[:",
                                       ":]",      "{2}", "?",       "é",
                                       "\n",      "\\n", "[]a]+$"};

static str spelled(arena *a, const uint8_t *data, size_t size)
{
    buf out = buf_new(a, 1 << 16);
    for (size_t i = 0; i < size; i++) {
        const char *piece = data[i] < 32 ? pieces[data[i]] : NULL;
        if (piece)
            (void)buf_put(&out, (str){piece, strlen(piece)});
        else
            (void)buf_put(&out, (str){(const char *)&data[i], 1});
    }
    return buf_str(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? memchr(data, 0xFF, size) : NULL;
    if (!cut) return 0;
    arena *a = arena_new();
    str pattern = spelled(a, data, (size_t)(cut - data)), why;
    str text = {(const char *)cut + 1, size - (size_t)(cut - data) - 1};
    const cel_regex *ours = cel_regex_new(a, pattern, &why);
    if (pattern.n <= CEL_PATTERN_MOST && utf8_valid(pattern) && utf8_valid(text)) {
        char bad[160];
        re2_pattern *plain = re2_pattern_new(pattern.p, pattern.n, bad, sizeof bad);
        if (!ours != !plain) abort();
        cel_value v = ours ? cel_regex_match(ours, text) : (cel_value){0};
        if (ours && v.u.b != (re2_pattern_search(plain, text.p, text.n) == 1)) abort();
        re2_pattern_free(plain);
    }
    arena_free(a);
    return 0;
}
