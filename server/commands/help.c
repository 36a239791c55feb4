/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - help, version, and the shim that starts stdio servers. */
#include "../../authz/cel/docs.h"
#include "../../authz/policy/check.h"
#include "../../transport/child.h"
#include "../config_table.h"
#include "policy_verb.h"
#include <signal.h>
#include <stdio.h>

int command_version(arena *a, int argc, char **argv)
{
    (void)a;
    (void)argv;
    if (argc > 1) return command_usage("version", "it takes no argument");
    return command_print(S("sallyport " SALLYPORT_VERSION "\n"));
}

static int overview(void)
{
    (void)printf(
        "usage: sallyport COMMAND …\n\nA gateway between AI agents and what they call: MCP "
        "servers and language models.\n\n");
    for (const command *c = commands; c->name; c++)
        if (c->brief) (void)printf("  %-8s %s\n", c->name, c->brief);
    (void)printf("\n`sallyport COMMAND --help` explains one; `sallyport help config` is the "
                 "configuration reference;\n"
                 "`sallyport demo` is the place to begin.\n");
    return fflush(stdout) == 0 ? 0 : 1;
}

int command_help(arena *a, int argc, char **argv)
{
    if (argc < 2) return overview();
    str topic = {argv[1], strlen(argv[1])};
    if (argc > 2) return command_usage("help", "one topic at a time");
    if (str_eq(topic, S("config"))) return command_print(config_reference(a));
    if (str_eq(topic, S("functions"))) return command_print(cel_docs_page(a));
    if (str_eq(topic, S("codes"))) return command_print(policy_codes_page(a));
    if (policy_code_find(topic)) return policy_verb_help(a, argc, argv);
    if (str_eq(topic, S("schema"))) return command_print(config_schema(a));
    char help[] = "--help", *ask[] = {argv[1], help, NULL};
    for (const command *c = commands; c->name; c++) {
        if (!c->brief || strcmp(c->name, argv[1]) != 0) continue;
        return c->help ? command_print((str){c->help, strlen(c->help)}) : c->run(a, 2, ask);
    }
    return command_usage("help", "there is no such topic");
}

int command_child(arena *a, int argc, char **argv)
{
    (void)a;
    return child_shim_main(argc, argv);
}
