/* SPDX-License-Identifier: Apache-2.0 */
/* regex.c - most patterns of real policies are "starts with", or "starts with, and then only such
 * characters": no engine is needed for those.
 *
 * $ is the end of the text alone (no newline is forgiven before it), so ^text$ is equality. What
 * is read here as plain is held against RE2 by fuzz_regex. */
#include "regex.h"
#include "re2_shim.h"

typedef enum {
    MATCH_SEARCH,
    MATCH_PREFIX,
    MATCH_SUFFIX,
    MATCH_WHOLE,
    MATCH_CLASS, /* ^literal[class]+$ */
    MATCH_RE2
} how;

struct cel_regex {
    how how;
    str literal;
    const bool *class; /* of 256: the bytes that may follow the literal */
    bool may_end;      /* CLASS: after the literal alone, for it was written * */
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

static bool letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "a-z0-9_/.-", what stands between the brackets, when it means what it seems to: letters, digits,
 * their ranges and harmless signs; a hyphen only at an end. */
static bool plain_class(str inside, bool *class)
{
    for (size_t i = 0; i < inside.n; i++) {
        char c = inside.p[i], last = c;
        if (!c || (!letter_or_digit(c) && !strchr("_/.@:,+%=~!#-", c))) return false;
        if (c == '-' && i > 0 && i + 1 < inside.n) return false;
        if (i + 2 < inside.n && inside.p[i + 1] == '-') {
            last = inside.p[i + 2];
            if (!letter_or_digit(c) || !letter_or_digit(last) || last < c) return false;
            i += 2;
        }
        for (char b = c; b <= last; b++) class[(unsigned char)b] = true;
    }
    return inside.n > 0;
}

/* ^literal[class]+$, given without the ^ */
static bool literal_and_class(arena *a, str pattern, cel_regex *r)
{
    str_pair cut = str_cut(pattern, '[');
    bool ends = pattern.n > 3 && pattern.p[pattern.n - 1] == '$' && pattern.p[pattern.n - 3] == ']';
    if (!cut.ok || !ends || cut.tail.n < 4) return false;
    char times = pattern.p[pattern.n - 2], *literal = NEW_N(a, char, cut.head.n + 1);
    bool *class = NEW_N(a, bool, 256);
    size_t n = 0;
    if ((times != '+' && times != '*') || !plain_text(cut.head, literal, &n)) return false;
    if (!plain_class(str_take(cut.tail, cut.tail.n - 3), class)) return false;
    *r = (cel_regex){MATCH_CLASS, {literal, n}, class, times == '*', NULL};
    return true;
}

static bool shortcut(arena *a, str pattern, cel_regex *r)
{
    if (pattern.n && pattern.p[0] == '^' && literal_and_class(a, str_drop(pattern, 1), r))
        return true;
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

static bool in_class(const cel_regex *r, str text)
{
    if (!str_starts(text, r->literal)) return false;
    for (size_t i = r->literal.n; i < text.n; i++)
        if (!r->class[(unsigned char)text.p[i]]) return false;
    return text.n > r->literal.n || r->may_end;
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
    case MATCH_CLASS: return cel_bool(in_class(r, text));
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
