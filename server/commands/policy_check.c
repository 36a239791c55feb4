/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_verb.h"
#include <stdio.h>

int policy_verb_check(arena *a, int argc, char **argv)
{
    const command_option options[] = {{0}};
    const char **names = NEW_N(a, const char *, (size_t)argc);
    policy *rules = NULL;
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (count == 0) return command_usage("policy check", "it wants policy files");
    int wrong = policy_verb_load(a, names, count, &rules);
    if (wrong) return wrong;
    return command_print(arena_fmt(a, "fine: %zu rules in %d file%s\n", policy_rule_count(rules),
                                   count, count == 1 ? "" : "s"));
}
