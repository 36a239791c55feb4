/* SPDX-License-Identifier: Apache-2.0 */
/* policy_kit.h - a policy from a text and a question to it, for the tests of policies. */
#ifndef SP_TEST_POLICY_KIT_H
#define SP_TEST_POLICY_KIT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/policy/policy.h"

static inline int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static inline int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static inline str view(const char *s)
{
    return s ? (str){s, strlen(s)} : (str){0};
}

static inline problems load(arena *a, const char *text, policy **p)
{
    problems out;
    problems_init(&out, a, S("x"));
    const policy_source source = {S("p.yaml"), view(text)};
    policy_load(a, &source, 1, NULL, &out, p);
    return out;
}

static inline policy *must_load(arena *a, const char *text)
{
    policy *p = NULL;
    problems out = load(a, text, &p);
    for (const problem *w = out.first; w; w = w->next) print_error(STR_FMT "\n", STR_ARG(w->text));
    assert_non_null(p);
    return p;
}

static inline js_value json(arena *a, const char *text)
{
    js_value v = {0};
    if (!text) return v;
    const err *e = js_check(a, view(text), 32, &v);
    if (e) print_error("bad JSON in the test: %s\n", text);
    assert_null(e);
    return v;
}

static inline question call_of(arena *a, const char *server, const char *tool, const char *args)
{
    static const header headers[] = {{S("X-Tenant"), S("t-1")},
                                     {S("Accept"), S("a")},
                                     {S("accept"), S("b")},
                                     {{0}, {0}}};
    return (question){
        .kind = SUBJECT_TOOL,
        .server = view(server),
        .name = view(tool),
        .who =
            caller_of_claims(a, js_tree(a, json(a, "{\"iss\":\"iss\",\"sub\":\"alice\",\"groups\":["
                                                   "\"eng\"],\"scope\":\"fs:read chat\"}"))),
        .now_ms = 1800000000000,
        .title = S("A tool"),
        .annotations = json(a, "{\"readOnlyHint\":true}"),
        .args = json(a, args),
        .mcp = {S("tools/call"), S("claude"), S("1.2"), S("2026-07-28")},
        .http = {S("POST"), S("/mcp"), S("gw.example.com"), headers},
        .source_ip = S("10.0.0.7"),
    };
}

static inline verdict decide(arena *a, const policy *p, const question *q)
{
    verdict v;
    policy_decide(p, q, a, &v);
    return v;
}

static inline verdict call(arena *a, const policy *p, const char *server, const char *tool,
                           const char *args)
{
    question q = call_of(a, server, tool, args);
    return decide(a, p, &q);
}

static inline bool listed(arena *a, const policy *p, const char *server, const char *tool)
{
    question q = call_of(a, server, tool, NULL);
    q.listing = true;
    verdict v = decide(a, p, &q);
    assert_int_equal(v.permit, v.listed);
    return v.permit;
}

#define HEAD "policy: v1\nrules:\n"
#endif
