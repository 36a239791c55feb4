/* SPDX-License-Identifier: Apache-2.0 */
/* policy_import.c - other gateways' rules to stdout, what could not be kept to stderr. */
#include "../../authz/policy/import.h"
#include "../files.h"
#include "policy_verb.h"
#include <stdio.h>

int policy_verb_import(arena *a, int argc, char **argv)
{
    const char *from = NULL, **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--from", .value = &from}, {0}};
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    bool envoy = from && strcmp(from, "envoy") == 0;
    if (!envoy && !(from && strcmp(from, "agentgateway") == 0))
        return command_usage("policy import", "it wants --from envoy or --from agentgateway");
    if (count == 0) return command_usage("policy import", "it wants files");
    files *f = files_new(a, files_directory_of(a, S("./")));
    policy_source *sources = NEW_N(a, policy_source, (size_t)count);
    for (int i = 0; i < count; i++) {
        sources[i].name = (str){names[i], strlen(names[i])};
        const err *e = files_read(f, a, sources[i].name, &sources[i].text);
        if (e) return command_fail(e);
    }
    problems notes;
    str out;
    problems_init(&notes, a, sources[0].name);
    const err *e = policy_import(a, envoy ? IMPORT_ENVOY : IMPORT_AGENTGATEWAY, sources,
                                 (size_t)count, &notes, &out);
    for (const problem *p = notes.first; p; p = p->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(p->text));
    return e ? command_fail(e) : command_print(out);
}
