/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/policy/test.h"
#include "../../base/clock.h"
#include "policy_verb.h"
#include <stdio.h>

static void tell(void *ctx, const policy_test_result *r)
{
    (void)ctx;
    if (r->passed)
        (void)printf("ok   " STR_FMT "\n", STR_ARG(r->name));
    else
        (void)printf("FAIL " STR_FMT ": " STR_FMT ": " STR_FMT "\n", STR_ARG(r->place),
                     STR_ARG(r->name), STR_ARG(r->why));
}

int policy_verb_test(arena *a, int argc, char **argv)
{
    const command_option options[] = {{0}};
    const char **names = NEW_N(a, const char *, (size_t)argc);
    policy *rules = NULL;
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (count == 0) return command_usage("policy test", "it wants policy files");
    int wrong = policy_verb_load(a, names, count, &rules);
    if (wrong) return wrong;
    size_t failed = policy_test_run(rules, clock_wall_ms(), a, tell, NULL);
    (void)printf("%zu passed, %zu failed\n", policy_test_count(rules) - failed, failed);
    return fflush(stdout) == 0 && failed == 0 ? 0 : 1;
}
