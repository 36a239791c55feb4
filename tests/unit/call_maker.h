/* SPDX-License-Identifier: Apache-2.0 */
/* call_maker.h - random callers and calls, such that the rules of policy_maker.h often meet them.
 */
#ifndef SP_TEST_CALL_MAKER_H
#define SP_TEST_CALL_MAKER_H
#include "policy_maker.h"

#include "../../authz/cel/json.h"

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
