/* SPDX-License-Identifier: Apache-2.0 */
/* selector.c - patterns made once a server, since a server may list many tools. */
#include "selector.h"
#include "../authz/cel/regex.h"
#include "../authz/policy/policy.h"

typedef struct {
    str glob;
    const cel_regex *expression; /* NULL: the glob counts */
    bool is_expression;
} row;

struct selector {
    row *rows;
    size_t count;
};

/* The pattern between its slashes; ok is false for a glob. */
static str_pair expression_of(str pattern)
{
    bool slashes = pattern.n > 2 && pattern.p[0] == '/' && pattern.p[pattern.n - 1] == '/';
    return (str_pair){.head = str_take(str_drop(pattern, 1), pattern.n - 2), .ok = slashes};
}

const selector *selector_new(arena *a, const str *patterns)
{
    size_t n = 0;
    while (patterns[n].p) n++;
    selector *s = NEW(a, selector);
    s->rows = NEW_N(a, row, n + 1);
    for (; s->count < n; s->count++) {
        str why, pattern = patterns[s->count];
        str_pair inner = expression_of(pattern);
        row *r = &s->rows[s->count];
        *r = (row){.glob = pattern, .is_expression = inner.ok};
        if (inner.ok) r->expression = cel_regex_new(a, inner.head, &why);
    }
    return s;
}

static bool takes(const row *r, str name, bool unsure)
{
    if (!r->is_expression) return policy_glob(r->glob, name);
    if (!r->expression) return unsure;
    cel_value found = cel_regex_match(r->expression, name);
    return found.tag == CEL_BOOL ? found.u.b : unsure;
}

bool selector_takes(const selector *s, str name, bool unsure)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (takes(&s->rows[i], name, unsure)) return true;
    return false;
}

bool selector_is_empty(const selector *s)
{
    return !s || !s->count;
}

str selector_problem(arena *a, str pattern)
{
    str_pair inner = expression_of(pattern);
    str why = {0};
    if (!inner.ok || cel_regex_new(a, inner.head, &why)) return (str){0};
    return why.n ? why : S("it is no regular expression");
}
