/* SPDX-License-Identifier: Apache-2.0 */
/* policy_maker.h - random policies, for the laws that must hold for all of them.
 *
 * call_maker.h makes callers and calls. Names are few, so that rules and calls often meet. The same
 * seed makes the same. */
#ifndef SP_TEST_POLICY_MAKER_H
#define SP_TEST_POLICY_MAKER_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/policy/policy.h"

enum { RULES = 6 };

typedef struct {
    uint64_t state;
    arena *a;
    bool no_args; /* leave out whatever a list does not know */
} maker;

static inline unsigned pick(maker *m, unsigned n)
{
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return (unsigned)((m->state >> 33) % n);
}

#define ONE_OF(m, list) ((list)[pick((m), sizeof(list) / sizeof *(list))])

/* Expressions */

static inline const char *known_atom(maker *m)
{
    /* clang-format off */
    static const char *const atoms[] = {
        "true", "false", "jwt.sub == \"alice\"", "jwt.sub != \"bob\"", "\"eng\" in jwt.groups", "jwt.nobody == \"x\"",
        "has(jwt.groups)", "jwt.groups.exists(g, g.startsWith(\"e\"))", "tool.name == \"read\"",
        "tool.name in [\"read\", \"write\"]", "tool.annotations.?readOnlyHint.orValue(false)",
        "mcp.method == \"tools/call\"", "http.path == \"/mcp\"", "caller.name == \"alice\"", "size(caller.scopes) > 1",
        "now < timestamp(\"2030-01-01T00:00:00Z\")", "1 / 0 == 1", "tool.title == \"\"", "source.ip.startsWith(\"10.\")",
        "llm.stream",
    };
    /* clang-format on */
    return ONE_OF(m, atoms);
}

static inline const char *unknown_atom(maker *m)
{
    /* clang-format off */
    static const char *const atoms[] = {
        "args.n > 3", "args.n == 1", "args.n in [1, 2, 3]", "has(args.n)", "has(args.s)", "!has(args.b)", "args.b",
        "args.s == \"a\"", "args.s.startsWith(\"a\")", "args.?s.orValue(\"\") == \"a\"", "args.?n.hasValue()",
        "args.s.matches(\"^[ab]+$\")", "args.l.exists(e, e == 1)", "args.l.all(e, e > 0)", "size(args.l) < 3",
        "size(args) > 1", "args == {\"n\": 1}", "\"n\" in args", "[args.n, 1].exists(e, e == 1)", "{\"k\": args.n}.k == 1",
        "args.n == args.n", "args.n / 0 == 1", "args[\"s\"] + \"b\" == \"ab\"", "http.headers[\"x\"] == \"1\"",
        "has(http.headers.x)", "size(http) > 2", "has(http.path)", "[1, 2].filter(e, e == args.n) == [1]",
        "cel.bind(q, args.n, q == 1 || q == 2)", "type(args.n) == int", "args.s < \"b\"", "dyn(args).n == 1",
        "args.n <= 2", "args.n >= 2", "args.s.endsWith(\"b\")", "args.s.contains(\"b\")", "args.n != 1", "!(args.n in [1, 5])",
        "args.?n.orValue(1) in [1, 2]", "has(args.n) && args.n < 2", "!has(args.s) || args.s != \"a\"",
    };
    /* clang-format on */
    return ONE_OF(m, atoms);
}

static inline str expression(maker *m, unsigned depth)
{
    unsigned kind = pick(m, depth ? 10 : 4);
    if (kind == 3) return pick(m, 2) ? S("vars.v") : S("vars.w");
    if (kind < 3) {
        const char *atom = !m->no_args && kind ? unknown_atom(m) : known_atom(m);
        return (str){atom, strlen(atom)};
    }
    str a = expression(m, depth - 1), b = expression(m, depth - 1);
    if (kind < 6) return arena_fmt(m->a, "(%s && %s)", a.p, b.p);
    if (kind < 8) return arena_fmt(m->a, "(%s || %s)", a.p, b.p);
    if (kind < 9) return arena_fmt(m->a, "!(%s)", a.p);
    return arena_fmt(m->a, "(%s ? %s : %s)", a.p, b.p, expression(m, depth - 1).p);
}

/* vars are made of atoms only: they stand above the rules, and v above w */
static inline str vars_text(maker *m)
{
    const char *v = m->no_args || pick(m, 2) ? known_atom(m) : unknown_atom(m);
    const char *w = m->no_args || pick(m, 2) ? known_atom(m) : unknown_atom(m);
    return arena_fmt(m->a, "policy: v1\nvars:\n  v: '%s'\n  w: 'vars.v || %s'\nrules:\n", v, w);
}

/* Rules */

static inline str args_part(maker *m, bool forbid)
{
    /* clang-format off */
    static const char *const parts[] = {
        "args: {n: this > 3}", "args: {n: {in: [1, 2], optional: true}}",
        "args: {s: {when: 'this.startsWith(\"a\")', optional: true}}", "args: {s: 'this == \"a\"', n: 'this == 1'}",
        "args: {n: {is: 1}}", "args: {n: this == 1}, other_args: deny", "other_args: deny",
    };
    /* clang-format on */
    const char *part = parts[pick(m, forbid ? 5 : 7)];
    return arena_fmt(m->a, ", %s", part);
}

static inline str rule_text(maker *m, unsigned number)
{
    static const char *const names[] =
        {"fs/read", "fs/*", "\"*\"", "\"*/write\"", "[fs/write, gs/read]", "f?/r*"};
    static const char *const effects[] = {"permit", "permit", "permit", "forbid", "require"};
    static const char *const scopes[] = {", scopes: [a]", ", scopes: [a, b]", ", scopes: [z]", ""};
    const char *effect = ONE_OF(m, effects);
    bool forbid = effect[0] == 'f';
    str when = pick(m, 4) ? arena_fmt(m->a, ", when: '%s'", expression(m, 3).p) : S("");
    str args = !m->no_args && !pick(m, 4) ? args_part(m, forbid) : S("");
    return arena_fmt(m->a, "  - {id: r%u, %s: %s%s%s%s}\n", number, effect, ONE_OF(m, names),
                     when.p, args.p, forbid || pick(m, 3) ? "" : ONE_OF(m, scopes));
}

typedef struct {
    str head, rules[RULES];
    unsigned count;
} text;

static inline text policy_text(maker *m)
{
    text t = {.head = vars_text(m), .count = 1 + pick(m, RULES)};
    for (unsigned i = 0; i < t.count; i++) t.rules[i] = rule_text(m, i);
    return t;
}

static inline policy *load_text(maker *m, const text *t, unsigned split)
{
    problems out;
    policy *p = NULL;
    str files[2] = {t->head, t->head};
    for (unsigned i = 0; i < t->count; i++)
        files[i < split] = arena_fmt(m->a, "%s%s", files[i < split].p, t->rules[i].p);
    const policy_source sources[] = {{S("a.yaml"), files[0]}, {S("b.yaml"), files[1]}};
    problems_init(&out, m->a, S("x"));
    policy_load(m->a, sources, split ? 2 : 1, NULL, &out, &p);
    for (const problem *w = out.first; w; w = w->next)
        print_error(STR_FMT "\n%s", STR_ARG(w->text), files[0].p);
    assert_non_null(p);
    return p;
}
#endif
