/* SPDX-License-Identifier: Apache-2.0 */
/* regex.c - most patterns of real policies are "starts with": no engine is needed for those.
 *
 * $ is the end of the text alone (no newline is forgiven before it), so ^text$ is equality. */
#include "regex.h"
#include "re2_shim.h"

typedef enum { MATCH_SEARCH, MATCH_PREFIX, MATCH_SUFFIX, MATCH_WHOLE, MATCH_RE2 } how;

struct cel_regex {
    how how;
    str literal;
    re2_pattern *re;
};

/* The text a pattern of plain characters stands for; ok is false when it has operators. */
static bool plain_text(str pattern, char *out, size_t *n)
{
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c == '\\') {
            if (++i == pattern.n || !pattern.p[i] || !strchr(".-/+*?()[]{}|^$\\_@:", pattern.p[i]))
                return false;
            c = pattern.p[i];
        } else if (!c || strchr(".+*?()[]{}|^$", c)) {
            return false;
        }
        out[(*n)++] = c;
    }
    return true;
}

static bool shortcut(arena *a, str pattern, cel_regex *r)
{
    bool front = pattern.n && pattern.p[0] == '^';
    if (front) pattern = str_drop(pattern, 1);
    bool back = pattern.n && pattern.p[pattern.n - 1] == '$';
    if (back) pattern.n--; /* "\$" then ends in a lone backslash, which is no plain text */
    char *out = NEW_N(a, char, pattern.n + 1);
    size_t n = 0;
    if (!plain_text(pattern, out, &n)) return false;
    r->how = front ? back ? MATCH_WHOLE : MATCH_PREFIX : back ? MATCH_SUFFIX : MATCH_SEARCH;
    r->literal = (str){out, n};
    return true;
}

static void drop(void *re)
{
    re2_pattern_free(re);
}

const cel_regex *cel_regex_new(arena *a, str pattern, str *why)
{
    cel_regex *r = NEW(a, cel_regex);
    if (pattern.n > CEL_PATTERN_MOST) {
        *why = S("longer than 1000 bytes");
        return NULL;
    }
    if (shortcut(a, pattern, r)) return r;
    char text[160];
    r->how = MATCH_RE2;
    r->re = re2_pattern_new(pattern.p, pattern.n, text, sizeof text);
    if (!r->re) {
        *why = arena_dup(a, (str){text, strlen(text)});
        return NULL;
    }
    arena_own(a, drop, r->re);
    return r;
}

static cel_value searched(int found)
{
    return found < 0 ? (cel_value){.tag = CEL_ERROR, .code = CEL_OUT_OF_RANGE} : cel_bool(found);
}

cel_value cel_regex_match(const cel_regex *r, str text)
{
    str literal = r->literal;
    switch (r->how) {
    case MATCH_WHOLE: return cel_bool(str_eq(text, literal));
    case MATCH_PREFIX: return cel_bool(str_starts(text, literal));
    case MATCH_SUFFIX:
        return cel_bool(text.n >= literal.n &&
                        str_eq((str){text.p + (text.n - literal.n), literal.n}, literal));
    case MATCH_SEARCH:
        return cel_bool(!literal.n || (text.n && memmem(text.p, text.n, literal.p, literal.n)));
    case MATCH_RE2: break;
    }
    return searched(re2_pattern_search(r->re, text.p, text.n));
}

cel_value cel_regex_match_once(str pattern, str text)
{
    char why[8];
    if (pattern.n > CEL_PATTERN_MOST)
        return (cel_value){.tag = CEL_ERROR, .code = CEL_BAD_ARGUMENT};
    re2_pattern *re = re2_pattern_new(pattern.p, pattern.n, why, sizeof why);
    if (!re) return (cel_value){.tag = CEL_ERROR, .code = CEL_BAD_ARGUMENT};
    int found = re2_pattern_search(re, text.p, text.n);
    re2_pattern_free(re);
    return searched(found);
}
