/* SPDX-License-Identifier: Apache-2.0 */
/* policy_maker.h - random policies, callers and calls, for the laws that must hold for all of them.
 *
 * Names are few, so that rules and calls often meet. The same seed makes the same. */
#ifndef SP_TEST_POLICY_MAKER_H
#define SP_TEST_POLICY_MAKER_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/cel/json.h"
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

/* Questions */

static inline js_value arguments(maker *m)
{
    static const char *const ns[] = {"\"n\":1",     "\"n\":2",    "\"n\":5",
                                     "\"n\":\"1\"", "\"n\":null", "\"n\":1.5"};
    static const char *const ss[] = {"\"s\":\"a\"", "\"s\":\"ab\"", "\"s\":\"c\"", "\"s\":7",
                                     "\"s\":[]"};
    static const char *const bs[] = {"\"b\":true", "\"b\":false", "\"b\":\"no\""};
    static const char *const ls[] = {"\"l\":[]", "\"l\":[1]", "\"l\":[0,1,2,3]", "\"l\":[\"x\"]",
                                     "\"l\":{}"};
    const char *members[4] = {pick(m, 3) ? ONE_OF(m, ns) : NULL, pick(m, 3) ? ONE_OF(m, ss) : NULL,
                              pick(m, 2) ? ONE_OF(m, bs) : NULL, pick(m, 2) ? ONE_OF(m, ls) : NULL};
    buf b = buf_new(m->a, 1000);
    (void)buf_put(&b, S("{"));
    for (int i = 0; i < 4; i++)
        if (members[i]) (void)buf_fmt(&b, "%s%s", b.n > 1 ? "," : "", members[i]);
    (void)buf_put(&b, S("}"));
    js_value v = {0};
    const err *e = js_check(m->a, buf_str(&b), 8, &v);
    assert_null(e);
    return pick(m, 20) ? v : (js_value){0};
}

static inline const caller *someone(maker *m)
{
    static const char *const claims[] = {"{\"sub\":\"alice\",\"groups\":[\"eng\",\"ops\"]}",
                                         "{\"sub\":\"bob\",\"groups\":[]}", "{}"};
    static const str scopes[] = {S("a"), S("b"), {0}};
    const char *claim = ONE_OF(m, claims);
    js_value v;
    const err *e = js_check(m->a, (str){claim, strlen(claim)}, 8, &v);
    assert_null(e);
    caller *c = NEW(m->a, caller);
    *c = (caller){.kind = CALLER_JWT,
                  .id = S("jwt:i|x"),
                  .name = pick(m, 2) ? S("alice") : S("bob"),
                  .scopes = scopes + pick(m, 3),
                  .claims = js_tree(m->a, v),
                  .jwt = cel_read_json(m->a, v)};
    return c;
}

static inline question anything(maker *m)
{
    static const header with[] = {{S("X"), S("1")}, {{0}, {0}}}, without[] = {{{0}, {0}}};
    static const str servers[] = {S("fs"), S("gs")}, names[] = {S("read"), S("write"), S("rm")};
    js_value hint = {0};
    const err *e = js_check(m->a, S("{\"readOnlyHint\":true}"), 4, &hint);
    assert_null(e);
    return (question){
        .kind = SUBJECT_TOOL,
        .server = ONE_OF(m, servers),
        .name = ONE_OF(m, names),
        .who = someone(m),
        .now_ms = 1800000000000,
        .annotations = pick(m, 2) ? hint : (js_value){0},
        .args = arguments(m),
        .mcp = {.method = S("tools/call")},
        .http = {S("POST"), S("/mcp"), S("h"), pick(m, 2) ? with : without},
        .source_ip = S("10.0.0.1"),
    };
}
#endif
