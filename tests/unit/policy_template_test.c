/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* policy_template_test.c - a template and the URIs it makes are judged by one set of rules. */
#include "policy_kit.h"

static bool asked(arena *a, const policy *p, const char *uri, bool is_template)
{
    question q = {.kind = SUBJECT_RESOURCE,
                  .server = S("fs"),
                  .name = view(uri),
                  .listing = is_template,
                  .is_template = is_template,
                  .mcp = {.method = S("resources/read")}};
    verdict v;
    policy_decide(p, &q, a, &v);
    return v.permit;
}

#define RULES "policy: v1\nrules:\n"

static void a_template_is_listed_unless_none_of_its_uris_may_be_read(void **state)
{
    static const struct {
        const char *rules, *template;
        bool listed;
    } cases[] = {
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n", "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/b://*\"]}}\n", "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"other/a://*\"]}}\n", "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"fs/a://7\"]}}\n", "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: f, forbid: {resources: [\"fs/a://*\"]}}\n",
         "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: f, forbid: {resources: [\"fs/a://secret/*\"]}}\n",
         "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: f, forbid: {resources: [\"fs/a://secret/*\", \"fs/a://*\"]}}\n",
         "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: f, forbid: {resources: [\"fs/a://*\"]}, when: resource.uri.endsWith(\"x\")}\n",
         "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}, when: resource.uri == \"a://7\"}\n",
         "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}, when: \"false\"}\n", "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: r, require: {resources: [\"fs/a://secret/*\"]}, when: \"false\"}\n",
         "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: r, require: {resources: [\"fs/a://*\"]}, when: \"false\"}\n",
         "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: r, require: {resources: [\"fs/a://secret/*\"]}, scopes: [s]}\n",
         "a://{x}", true},
        {"  - {id: p, permit: {resources: [\"fs/*\"]}}\n"
         "  - {id: r, require: {resources: [\"fs/*\"]}, scopes: [s]}\n",
         "a://{x}", false},
        {"  - {id: p, permit: {resources: [\"*\"]}, when: resource.server == \"fs\"}\n", "a://{x}",
         true},
    };
    arena *a = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const policy *p = must_load(a, arena_fmt(a, RULES "%s", cases[i].rules).p);
        if (asked(a, p, cases[i].template, true) != cases[i].listed)
            fail_msg("%s%s", cases[i].rules, cases[i].template);
    }
}

/* The law: a permitted read of what a template makes means that the template is listed. */
static void a_readable_uri_means_a_listed_template(void **state)
{
    static const char *const globs[] = {"fs/*",       "*",       "fs/a://*",   "fs/a://x/*",
                                        "fs/a://x/7", "fs/*7",   "f?/?://x/*", "*/a://*/7",
                                        "f*/a://x/?", "fs/b://*"};
    static const char *const whens[] = {"true", "false", "resource.uri.endsWith(\\\"7\\\")"};
    static const char *const templates[] = {"a://{t}", "a://x/{t}", "a://{s}/{t}", "{+t}"};
    static const char *const uris[][3] = {{"a://x/7", "a://8", "a://"},
                                          {"a://x/7", "a://x/", "a://x/x/8"},
                                          {"a://x/7", "a:///", "a://y/8"},
                                          {"a://x/7", "b://y", ""}};
    enum { GLOBS = sizeof globs / sizeof *globs, WHENS = 3, TEMPLATES = 4 };
    arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < (size_t)GLOBS * GLOBS * WHENS * WHENS; i++) {
        arena_reset(a);
        const policy *p =
            must_load(a,
                      arena_fmt(a,
                                RULES "  - {id: p, permit: {resources: [\"%s\"]}, when: \"%s\"}\n"
                                      "  - {id: f, %s: {resources: [\"%s\"]}, when: \"%s\"}\n",
                                globs[i % GLOBS], whens[i / GLOBS / GLOBS % WHENS],
                                i % 2 ? "forbid" : "require", globs[i / GLOBS % GLOBS],
                                whens[i / GLOBS / GLOBS / WHENS])
                          .p);
        for (size_t t = 0; t < TEMPLATES; t++) {
            bool listed = asked(a, p, templates[t], true);
            for (size_t u = 0; u < 3; u++)
                if (asked(a, p, uris[t][u], false) && !listed)
                    fail_msg("%zu: %s %s", i, templates[t], uris[t][u]);
        }
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_template_is_listed_unless_none_of_its_uris_may_be_read,
                                        set_up, tear_down),
        cmocka_unit_test(a_readable_uri_means_a_listed_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
