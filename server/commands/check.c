/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/policy/test.h"
#include "../files.h"
#include "../snapshot.h"
#include "command.h"
#include <stdio.h>

int command_check(arena *a, int argc, char **argv)
{
    const char *file = "sallyport.yaml", **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage("check", "the file is given with -c");
    str path = {file, strlen(file)}, text = {0};
    files *f = NULL;
    const err *e = files_open(a, path, &f, &text);
    if (e) return command_fail(e);
    config_world world = files_world(f);
    problems found;
    snapshot_plan plan = {0};
    problems_init(&found, a, path);
    if (!snapshot_read(&plan, &world, path, text, (config_file){0}, &found)) {
        for (const problem *p = found.first; p; p = p->next)
            (void)fprintf(stderr, STR_FMT "\n", STR_ARG(p->text));
        (void)fprintf(stderr, "%s: %zu problem%s\n", file, found.count,
                      found.count == 1 ? "" : "s");
        return 1;
    }
    for (const problem *w = plan.warnings.first; w; w = w->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(w->text));
    const config *c = plan.config;
    (void)printf("%s: fine: %zu MCP servers, %zu LLM backends, %zu policy rules, %zu policy tests "
                 "passed\n",
                 file, c->servers.count, c->backends.count, policy_rule_count(plan.rules),
                 policy_test_count(plan.rules));
    snapshot_plan_free(&plan);
    return fflush(stdout) == 0 ? 0 : 1;
}
