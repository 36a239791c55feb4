/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - loading, and then the questions loading does not ask. */
#include "check.h"
#include "lint.h"

enum { EXPRESSIONS_MOST = 50000 };

static const str *tool_names(arena *a, const policy_world *w)
{
    str *names = NEW_N(a, str, w->tool_count + 1);
    for (size_t i = 0; i < w->tool_count; i++)
        names[i] = arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(w->tools[i].server),
                             STR_ARG(w->tools[i].name));
    return names;
}

void policy_check(arena *a, const policy_source *sources, size_t count, const policy_world *w,
                  problems *out, policy **p)
{
    static const policy_world nothing = {0};
    policy_draft d;
    size_t before = out->count;
    policy_draft_read(&d, a, sources, count, w ? w->zones : NULL, out);
    *p = out->count == before ? policy_of_draft(&d, sources, count) : NULL;

    problem **from = out->end;
    lint l = {.a = arena_new(),
              .w = w ? w : &nothing,
              .d = &d,
              .out = out,
              .budget = EXPRESSIONS_MOST};
    l.claims = policy_shape_of_claims(l.a, l.w);
    l.tools = NEW_N(l.a, const cel_ctype *, l.w->tool_count + 1);
    l.names = tool_names(l.a, l.w);
    for (const rule_node *r = d.rules; r; r = r->next) lint_rule(&l, r);
    lint_set(&l);
    lint_tests(&l);
    arena_free(l.a);
    for (const problem *one = *from; one; one = one->next)
        if (!policy_is_warning(one)) *p = NULL;
}

bool policy_is_warning(const problem *p)
{
    return str_starts(str_drop(p->text, p->said), S("warning "));
}
