/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - loading, and then the questions loading does not ask. */
#include "check.h"
#include "../../base/map.h"
#include "lint.h"

enum { EXPRESSIONS_MOST = 50000 };

static void name_tools(lint *l)
{
    str *names = NEW_N(l->a, str, l->w->tool_count + 1);
    l->names = names;
    l->by_name = map_new(l->a);
    for (size_t i = 0; i < l->w->tool_count; i++) {
        names[i] = arena_fmt(l->a, STR_FMT "/" STR_FMT, STR_ARG(l->w->tools[i].server),
                             STR_ARG(l->w->tools[i].name));
        map_put(l->by_name, names[i], &names[i]);
    }
}

size_t lint_tools_named(const lint *l, str pattern, size_t *list, size_t count, size_t most)
{
    const str *exact = map_get(l->by_name, pattern);
    bool glob = memchr(pattern.p, '*', pattern.n) || memchr(pattern.p, '?', pattern.n);
    if (exact && count < most) list[count++] = (size_t)(exact - l->names);
    for (size_t i = 0; glob && i < l->w->tool_count && count < most; i++)
        if (&l->names[i] != exact && policy_glob(pattern, l->names[i])) list[count++] = i;
    return count;
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
    name_tools(&l);
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
