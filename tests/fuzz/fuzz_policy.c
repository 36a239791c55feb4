/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a policy file and asks it. The input is the file, then a line `---args` and the arguments
 * of the call. Whatever loads must keep the law: what a call may do, a list shows. */
#include "../../authz/cel/json.h"
#include "../../authz/policy/test.h"
#include <stdint.h>
#include <stdlib.h>

static const question *ask_of(arena *a, subject_kind kind, js_value args)
{
    static const header headers[] = {{S("X-Tenant"), S("t")}, {S("x-tenant"), S("u")}, {{0}, {0}}};
    static const str scopes[] = {S("a"), {0}};
    js_value claims;
    if (js_check(a, S("{\"sub\":\"alice\",\"groups\":[\"eng\"]}"), 8, &claims)) abort();
    caller *who = NEW(a, caller);
    *who = (caller){.kind = CALLER_JWT,
                    .id = S("jwt:i|alice"),
                    .name = S("alice"),
                    .scopes = scopes,
                    .claims = js_tree(a, claims),
                    .jwt = cel_read_json(a, claims)};
    question *q = NEW(a, question);
    *q = (question){.kind = kind,
                    .server = S("fs"),
                    .name = S("read_file"),
                    .who = who,
                    .now_ms = 1800000000000,
                    .title = S("t"),
                    .annotations = claims,
                    .args = args,
                    .mcp = {S("tools/call"), S("c"), S("1"), S("2026-07-28")},
                    .http = {S("POST"), S("/mcp"), S("h"), headers},
                    .source_ip = S("::1")};
    q->llm.model = S("m");
    q->llm.params = args;
    return q;
}

static void ask(arena *a, const policy *p, subject_kind kind, js_value args)
{
    const question *q = ask_of(a, kind, args);
    question list = *q;
    verdict v, shown;
    list.listing = true;
    list.args = (js_value){0};
    policy_decide(p, q, a, &v);
    policy_decide(p, &list, a, &shown);
    if (v.permit && (!shown.permit || !v.listed)) abort();
    if (!v.permit && v.listed != shown.permit) abort();
    (void)policy_reads_args(p, kind, q->server, q->name);
}

static void ignore(void *ctx, const policy_test_result *result)
{
    (void)ctx;
    if (result->passed == (result->why.n > 0)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    str file = {(const char *)bytes, n}, rest = {0};
    const char *cut = n ? memmem(bytes, n, "\n---args ", 9) : NULL;
    if (cut) {
        file.n = (size_t)(cut - file.p) + 1;
        rest = (str){cut + 9, n - file.n - 8};
    }
    arena *a = arena_new();
    js_value args = {0};
    if (js_check(a, rest, 16, &args)) args = (js_value){0};
    problems out;
    policy *p = NULL;
    problems_init(&out, a, S("f"));
    const policy_source source = {S("f.yaml"), file};
    policy_load(a, &source, 1, NULL, &out, &p);
    if (!p != (out.count > 0)) abort();
    for (int kind = 0; p && kind < SUBJECTS; kind++) ask(a, p, (subject_kind)kind, args);
    if (p && policy_test_run(p, 1800000000000, a, ignore, NULL) > policy_test_count(p)) abort();
    arena_free(a);
    return 0;
}
